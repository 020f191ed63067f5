"""`segment` on a clip: a prompt on one frame, its object on all of them, in files that others read."""

from __future__ import annotations

import argparse
import importlib.util
import json
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

from app.cli.local_clip import clip_bytes
from app.cli.mask_file import frames_format_of
from app.cli.segment import add_arguments, main
from tests.helpers.clip_files import animation, picture, video
from tests.helpers.fake_engine import FakeEngine

FRAMES = 6


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    made = FakeEngine(can_track=False)
    monkeypatch.setattr("app.cli.segment.loaded", lambda _: made)
    return made


def segment(clip: Path, out: Path, *more: str) -> int:
    """Run the command with a prompt on frame 2."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return main(parser.parse_args([str(clip), "--frame", "2", "--point", "60,60", "--out", str(out), *more]))


def exit_code(clip: Path, out: Path, *more: str) -> object:
    """Run the command, whose options may be refused before it begins."""
    try:
        return segment(clip, out, *more)
    except SystemExit as stopped:
        return stopped.code


@pytest.fixture
def gif(tmp_path: Path) -> Path:
    file = tmp_path / "walk.gif"
    file.write_bytes(animation(count=FRAMES))
    return file


def members(file: Path) -> dict[str, bytes]:
    with ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_objects_masks_are_a_png_a_frame(engine: FakeEngine, gif: Path, tmp_path: Path) -> None:
    assert segment(gif, tmp_path / "walk.masks.zip") == 0
    masks = {name: np.asarray(Pil.open(BytesIO(data))) for name, data in members(tmp_path / "walk.masks.zip").items()}
    assert list(masks) == [f"{index:06d}.png" for index in range(FRAMES)]
    assert {mask.shape for mask in masks.values()} == {(120, 160)}
    assert all(mask[60, 60] == 255 and mask[5, 150] == 0 for mask in masks.values())
    assert engine.encodes == FRAMES  # each frame once
    assert engine.tracked == [(1,), (2, 1), (3, 1, 2), (1,), (2, 1)]  # forward from frame 2, then backward from it


def test_fast_looks_at_three_frames_that_are_remembered(engine: FakeEngine, gif: Path, tmp_path: Path) -> None:
    assert segment(gif, tmp_path / "walk.masks.zip", "--frame", "0", "--fast") == 0
    assert engine.tracked == [(1,), (2, 1), (3, 1, 2), (4, 1, 2), (5, 1, 2)]


def test_masks_are_of_the_clips_own_size_where_it_is_larger_than_the_model_sees(
    engine: FakeEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(3):
        Pil.fromarray(picture(index, (2560, 120))).save(folder / f"f{index}.png")
    (folder / "notes.txt").write_text("of the day")
    assert segment(folder, tmp_path / "wide.masks.zip") == 0
    assert set(engine.encoded) == {(60, 1280)}
    masks = [np.asarray(Pil.open(BytesIO(data))) for data in members(tmp_path / "wide.masks.zip").values()]
    assert [mask.shape for mask in masks] == [(120, 2560)] * 3
    assert all(mask[60, 60] for mask in masks)
    assert segment(folder, tmp_path / "wide.overlay.png") == 0
    assert Pil.open(BytesIO((tmp_path / "wide.overlay.png").read_bytes())).size == (2560, 120)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # COCO's tools and NumPy 2
def test_coco_has_each_frame_as_a_picture_with_its_time(engine: FakeEngine, gif: Path, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    out = tmp_path / "walk.coco.json"
    assert segment(gif, out, "--name", "walker") == 0
    coco = COCO(str(out))
    images = json.loads(out.read_text())["images"]
    assert [(image["frame"], image["time_s"]) for image in images] == [(index, index / 10) for index in range(FRAMES)]
    assert [image["file_name"] for image in images][:2] == ["walk-000000.jpg", "walk-000001.jpg"]
    for image in images:
        [annotation] = coco.loadAnns(coco.getAnnIds(image["id"]))
        assert coco.annToMask(annotation)[60, 60]
        assert coco.loadCats(annotation["category_id"])[0]["name"] == "walker"


def test_yolo_has_each_frame_and_its_labels(engine: FakeEngine, gif: Path, tmp_path: Path) -> None:
    assert segment(gif, tmp_path / "walk.yolo.zip", "--name", "walker") == 0
    found = members(tmp_path / "walk.yolo.zip")
    assert sorted(found) == [
        "data.yaml",
        *(f"images/train/walk-{index:06d}.jpg" for index in range(FRAMES)),
        *(f"labels/train/walk-{index:06d}.txt" for index in range(FRAMES)),
    ]
    assert Pil.open(BytesIO(found["images/train/walk-000003.jpg"])).size == (160, 120)
    assert all(data.startswith(b"0 0.") for name, data in found.items() if name.endswith(".txt"))
    assert b"walker" in found["data.yaml"]


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV isn't installed")
def test_an_overlay_is_the_clip_with_its_object_tinted_at_the_same_times(engine: FakeEngine, tmp_path: Path) -> None:
    import av

    def frames(file: Path) -> list[tuple[float, NDArray[np.uint8]]]:
        with av.open(file) as container:
            return [(round(frame.time, 3), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]

    times_ms = [0, 40, 200, 210, 500, 900]
    clip = tmp_path / "walk.mp4"
    clip.write_bytes(video(times_ms=times_ms, size_wh=(160, 120)))
    for kind, inside, outside in (("overlay", (90, 180), 90), ("cutout", (60, 255), 0)):
        assert segment(clip, tmp_path / f"walk.{kind}.mp4") == 0
        shown = frames(tmp_path / f"walk.{kind}.mp4")
        assert [time_s for time_s, _ in shown] == [ms / 1000 for ms in times_ms]
        assert all(pixels.shape == (120, 160, 3) for _, pixels in shown)
        assert all(abs(int(pixels[5, 150, 0]) - outside) < 12 for _, pixels in shown)
        assert all(inside[0] <= pixels[68, 58].max() <= inside[1] for _, pixels in shown)


def test_one_frame_alone_is_written_where_the_name_asks_for_a_picture(
    engine: FakeEngine, gif: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert segment(gif, tmp_path / "mask.png", "--part", "0.1,0.5,10") == 0
    assert "frame 2 of 4" in capsys.readouterr().out
    assert np.asarray(Pil.open(BytesIO((tmp_path / "mask.png").read_bytes())))[60, 60] == 255
    assert engine.encodes == 1


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--frame", "6"], 1, "frames 0 to 5, got frame 6"),
        (["--frame", "-1"], 2, "count from 0"),
        (["--part", "0.1,0.5,0"], 2, "expected BEGIN,END,RATE"),
        (["--part", "5,9,10"], 1, "no frame in this clip from 5 to 9 s"),
        (["--window", "0,0,64,64"], 2, "without --window"),
        (["--everything"], 2, "--everything alone"),
        (["--out", "clip.tar"], 2, "clip.masks.zip"),
        (["--out", "clip.recipe.json"], 2, "clip.masks.zip"),
        (["--out", "clip.cutout.mp4", "--trim"], 2, "no --trim with a video"),
        (["--point", "600,1"], 1, "within 0 to 160"),
    ],
)
def test_what_cant_be_done_is_told(
    engine: FakeEngine,
    gif: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    code: int,
    words: str,
) -> None:
    assert exit_code(gif, tmp_path / "walk.masks.zip", *more) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "walk.masks.zip").exists()


def test_a_video_without_a_frame_is_asked_for_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for clip in ("walk.MP4", "."):
        assert main(parser.parse_args([str(tmp_path / clip), "--point", "1,1", "--out", str(tmp_path / "m.png")])) == 2
        assert "expected --frame with" in capsys.readouterr().err


def test_a_model_that_cant_follow_says_so(
    monkeypatch: pytest.MonkeyPatch, gif: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    still = SimpleNamespace(model="tiny", runtime="geometry", encode=FakeEngine().encode, decode=FakeEngine().decode)
    monkeypatch.setattr("app.cli.segment.loaded", lambda _: still)
    assert segment(gif, tmp_path / "walk.masks.zip") == 1
    assert "can't follow objects" in capsys.readouterr().err


def test_a_files_name_says_whether_all_frames_go_into_it(tmp_path: Path) -> None:
    assert frames_format_of(Path("a.zip"), None) == "mask"
    assert frames_format_of(Path("a.mp4"), None) == "overlay"
    assert frames_format_of(Path("a.json"), None) == "coco"
    assert frames_format_of(Path("a.labelme.json"), None) is None
    assert frames_format_of(Path("cutout.png"), None) is None
    (tmp_path / "clip").write_bytes(b"bytes")
    assert clip_bytes(tmp_path / "clip") == b"bytes"
