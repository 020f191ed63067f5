"""Objects over the frames of a clip as files: who is who stays the same on all frames."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image as Pil

from app.arrays import MaskArray
from app.errors import ImageTooLargeError
from app.exports.frames import ClipSelection, FramesFormat, ShownFrame, frame_name, frames_file
from app.exports.selection import ExportObject, Selection
from app.protocol.values import ExportOptions
from app.session.classes import ClassList
from app.session.objects import SessionObject
from app.session.palette import color_rgb
from app.session.values import OpenImage
from tests.helpers.clip_decoders import jpeg_of

SIZE_WH = (160, 120)
CAT, DOG = SessionObject(4, "cat", 0), SessionObject(9, "dog", 3)
SEEN = [[CAT], [], [DOG], [CAT, DOG]]
"""Which objects are to be seen on each frame."""


def mask_of(item: SessionObject) -> MaskArray:
    mask_hw: MaskArray = np.zeros(SIZE_WH[::-1], np.bool_)
    x = 10 if item is CAT else 30
    mask_hw[20:60, x : x + 40] = True
    return mask_hw


def selection(options: ExportOptions | None = None, items: tuple[SessionObject, ...] = (CAT, DOG)) -> ClipSelection:
    def frames() -> Iterator[ShownFrame]:
        for index, seen in enumerate(SEEN):
            objects = tuple(
                ExportObject(replace(item), 0.5, lambda item=item: mask_of(item))  # type: ignore[misc]
                for item in seen
                if item in items
            )
            image = OpenImage(f"clip-{'a1' * 16}#{index}", *SIZE_WH)
            chosen = Selection(
                image,
                frame_name("walk.mp4", index),
                "nano",
                objects,
                lambda: np.full((*SIZE_WH[::-1], 3), 90, np.uint8),
                options=options or ExportOptions(),
            )
            yield ShownFrame(index, index / 10, chosen, lambda index=index: jpeg_of(index))  # type: ignore[misc]

    return ClipSelection(OpenImage(f"clip-{'a1' * 16}", *SIZE_WH), "walk.mp4", items, ClassList(), frames())


def members(kind: FramesFormat, chosen: ClipSelection) -> dict[str, bytes]:
    with ZipFile(BytesIO(frames_file(kind, chosen, 10**7).data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_masks_of_several_objects_have_one_number_each_on_all_frames() -> None:
    masks = [Pil.open(BytesIO(data)) for data in members("mask", selection()).values()]
    numbers = [np.asarray(mask) for mask in masks]
    assert [sorted(np.unique(each).tolist()) for each in numbers] == [[0, 1], [0], [0, 2], [0, 1, 2]]
    assert numbers[3][30, 35] == 2  # the last made lies on top
    assert masks[3].convert("RGB").getpixel((60, 30)) == color_rgb(DOG.color)


def test_masks_of_one_object_are_white_on_black() -> None:
    masks = [np.asarray(Pil.open(BytesIO(data))) for data in members("mask", selection(items=(DOG,))).values()]
    assert [np.unique(each).tolist() for each in masks] == [[0], [0], [0, 255], [0, 255]]


def test_coco_tells_objects_and_classes_apart_on_all_frames() -> None:
    coco = json.loads(frames_file("coco", selection(), 10**7).data)
    names = {category["id"]: category["name"] for category in coco["categories"]}
    frames = {image["id"]: image["frame"] for image in coco["images"]}
    told = [(frames[a["image_id"]], names[a["category_id"]], a["track_id"]) for a in coco["annotations"]]
    assert told == [(0, "cat", 4), (2, "dog", 9), (3, "cat", 4), (3, "dog", 9)]
    assert len({a["id"] for a in coco["annotations"]}) == 4


def test_yolo_has_the_frames_and_one_number_a_class() -> None:
    found = members("yolo", selection())
    labels = [found[f"labels/train/walk-{index:06d}.txt"].decode() for index in range(4)]
    assert [[line[0] for line in text.splitlines()] for text in labels] == [["0"], [], ["1"], ["0", "1"]]
    assert found["images/train/walk-000002.jpg"] == jpeg_of(2)
    assert found["data.yaml"].endswith(b'0: "cat"\n  1: "dog"\n')


def test_a_tolerance_is_kept_to() -> None:
    fine, rough = (
        json.loads(frames_file("coco", selection(options), 10**7).data)["annotations"][0]["polygons"][0]
        for options in (None, ExportOptions(tolerance=30.0))
    )
    assert len(rough) <= len(fine)


def test_a_video_plays_while_it_is_loaded_and_is_in_no_file_with_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    named: list[Path] = []

    def watched(frames: Iterator[ShownFrame]) -> Iterator[ShownFrame]:
        for shown in frames:
            yield shown
            named.extend(tmp_path.iterdir())

    chosen = selection()
    data = frames_file("overlay", replace(chosen, frames=watched(iter(chosen.frames))), 10**7).data
    assert data.index(b"moov") < data.index(b"mdat")
    assert named == []


@pytest.mark.parametrize("kind", ["yolo", "overlay"])
def test_a_file_that_gets_too_large_is_given_up(kind: FramesFormat) -> None:
    if kind == "overlay":
        pytest.importorskip("av")
    with pytest.raises(ImageTooLargeError):
        frames_file(kind, selection(), 2000)
