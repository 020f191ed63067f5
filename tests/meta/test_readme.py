"""What the README says is so: its settings are ours, its code runs, its files exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_a_linked_file_exists(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("folder", sorted(set(re.findall(r"\| `([a-z_/]+/)`", README))))
def test_a_named_folder_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()
