"""`python -m app serve` as a process: how it starts, and every way in which it says that it can't."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import torch

from app.__main__ import main
from app.client import Reconnect, connect_blocking
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.checkpoint_factory import write_checkpoint
from tests.helpers.program import START_DEADLINE_S, Program, free_port, serve_to_the_end

PHOTO = BUNDLED_DIR.parent / "static" / "samples" / "coffee.jpg"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    path = tmp_path / "foreign.pt"
    torch.save({"model": {"weight": torch.zeros(3)}}, path)
    return path


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    path = tmp_path / "sam2.1_hiera_tiny.pt"
    path.write_bytes(b"PK\x03\x04 cut short")
    return path


Refusal = Callable[..., str]


@pytest.fixture
def the_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """Return what gives the one line in which the program says why no model runs."""

    def run(*options: str, checkpoints_dir: Path | None = None) -> str:
        if checkpoints_dir is not None:
            monkeypatch.setenv("HOVERSAM_CHECKPOINTS_DIR", str(checkpoints_dir))
        assert main(["serve", "--port", "0", "--offline", *options]) == 3
        lines = capsys.readouterr().err.splitlines()
        [error] = [line for line in lines if "error:" in line]
        assert error == lines[-1]
        return error

    return run


def test_an_unknown_model_is_told_which_there_are() -> None:
    ended = serve_to_the_end("--port", "0", "--model", "huge", "--offline")
    assert ended.returncode == 3
    [line] = ended.stderr.splitlines()
    assert "choose one of nano, tiny, small" in line


def test_a_missing_checkpoint_is_named_with_its_cure(tmp_path: Path, the_error: Refusal) -> None:
    error = the_error("--model", "tiny", checkpoints_dir=tmp_path)
    assert str(tmp_path / "sam2.1_hiera_tiny.pt") in error
    assert "python -m app weights fetch tiny" in error


def test_a_checkpoint_that_was_cut_is_named_with_its_cure(cut: Path, the_error: Refusal) -> None:
    error = the_error("--model", "tiny", checkpoints_dir=cut.parent)
    assert "cut short" in error
    assert "delete it" in error


def test_a_checkpoint_of_another_model_is_refused(foreign: Path, the_error: Refusal) -> None:
    error = the_error("--model", "tiny", "--checkpoint", str(foreign), "--device", "cpu")
    assert "is not a checkpoint of tiny" in error


def test_an_unknown_device_is_told_which_there_are(foreign: Path, the_error: Refusal) -> None:
    error = the_error("--model", "tiny", "--checkpoint", str(foreign), "--device", "abacus")
    assert "choose one of cuda, mps, cpu" in error


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = serve_to_the_end("--port", str(port), "--offline")
    assert ended.returncode == 2
    assert f"can't listen on 127.0.0.1:{port}" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_that_another_takes_while_the_model_loads_is_named() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        program = Program(port, "--offline", "--model", "nano")
        try:
            program.wait_for("loading nano")
            other.listen()
            assert program.process.wait(START_DEADLINE_S) == 2
        finally:
            program.kill()
    assert f"can't listen on 127.0.0.1:{port}" in program.said
    assert "Traceback" not in program.said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_while_the_model_loads(how: signal.Signals) -> None:
    program = Program(free_port(), "--offline", "--model", "nano")
    program.wait_for("loading nano")
    assert program.stop(how) == 0
    assert "Traceback" not in program.said


def test_an_unknown_option_is_a_wrong_use() -> None:
    assert serve_to_the_end("--colour", "red").returncode == 2


def test_the_bundled_model_finds_what_is_clicked(live_server: str) -> None:
    with connect_blocking(live_server) as session:
        image = session.open(PHOTO)
        assert image.model == "nano"
        preview = session.preview(image.width / 2, image.height / 2)
        assert preview is not None
        assert len(preview.masks) == 3
        clicked = session.click(image.width / 2, image.height / 2)
        assert clicked.mask.shape == (image.height, image.width)
        assert clicked.mask[image.height // 2, image.width // 2]
        refined = session.click(5, 5, label=0, object=clicked.id)
        assert not refined.mask[5, 5]
        session.undo()
        assert session.objects[clicked.id].masks == clicked.masks


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl+C"])
def test_the_program_stops_quietly_with_a_socket_open(how: signal.Signals) -> None:
    program = Program(free_port(), module="tests.helpers.fake_program")
    try:
        program.wait_until_ready()
        with connect_blocking(program.url, reconnect=Reconnect(give_up_s=0)) as session:
            session.open(PHOTO)
            session.click(5, 5)
            assert program.stop(how) == 0
            with pytest.raises(ConnectionError, match="1012"):
                session.ping()
        assert program.said.splitlines() == [f"hoversam: open {program.url} in a browser (Ctrl+C stops)"]
    finally:
        program.kill()


def test_the_program_stops_in_order_while_a_picture_is_encoded(tmp_path: Path) -> None:
    entry = write_checkpoint(load_manifest().entry("tiny"), tmp_path)  # which takes seconds for a picture
    program = Program(free_port(), "--offline", "--model", "tiny", "--checkpoint", str(tmp_path / entry.file))
    try:
        program.wait_until_ready()
        with PHOTO.open("rb") as file:  # the encode begins by itself
            httpx.post(f"{program.url}/api/upload", files={"file": file}, trust_env=False).raise_for_status()
        assert program.stop(signal.SIGINT) == 0
        assert "terminate" not in program.said
    finally:
        program.kill()
