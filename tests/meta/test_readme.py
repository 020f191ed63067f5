"""What the README says is so: its settings are ours, its code runs, its files exist."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from app.bench import command as bench
from app.cli import demo, script, segment, swarm_command, weights
from app.server import serve
from app.settings import markdown_table

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_settings_is_the_programs_own() -> None:
    assert markdown_table() in README


def test_the_python_sample_runs(live_server: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    code = code.replace("http://127.0.0.1:8000", live_server)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    width, height, *_ = done.stdout.split()
    assert (width, height) == ("600", "400")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_commands_run(live_server: str) -> None:
    commands = re.findall(r"^curl (?:.*\\\n)*.*$", README, re.MULTILINE)
    assert len(commands) >= 2
    for command in commands:
        words = shlex.split(command.replace("http://127.0.0.1:8000", live_server).replace("\\\n", " "))
        more = ["--silent", "--noproxy", "*", "--fail-with-body", "--max-time", "60"]
        done = subprocess.run([*words, *more], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["image_id"]


STARTS = sorted(set(re.findall(r"\./start\.sh[^`#\n]*", README)))


@pytest.mark.parametrize("line", STARTS)
def test_a_command_is_one_that_the_program_takes(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line)[1:]
    if words[:1] in (["test"], ["soak"], ["install"]):
        assert re.search(rf"^  (?:\w+ \| )*{words[0]}(?: \| \w+)*\)", (ROOT / "start.sh").read_text(), re.MULTILINE)
        return
    arguments = words if words and not words[0].startswith("-") else ["serve", *words]
    taken: list[argparse.Namespace] = []

    def take(args: argparse.Namespace) -> int:
        taken.append(args)
        return 0

    for module in (serve, weights, segment, script, swarm_command, demo, bench):
        monkeypatch.setattr(module, "main", take)
    assert main(arguments) == 0
    assert [args.command for args in taken] == arguments[:1]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_a_linked_file_exists(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("folder", sorted(set(re.findall(r"\| `([a-z_/]+/)`", README))))
def test_a_named_folder_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()
