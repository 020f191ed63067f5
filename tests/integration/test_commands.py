"""The commands that people run beside the server, as they run them."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.client import connect_blocking
from tests.helpers.load import SOAKS
from tests.helpers.preloaded import ROOT, completed

COFFEE = ROOT / "static" / "samples" / "coffee.jpg"
LIMIT_S = 480.0


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m app` to its end."""
    return completed("app", *arguments, timeout_s=LIMIT_S)


def run(*arguments: str) -> str:
    """Return what `python -m app` printed; it must end well."""
    done = ended(*arguments)
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


def test_a_segment_is_the_mask_that_a_click_gives(live_server: str, tmp_path: Path) -> None:
    out = tmp_path / "cup.png"
    printed = run("segment", str(COFFEE), "--point", "260,160", "--model", "nano", "--offline", "--out", str(out))
    assert f"{out}: mask, score" in printed
    with connect_blocking(live_server) as session, Image.open(out) as mask:
        session.open(COFFEE)
        np.testing.assert_array_equal(np.asarray(mask) > 0, session.click(260, 160).mask)


def test_a_segment_goes_into_the_file_that_its_name_asks_for(tmp_path: Path) -> None:
    out = tmp_path / "cup.coco.json"
    run("segment", str(COFFEE), "--box", "150,70,450,330", "--model", "nano", "--offline", "--out", str(out))
    coco = json.loads(out.read_text())
    assert (coco["images"][0]["file_name"], len(coco["annotations"])) == ("coffee.jpg", 1)


def test_a_recipe_is_segmented_to_the_masks_of_its_session(live_server: str, tmp_path: Path) -> None:
    out = tmp_path / "cup.recipe.json"
    with connect_blocking(live_server) as session:
        session.open(COFFEE)
        cup = session.click(260, 160).id
        session.choose(cup, 1)
        session.click(330, 255, object=cup)
        session.label(cup, "cup")
        spoon = session.box((420, 200, 560, 320)).id
        session.click(470, 260, object=spoon, label=0)
        session.move(spoon, 0, 480, 250)
        shown = session.export("coco").data
        out.write_bytes(session.export("recipe").data)
    again = tmp_path / "again.coco.json"
    printed = run("segment", str(COFFEE), "--recipe", str(out), "--offline", "--out", str(again))
    assert "2 objects by nano" in printed
    assert json.loads(again.read_text()) == json.loads(shown)
    masks = tmp_path / "cup.masks.zip"
    run("segment", str(COFFEE), "--recipe", str(out), "--offline", "--out", str(masks))
    assert "indexed.png" in zipfile.ZipFile(masks).namelist()
    photo = str(COFFEE.with_name("cat.jpg"))
    other = ended("segment", photo, "--recipe", str(out), "--offline", "--out", str(again))
    assert other.returncode == 1
    assert "the recipe is of picture" in other.stderr


def test_what_segment_can_not_do_has_its_exit_code(tmp_path: Path) -> None:
    nano = ("--model", "nano", "--offline", "--out", str(tmp_path / "mask.png"))
    off_the_picture = ended("segment", str(COFFEE), "--point", "9000,5", *nano)
    assert (off_the_picture.returncode, off_the_picture.stderr.splitlines()[-1][:6]) == (1, "error:")
    assert ended("segment", str(COFFEE), *nano).returncode == 2
    assert ended("segment", str(COFFEE), "--point", "5,5", "--model", "huge", "--offline").returncode == 3
    assert not list(tmp_path.iterdir())


def test_a_script_is_replayed_against_a_server(live_server: str, tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    opens = json.dumps({"t": "open", "picture": str(COFFEE)})
    script.write_text(opens + '\n{"t": "hover", "x": 260, "y": 160}\n{"t": "click", "x": 260, "y": 160}\n')
    assert "3 of 3 lines were answered" in run("script", str(script), "--url", live_server)


def test_a_swarm_prints_a_table_and_writes_json(live_server: str, tmp_path: Path) -> None:
    out = tmp_path / "swarm.json"
    options = ("--sessions", "2", "--rate", "5", "--duration", "2", "--click-every", "1", "--json", str(out))
    printed = run("swarm", str(COFFEE), "--url", live_server, *options)
    figures = json.loads(out.read_text())
    assert f"{figures['drops']} of {figures['hovers']}" in printed
    assert figures["hover"]["count"] > 0
    assert figures["errors"] == {}


def test_each_command_explains_itself_and_its_exit_codes() -> None:
    overview = run("--help")
    for command in ("segment", "script", "swarm"):
        assert command in overview
        assert "exit codes: 0" in run(command, "--help")
    assert "exit codes: 0" in overview


def test_the_bench_prints_its_parts_and_writes_json(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    # All of them, on a model that is compiled first, take a minute and more.
    parts = ("--seconds", "1") if SOAKS else ("--seconds", "0.4", "--engine", "torch", "--parts", "hover", "crowd")
    printed = run("bench", "--rounds", "1", "--json", str(out), *parts)
    figures = json.loads(out.read_text())
    assert figures["model"] == "nano"
    assert f"hover p50 / bare decode p50 = {figures['hover']['hover_over_decode']:.2f}" in printed
    assert figures["hover"]["hover_bytes"] > 0
    assert [crowd["sessions"] for crowd in figures["crowd"]] == [1, 4, 16]
    assert all(crowd["errors"] == {} for crowd in figures["crowd"])
    if SOAKS:
        assert figures["engines"]["torch fp32"]["decode_ratio"] > 0
        assert figures["engines"]["torch fp32"]["decode_and_run_lengths_p50_ms"] > 0
        assert f"p95 beside uploads / alone = {figures['uploads']['ratio']:.2f}" in printed
        assert figures["uploads"]["encodes"] > 0
        assert len(figures["start"]["warm"]["ready_s"]) == len(figures["start"]["with_torch"]["ready_s"]) == 1


@pytest.mark.skipif(not SOAKS, reason="follows objects through 580 frames: minutes")
def test_the_bench_tells_what_following_an_object_takes_and_costs_others(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    printed = run("bench", "--parts", "clips", "--rounds", "1", "--seconds", "1", "--json", str(out))
    clips = json.loads(out.read_text())["clips"]
    assert clips["engines"]["torch fp32"]["track_p50_ms"]["7"] > 0
    assert f"p95 beside tracking / beside encodes = {clips['hovers']['ratio']:.2f}" in printed
    assert [look["when"] for look in clips["memory"]][4::5] == ["300 frames", "20 clips more"]
