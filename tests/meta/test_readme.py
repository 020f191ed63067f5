"""What the README and the READMEs beside packages say is so: settings are ours, code runs, files exist."""

from __future__ import annotations

import argparse
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from app.bench import command as bench
from app.cli import demo, doctor, script, segment, swarm_command, weights
from app.server import serve

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
READMES = [
    ROOT / name for name in ("README.md", ".container/README.md", "app/bench/README.md", "app/protocol/README.md")
]
TEXT = "\n".join(path.read_text() for path in READMES)
MAX_LINES = 150


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_LINES


def test_the_page_of_settings_is_the_programs_own() -> None:
    made = runpy.run_path(str(ROOT / ".ci/documents.py"))
    assert made["SETTINGS"].read_text() == made["settings_page"](), "run .ci/documents.py"


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


STARTS = sorted(set(re.findall(r"\./start\.sh[^`#\n]*", TEXT)))


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

    for module in (serve, weights, segment, script, swarm_command, demo, doctor, bench):
        monkeypatch.setattr(module, "main", take)
    assert main(arguments) == 0
    assert [args.command for args in taken] == arguments[:1]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_linked_files_exist(readme: Path) -> None:
    targets = re.findall(r"\]\(((?!http)[^)#]+)\)", readme.read_text())
    assert [target for target in targets if not (readme.parent / target).exists()] == []


def test_named_folders_exist_and_every_package_is_named() -> None:
    named = set(re.findall(r"`([a-z_]+/(?:[a-z_]+/)?)`", README[README.index("## Where things are") :]))
    assert {folder for folder in named if not (ROOT / folder).is_dir()} <= {"sam2/", "openvino/"}
    packages = {f"app/{path.parent.name}/" for path in (ROOT / "app").glob("*/__init__.py")}
    assert packages <= named
