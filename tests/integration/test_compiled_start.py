"""A model compiled by one run of the program and read from the disk by the next, which needs no torch."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import httpx
import pytest

from app.arrays import MaskArray
from app.client import BlockingSession, connect_blocking
from app.protocol.fields import ExportFormat
from app.weights.manifest import BUNDLED_DIR
from tests.helpers.family import Estate, workers_of
from tests.helpers.preloaded import ROOT
from tests.helpers.program import START_DEADLINE_S, Program, free_port
from tests.helpers.telling_engine import FOLDER

PHOTO = BUNDLED_DIR.parent / "static" / "samples" / "coffee.jpg"
NANO = ("--offline", "--model", "nano")
TELLING = "tests.helpers.telling_program"
AT = (260, 160)


@dataclass(frozen=True)
class Compiled:
    """What the first run left.

    Attributes:
        directory: its caches and its user's home.
        masks: of one click, by torch and by the compiled model.
    """

    directory: Path
    masks: list[MaskArray]


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Compiled:
    """A first run of the program, which begins on torch and compiles the model; the next find it there."""
    directory = tmp_path_factory.mktemp("home")
    environment.setenv("HOVERSAM_ENGINE", "auto")
    environment.setenv("HOVERSAM_PRECISION", "fp32")
    environment.setenv("HOVERSAM_CACHE_DIR", str(directory))
    environment.setenv("HOME", str(directory))
    environment.delenv("CI", raising=False)
    program = Program(free_port(), *NANO, forked=True)
    try:
        program.wait_until_ready()
        assert "until OpenVINO has compiled it" in program.said
        with connect_blocking(program.url) as session:
            session.open(PHOTO)
            masks = [session.click(*AT).mask]
            program.wait_for("event='engine_compiled'")
            masks.append(session.click(*AT).mask)
        program.stop()
    finally:
        program.kill()
    return Compiled(directory, masks)


@pytest.fixture(scope="module")
def program(compiled: Compiled) -> Iterator[Program]:
    """A second run, which says what it has loaded when it is asked."""
    program = Program(free_port(), *NANO, module=TELLING)
    try:
        program.wait_until_ready()
        assert "compiled before" in program.said
        yield program
        program.stop()
    finally:
        program.kill()


def loaded(program: Program) -> str:
    """Return which of the large libraries a program has loaded."""
    program.lines.clear()
    program.process.send_signal(signal.SIGUSR1)
    program.wait_for("loaded: ")
    [line] = [line for line in program.lines if line.startswith("loaded: ")]
    return line.removeprefix("loaded: ").strip()


def test_what_the_first_start_has_compiled_gives_the_same_mask_at_the_second(
    program: Program, compiled: Compiled
) -> None:
    with connect_blocking(program.url) as session:
        session.open(PHOTO)
        masks = [*compiled.masks, session.click(*AT).mask]
    assert all((mask == masks[0]).mean() > 0.999 for mask in masks)
    assert not (compiled.directory / "intel").exists(), "OpenVINO has told its makers that it was used, by a name there"


def test_what_is_compiled_is_served_without_torch(program: Program) -> None:
    assert loaded(program) == "none of them"
    with connect_blocking(program.url) as session, httpx.Client(base_url=program.url, trust_env=False) as http:
        image = session.open(PHOTO)
        assert loaded(program) == "none of them"
        point_and_draw(session)
        assert loaded(program) == "none of them"
        for kind in get_args(ExportFormat):
            assert session.export(kind).data
        body = {"image_id": image.image_id, "points": [{"x": AT[0], "y": AT[1]}]}
        assert http.post("/api/segment", json=body).raise_for_status().json()["masks"]
        for page in ("/", "/docs", "/metrics", "/readyz"):
            assert http.get(page).is_success
    assert loaded(program) == "none of them"


def point_and_draw(session: BlockingSession) -> None:
    """Do what a person does with a picture that is open: hover, click, refine, choose, draw a box, undo."""
    assert session.preview(*AT) is not None
    cup = session.click(*AT).id
    session.click(330, 255, object=cup, label=0)
    session.choose(session.click(420, 200).id, 1)
    session.box((150, 70, 450, 330))
    session.undo()


def test_the_segment_command_needs_no_torch_for_what_is_compiled(compiled: Compiled, tmp_path: Path) -> None:
    out = tmp_path / "cup.coco.json"
    point = ("--point", "260,160", "--point", "330,255,0")
    command = [sys.executable, "-m", TELLING, "segment", str(PHOTO), *point, *NANO, "--out", str(out)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START_DEADLINE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "compiled before" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "loaded: none of them"
    assert out.stat().st_size > 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_give_the_same_masks_without_torch_and_leave_nothing_behind(
    program: Program, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="told-", dir="/tmp"))  # Ray's sockets have long names
    told = compiled.directory / "told"
    told.mkdir()
    for name, value in {"TMPDIR": folder, FOLDER: told, "PYTHONPATH": ROOT}.items():
        monkeypatch.setenv(name, str(value))
    estate, masks = Estate(folder), []
    workers = Program(free_port(), *NANO, "--workers", "2", module=TELLING)
    try:
        workers.wait_until_ready()
        for url in (program.url, workers.url):
            with connect_blocking(url) as session:
                session.open(PHOTO)
                cup = session.click(*AT)
                masks.append((cup.mask, session.click(330, 255, object=cup.id, label=0).mask))
                point_and_draw(session)
        assert loaded(workers) == "none of them"
        pids = {str(worker.pid) for worker in workers_of(workers.process.pid)}
        estate.take_down(workers.process.pid)
        workers.stop()
    finally:
        workers.kill()
    assert all((here == there).all() for here, there in zip(*masks, strict=True))
    assert len(pids) == 2
    assert {file.name: file.read_text() for file in told.iterdir()} == dict.fromkeys(pids, "none of them")
    assert estate.left() == []
    folder.rmdir()
