from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

from app.__main__ import ended, main

SWARM_NUMBERS = ("--rate", "--duration", "--click-every")
WRONG_NUMBERS = ("0", "-1", "nan", "inf", "1e999", "many")
WRONG_ADDRESSES = ("nonsense", "ftp://127.0.0.1", "http://", "http://[", "http://127.0.0.1:99999", "http://a:b")


def refused(*arguments: str) -> int:
    """Return the exit code of a command that is used wrongly."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize("number", WRONG_NUMBERS)
@pytest.mark.parametrize("option", SWARM_NUMBERS)
def test_a_swarm_takes_no_number_that_never_ends_or_begins(
    option: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused("swarm", f"{option}={number}") == 2
    assert f"expected a number above 0, got {number!r}" in capsys.readouterr().err


@pytest.mark.parametrize("address", WRONG_ADDRESSES)
@pytest.mark.parametrize("command", [("script", "a.jsonl"), ("swarm",), ("demo", "a.jpg")], ids=lambda words: words[0])
def test_what_is_no_address_is_wrong_use(
    command: tuple[str, ...], address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(*command, "--url", address) == 2
    assert f"expected an address such as http://127.0.0.1:8000, got {address!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [("--rounds", "0"), ("--rounds", "1.5"), ("--rounds", "9" * 5000), ("--seconds", "nan"), ("--engine", "steam")],
    ids=lambda words: " ".join(words)[:20],
)
def test_a_bench_that_can_not_be_measured_is_wrong_use(wrong: tuple[str, ...]) -> None:
    assert refused("bench", *wrong) == 2


@pytest.mark.parametrize("command", ["bench", "swarm"])
def test_the_folder_of_the_figures_is_looked_for_before_anything_is_measured(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--json", str(tmp_path / "missing" / "figures.json")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_bench_of_no_model_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--model", "huge"]) == 3
    assert "no model is called 'huge'" in capsys.readouterr().err


@pytest.mark.parametrize("sessions", ["0", "-1", "1025"])
def test_a_swarm_has_a_session_and_no_more_than_one_machine_can_play(
    sessions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["swarm", "--sessions", sessions]) == 2
    assert f"got {sessions}" in capsys.readouterr().err


def test_a_reader_who_has_enough_ends_a_command_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as nobody:
        monkeypatch.setattr("sys.stdout", nobody)
        assert ended(lambda: main(["--version"])) == 128 + signal.SIGPIPE
        monkeypatch.undo()
        with contextlib.suppress(BrokenPipeError):
            nobody.close()


def test_a_full_disk_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert "no room (No space left on device)" in str(ended(lambda: main(["--version"])))
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()


@pytest.mark.parametrize("before", [("segment",), ("segment", "cat.jpg"), ("demo",)], ids=" ".join)
def test_a_file_that_is_named_like_an_option_says_how_it_is_written(
    before: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(*before, "-x.jpg") == 2
    assert "./" not in capsys.readouterr().err
    Path("-x.jpg").touch()
    assert refused(*before, "-x.jpg") == 2
    assert "./-x.jpg" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    "command",
    [("segment", "cat.jpg", "--point", "1,1"), ("segment", "cat.jpg", "--recipe", "cat.jpg"), ("script", "cat.jpg")],
    ids=" ".join,
)
def test_a_missing_file_is_named_with_what_is_wrong_and_no_number(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(list(command)) in (1, 2)
    assert capsys.readouterr().err == "error: cat.jpg: No such file or directory\n"
