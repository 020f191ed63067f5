"""The commands that people run beside the server, as they run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
COFFEE = ROOT / "static" / "samples" / "coffee.jpg"
LIMIT_S = 240


def run(*arguments: str) -> str:
    """Return what `python -m app` printed; it must end well."""
    command = [sys.executable, "-m", "app", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_writes_an_overlay_that_tints_some_of_the_picture(live_server: str, tmp_path: Path) -> None:
    out = tmp_path / "overlay.png"
    printed = run("demo", str(COFFEE), "--url", live_server, "--out", str(out))
    assert "hover p50" in printed
    with Image.open(out) as overlay, Image.open(COFFEE) as photo:
        assert overlay.size == photo.size
        changed = (np.asarray(overlay.convert("RGB"), int) - np.asarray(photo.convert("RGB"), int)).any(axis=2).mean()
    assert 0 < changed < 1


def test_the_bench_prints_hover_beside_decode_and_writes_json(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    printed = run("bench", "--rounds", "1", "--json", str(out))
    figures = json.loads(out.read_text())
    assert f"hover p50 / bare decode p50 = {figures['hover_over_decode']:.2f}" in printed
    assert figures["model"] == "nano"
    assert figures["hover_bytes"] > 0
