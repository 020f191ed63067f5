"""Label files of other programs, read for one picture: to the pixel, and what doesn't fit by its place and reason."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import tracemalloc
import zipfile
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil
from PIL import ImageDraw

from app.arrays import MaskArray
from app.errors import BadMessageError
from app.exports.make import make_file
from app.exports.selection import ExportObject, Selection
from app.imports.read import read_labels
from app.protocol.counts import counts_of, mask_of
from app.protocol.fields import ExportFormat
from app.protocol.labels import Labels
from app.protocol.messages import Given
from app.protocol.recipe import BoxStep, MaskStep, PointStep
from app.session.classes import ClassList
from app.session.limits import SessionLimits
from app.session.objects import SessionObject
from app.session.values import OpenImage
from tests.helpers.thorough import examples

IMAGE = OpenImage("0123456789abcdef", 40, 30)
NAMES = ("cat", "Käfer 🐞")
ROUND = {"coco": "a.json", "labelme": "a.json", "yolo": "a.zip", "mask": "a.zip", "recipe": "a.json"}


def read(data: bytes | str | dict[str, Any], name: str, **more: Any) -> Labels:
    text = json.dumps(data) if isinstance(data, dict) else data
    raw = text.encode() if isinstance(text, str) else text
    return read_labels(raw, name, more.pop("image", IMAGE), picture_name="cat.jpg", **more)


def masks_of(labels: Labels) -> list[MaskArray]:
    steps = [made.trail[0] for made in labels.objects]
    assert all(isinstance(step, MaskStep) for step in steps)
    return [mask_of(step.counts, step.size) for step in steps if isinstance(step, MaskStep)]


def exported(masks: list[MaskArray], kind: ExportFormat) -> bytes:
    height, width = masks[0].shape
    image = OpenImage(IMAGE.image_id, width, height)
    items = [
        SessionObject(number, NAMES[number % 2], 0, (MaskStep(size=(height, width), counts=counts_of(mask_hw)),))
        for number, mask_hw in enumerate(masks, 1)
    ]
    objects = tuple(ExportObject(item, 1.0, lambda m=mask_hw: m) for item, mask_hw in zip(items, masks, strict=True))  # type: ignore[misc]
    classes = ClassList().replaced(NAMES)
    selection = Selection(image, "cat.jpg", "nano", objects, lambda: np.zeros((1, 1, 3), np.uint8), classes)
    return make_file(kind, selection, 2**26).data


@st.composite
def blobs(draw: st.DrawFn) -> MaskArray:
    """Return masks with holes, far parts, and parts that touch by corners."""
    height, width, cell = draw(st.integers(2, 9)), draw(st.integers(2, 9)), draw(st.integers(1, 4))
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width).filter(any))
    coarse = np.array(bits).reshape(height, width)
    return np.kron(coarse, np.ones((cell, cell), np.bool_)).astype(np.bool_)


@given(blobs(), st.sampled_from(sorted(ROUND)))
@settings(max_examples=examples(120, 5000))
def test_what_was_given_comes_out_and_in_again_to_the_pixel(mask_hw: MaskArray, kind: str) -> None:
    other = mask_hw[::-1, ::-1].copy()
    data = exported([mask_hw, other], cast("ExportFormat", kind))
    labels = read(data, ROUND[kind], image=OpenImage(IMAGE.image_id, mask_hw.shape[1], mask_hw.shape[0]))
    assert labels.problems == ()
    assert {made.name for made in labels.objects} == set(NAMES)
    for name, wanted in zip(NAMES[::-1], (mask_hw, other), strict=True):
        [found] = [mask for made, mask in zip(labels.objects, masks_of(labels), strict=True) if made.name == name]
        assert np.array_equal(found, wanted)


def test_a_line_whose_parts_ultralytics_converter_has_joined_is_one_object() -> None:
    # Each part is met at a corner and left there again; the middle one is gone round in two walks.
    first = [(8, 2), (8, 8), (2, 8), (2, 2), (8, 2)]
    out, back = [(20, 2), (26, 2), (26, 8)], [(26, 8), (20, 8), (20, 2)]
    last = [(33, 20), (38, 20), (38, 26), (33, 26), (33, 20)]
    shares = " ".join(f"{x / 40:g} {y / 30:g}" for x, y in (*first, *out, *last, *back))
    [found] = masks_of(read(f"0 {shares}\n", "cat.txt"))
    wanted = np.zeros((30, 40), np.bool_)
    wanted[2:9, 2:9] = wanted[2:9, 20:27] = wanted[20:27, 33:39] = True
    assert np.array_equal(found, wanted)


def coco(*annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    images = [{"id": 7, "file_name": "photos/cat.jpg", "width": 40, "height": 30}, {"id": 8, "file_name": "dog.jpg"}]
    return {"images": images, "annotations": [*annotations], "categories": [{"id": 3, "name": "cat"}], **more}


SQUARE = [[10, 5, 20, 5, 20, 15, 10, 15]]


def test_a_data_set_of_several_pictures_gives_those_of_this_one() -> None:
    labels = read(
        coco(
            {"image_id": 8, "category_id": 3, "segmentation": SQUARE},
            {"image_id": 7, "category_id": 3, "segmentation": SQUARE},
            {"image_id": 7, "category_id": 3, "segmentation": {"size": [30, 40], "counts": [0, 30, 1170]}},
            {"image_id": 7, "category_id": 3, "bbox": [1, 2, 5, 6]},
            {"image_id": 7, "category_id": 9, "segmentation": SQUARE},
            {"image_id": 7, "category_id": 3, "segmentation": [[1, 2, 3]]},
            {"image_id": 7, "category_id": 3, "segmentation": {"size": [3, 4], "counts": [12]}},
            {"image_id": 7, "category_id": 3, "segmentation": [[1, 2, 3, "x"]]},
            {"image_id": 7, "category_id": 3, "segmentation": [[90, 90, 99, 90, 99, 99]]},
            {"image_id": 7, "category_id": 3},
        ),
        "a.json",
    )
    assert [made.name for made in labels.objects] == ["cat", "cat", "cat", ""]
    assert labels.objects[2].trail == (BoxStep(box=(1, 2, 6, 8)),)
    square = mask_of(cast("MaskStep", labels.objects[0].trail[0]).counts, (30, 40))
    assert (square.sum(), square[5, 10], square[14, 19]) == (100, True, True)
    assert [problem.where for problem in labels.problems] == [f"annotation {number}" for number in range(5, 11)]
    assert labels.left_out == 5


def test_ten_thousand_polygons_are_bounded_and_said() -> None:
    labels = read(coco(*[{"image_id": 7, "category_id": 3, "segmentation": SQUARE}] * 10_000), "a.json")
    assert len(labels.objects) == SessionLimits().max_objects
    [problem] = labels.problems
    assert "room for 64 objects" in problem.why
    assert "9936 more" in problem.why


def labelme(*shapes: dict[str, Any], width: int = 40) -> dict[str, Any]:
    return {"shapes": [*shapes], "imageWidth": width, "imageHeight": 30, "imagePath": "cat.jpg"}


def test_shapes_of_labelme_are_objects_by_their_groups_and_a_line_is_told() -> None:
    labels = read(
        labelme(
            {"label": "cat", "points": [[1, 1], [9, 1], [9, 9]], "group_id": 2, "shape_type": "polygon"},
            {"label": "cat", "points": [[20, 20], [25, 25]], "group_id": 2, "shape_type": "rectangle"},
            {"label": "dog", "points": [[15, 15], [18, 15]], "shape_type": "circle"},
            {"label": "dog", "points": [[15, 15], [18, 15]], "shape_type": "line"},
            {"label": "dog", "points": [[15, 15]]},
            {"label": 3, "points": []},
        ),
        "a.json",
    )
    assert [made.name for made in labels.objects] == ["cat", "dog"]
    assert labels.classes == ("cat", "dog")
    both, disc = masks_of(labels)
    assert (both[1, 1], both[25, 25], both[22, 22], both[9, 1]) == (True, True, True, False)
    assert disc.sum() == pytest.approx(np.pi * 9, abs=4)
    assert [problem.where for problem in labels.problems] == ["shape 6", "shape 4", "shape 5"]


def test_boxes_that_stand_askew_are_polygons_and_what_leaves_the_picture_is_cut_off() -> None:
    corners = [[10, 2], [18, 10], [10, 18], [2, 10]]
    box = base64.b64encode(png(np.full((6, 8), 255, np.uint8))).decode()
    labels = read(
        labelme(
            {"label": "a", "points": corners, "shape_type": "oriented_rectangle"},
            {"label": "b", "points": corners, "shape_type": "rotation", "direction": 0.78},
            {"label": "c", "points": [[-3, 27], [4, 32]], "shape_type": "mask", "mask": box},
            {"label": "d", "points": [[90, 27], [97, 32]], "shape_type": "mask", "mask": box},
            {"label": "e", "points": [[-1e300, 27], [97, 1e300]], "shape_type": "mask", "mask": box},
        ),
        "a.json",
    )
    first, second, third = masks_of(labels)
    assert np.array_equal(first, second)
    assert (first.sum(), first[10, 2], first[3, 3]) == (pytest.approx(145, abs=3), True, False)
    assert third[27:, :5].all()
    assert third.sum() == 15
    assert [problem.where for problem in labels.problems] == ["shape 4", "shape 5"]


def test_a_ring_that_encloses_nothing_costs_no_object() -> None:
    labels = read(coco({"image_id": 7, "category_id": 3, "segmentation": [SQUARE[0], [1, 2, 3, 4]]}), "a.json")
    assert (len(labels.objects), labels.problems) == (1, ())


def test_text_of_sixteen_bits_is_text() -> None:
    wide = "0 .25 .2 .5 .2 .5 .5\r\n".encode("utf-16")
    assert len(read(wide, "cat.txt").objects) == 1
    assert len(read(json.dumps(coco()).encode("utf-16"), "a.json").objects) == 0


def test_lines_of_yolo_are_polygons_and_boxes_by_the_numbers_of_the_session() -> None:
    text = "1 .25 .2 .5 .2 .5 .5\n0 0.5 0.5 0.5 0.5\n\n7 .1 .1 .2 .1 .2 .2\n0 1 2\ncat .1\n0 0.5 0.5 0 0\n"
    labels = read(text, "cat.txt", names=NAMES)
    assert [made.name for made in labels.objects] == ["Käfer 🐞", "cat", ""]
    assert labels.objects[1].trail == (BoxStep(box=(10, 7.5, 30, 22.5)),)
    assert [problem.where for problem in labels.problems] == ["line 4", "line 5", "line 6", "line 7"]
    unnamed = read("2 .25 .2 .5 .2 .5 .5\n", "cat.txt")
    assert (unnamed.classes, unnamed.objects[0].name) == (("class 0", "class 1", "class 2"), "class 2")


def png(pixels: np.ndarray[Any, Any], mode: str | None = None) -> bytes:
    out = io.BytesIO()
    picture = Pil.fromarray(pixels)
    if mode == "P":
        picture = picture.convert("P")
    picture.save(out, "PNG")
    return out.getvalue()


def test_a_mask_is_one_object_and_numbers_are_an_object_each() -> None:
    grey = np.zeros((30, 40), np.uint8)
    grey[3:9, 4:8] = 255
    assert [int(mask.sum()) for mask in masks_of(read(png(grey), "m.png"))] == [24]
    grey[20:22] = 7
    grey[grey == 255] = 5
    assert [int(mask.sum()) for mask in masks_of(read(png(grey), "m.png"))] == [24, 80]
    rgba = np.zeros((30, 40, 4), np.uint8)
    rgba[:3, :3, 3] = 255
    assert [int(mask.sum()) for mask in masks_of(read(png(rgba), "cutout.png"))] == [9]


def palette(numbers: np.ndarray[Any, Any], *colors: tuple[int, int, int]) -> Pil.Image:
    """Return a picture of indices into some colours."""
    picture = Pil.fromarray(numbers.astype(np.uint8)).convert("P")
    picture.putpalette([part for color in colors for part in color])
    return picture


def saved(picture: Pil.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def test_a_palettes_ground_is_black_or_clear_wherever_it_stands() -> None:
    numbers = np.ones((30, 40), np.uint8)
    numbers[3:9, 4:8] = 0
    black, white, red = (0, 0, 0), (255, 255, 255), (255, 0, 0)
    for data in (
        saved(palette(numbers, white, black)),
        saved(palette(numbers, red, black), "GIF"),
        saved(palette(numbers, red, white), transparency=1),
        saved(palette(1 - numbers, black, red)),
        saved(palette(1 - numbers, red, white)),  # nothing tells: 0 it is
    ):
        assert [int(mask.sum()) for mask in masks_of(read(data, "m.png"))] == [24]


def test_flat_colours_are_an_object_each_and_the_shades_of_an_edge_are_none() -> None:
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[3:9, 4:8] = (128, 0, 0)  # as Pascal VOC has its first classes
    pixels[20:22] = (0, 128, 0)
    pixels[25:28, 30:33] = (255, 200, 250)
    labels = read(png(pixels), "m.png")
    assert sorted(int(mask.sum()) for mask in masks_of(labels)) == [9, 24, 80]
    smooth = Pil.new("RGB", (160, 120))
    ImageDraw.Draw(smooth).ellipse((20, 30, 110, 90), fill=(220, 30, 10))
    [mask] = masks_of(read(saved(smooth.resize((40, 30), Pil.Resampling.LANCZOS)), "m.png"))
    assert mask.sum() >= np.pi * 45 * 30 / 16


@pytest.mark.parametrize("kind", ["numbers of 16 bits", "a photo with a palette"])
def test_a_picture_of_very_many_numbers_is_bounded_and_said(kind: str) -> None:
    if kind == "numbers of 16 bits":
        picture = Pil.fromarray(np.arange(400 * 300, dtype=np.uint32).astype(np.uint16).reshape(300, 400))
        count = 65535
    else:
        numbers = np.arange(400 * 300, dtype=np.uint32).reshape(300, 400) % 256
        picture, count = palette(numbers, *[(at, 9, 9) for at in range(256)]), 255
    tracemalloc.start()
    labels = read(saved(picture, compress_level=1), "m.png", image=OpenImage(IMAGE.image_id, 400, 300))
    assert tracemalloc.get_traced_memory()[1] < 8e6  # each of them takes 120 kB
    tracemalloc.stop()
    taken = len(labels.objects)
    assert taken + labels.left_out == count


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"\x00\xff\x12", "a.bin", "expected COCO, LabelMe"),
        ("{}", "a.json", "neither annotations, shapes nor a format"),
        ("[" * 100_000, "a.json", "can't be read"),
        ('{"annotations": 3, "images": []}', "a.json", "COCO JSON with images and annotations"),
        ('{"shapes": 3}', "a.json", "LabelMe JSON with shapes"),
        ('{"format": "x"}', "a.json", "recipe"),
        (json.dumps(labelme(width=41)), "a.json", "41 x 30 pixels, this one has 40 x 30"),
        (
            json.dumps(coco(images=[{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b"}])),
            "a.json",
            "'cat.jpg'",
        ),
        (json.dumps(coco(images=[{"id": 7, "file_name": "cat.jpg", "width": 8, "height": 8}])), "a.json", "8 x 8"),
        (png(np.zeros((3, 4), np.uint8)), "m.png", "40 x 30 pixels, got 4 x 3"),
        (b"\x89PNG\r\n\x1a\nxxxx", "m.png", "can't be read"),
        (b"PK\x03\x04xxxx", "a.zip", "ZIP can't be read"),
        (zipped(**{"readme.md": "x"}), "a.zip", "neither labels nor masks"),
        (zipped(**{"labels__a.txt": "", "labels__b.txt": ""}), "a.zip", "labels named cat.txt"),
    ],
)
def test_a_file_that_is_none_or_of_another_picture_is_refused_with_the_reason(
    data: bytes | str, name: str, told: str
) -> None:
    with pytest.raises(BadMessageError, match=told):
        read(data, name)


def test_a_recipe_comes_in_with_its_trails_and_another_pictures_does_not() -> None:
    recipe = {
        "format": "hoversam-recipe",
        "version": 1,
        "image_id": IMAGE.image_id,
        "width": 40,
        "height": 30,
        "model": "tiny",
        "classes": [{"name": "cat", "color": 3}],
        "objects": [
            {"id": 1, "name": "cat", "color": 3, "trail": [{"t": "point", "x": 3, "y": 4}]},
            {"id": 2, "name": "Object 2", "color": 1, "trail": []},
        ],
    }
    labels = read(recipe, "a.json")
    assert labels.objects == (Given(trail=(PointStep(x=3, y=4),), name="cat"),)
    assert [problem.where for problem in labels.problems] == ["object 2"]
    with pytest.raises(BadMessageError, match="another"):
        read({**recipe, "width": 41}, "a.json")


@given(st.binary(max_size=200), st.sampled_from(["a.json", "a.txt", "a.png", "a.zip", "a"]))
@settings(max_examples=examples(100, 5000))
def test_any_bytes_are_labels_or_refused(data: bytes, name: str) -> None:
    with contextlib.suppress(BadMessageError):
        read(data, name)
