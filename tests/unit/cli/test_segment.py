from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.__main__ import main as run
from app.arrays import MaskArray
from app.cli.arguments import box_of, point_of
from app.cli.local import LocalPicture
from app.cli.mask_file import FORMATS, SUFFIXES, format_of
from app.cli.segment import add_arguments, main, options_of
from app.errors import BadCoordError, CorruptImageError, TooManyPointsError, UnknownObjectError
from app.pictures import PictureLimits
from app.protocol.fields import BoxXyxy, ExportFormat
from app.protocol.values import ExportOptions
from app.session.limits import SessionLimits
from tests.helpers.export_readers import unzipped
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png

Points = list[tuple[float, float, int]]
LIMITS = PictureLimits(max_bytes=10**6, max_pixels=10**6)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mask.png", "mask"),
        ("cat.png", "mask"),
        ("cutout.png", "cutout"),
        ("cat.overlay.png", "overlay"),
        ("cat.json", "coco"),
        ("coco.json", "coco"),
        ("labelme.json", "labelme"),
        ("cat-recipe.json", "recipe"),
        ("cat.svg", "svg"),
        ("cat.zip", "yolo"),
        ("cat.masks.png", "mask"),
    ],
)
def test_a_files_name_says_its_format(name: str, kind: str) -> None:
    assert format_of(Path(name), None) == kind


def test_a_format_that_is_named_counts_more_than_the_files_name() -> None:
    assert format_of(Path("cutout.png"), "overlay") == "overlay"


def test_masks_of_several_objects_are_a_zip() -> None:
    assert format_of(Path("cat.masks.zip"), None, objects=2) == "mask"
    for name, objects in (("cat.masks.zip", 1), ("cat.mask.png", 2)):
        with pytest.raises(ValueError, match="expected mask"):
            format_of(Path(name), None, objects)


@pytest.mark.parametrize("name", ["cat.bmp", "cat", "mask.json", "coco.png"])
def test_a_name_that_fits_no_format_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        format_of(Path(name), None)


def test_there_is_a_name_for_every_format() -> None:
    files = ["a.mask.png", "a.coco.json", "a.yolo.zip", "a.labelme.json", "a.svg", "a.cutout.png", "a.overlay.png"]
    assert {format_of(Path(name), None) for name in (*files, "a.recipe.json")} == set(FORMATS)


def test_prompts_are_read_from_the_command_line() -> None:
    assert (point_of("320,200"), point_of("1.5,2,0"), box_of("1,2,3,4")) == ((320, 200, 1), (1.5, 2, 0), (1, 2, 3, 4))


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "1,2,1,1", "a,b", "nan,1", "inf,1"])
def test_a_point_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        point_of(text)


def made(
    engine: FakeEngine, data: bytes, points: Points, box: BoxXyxy | None = None, candidate: int | None = None
) -> MaskArray:
    picture = LocalPicture(engine, data, LIMITS, speck_share=0.001)
    item = picture.prompted(points, box, candidate, SessionLimits(max_points=4))
    return picture.selection([item], "a.png").objects[0].draw()


def test_a_mask_has_the_pictures_size_and_holds_the_point() -> None:
    mask_hw = made(FakeEngine(), png(160, 120), [(80, 60, 1)])
    assert mask_hw.shape == (120, 160)
    assert mask_hw[60, 80]
    assert not mask_hw[0, 0]


def test_the_box_comes_first_and_each_point_goes_on_from_what_was_found() -> None:
    engine = FakeEngine()
    made(engine, png(160, 120), [(80, 60, 1), (5, 5, 0)], (10, 20, 90, 100))
    prompts = [prompt for [prompt] in engine.decoded]
    assert [prompt.box_xyxy for prompt in prompts] == [(10, 20, 90, 100)] * 3
    assert [(prompt.points_xy, prompt.labels) for prompt in prompts] == [
        ((), ()),
        (((80, 60),), (1,)),
        (((80, 60), (5, 5)), (1, 0)),
    ]
    assert [prompt.mask_logits is not None for prompt in prompts] == [False, True, True]
    assert not any(prompt.multimask for prompt in prompts)


def test_another_candidate_can_be_taken() -> None:
    small, large = (made(FakeEngine(), png(160, 120), [(80, 60, 1)], candidate=each) for each in (0, 2))
    assert np.count_nonzero(small) < np.count_nonzero(large)


@pytest.mark.parametrize(
    ("data", "points", "box", "candidate", "error"),
    [
        (png(), [(65, 5, 1)], None, None, BadCoordError),
        (png(), [], (5, 5, 5, 9), None, BadCoordError),
        (png(), [(5, 5, 1)], None, 3, UnknownObjectError),
        (png(), [(5, 5, 1)] * 5, None, None, TooManyPointsError),
        (png()[:-30], [(5, 5, 1)], None, None, CorruptImageError),
    ],
)
def test_what_can_not_be_answered_is_refused(
    data: bytes, points: Points, box: BoxXyxy | None, candidate: int | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        made(FakeEngine(), data, points, box, candidate)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--point", "1,2", "--candidate", "-1"],
        ["--point", "1,2", "--out", "a.bmp"],
        ["--point", "1,2", "--out", "missing/a.png"],
        ["--recipe", "a.json", "--point", "1,2"],
        ["--recipe", "a.json", "--box", "1,2,3,4"],
        ["--recipe", "a.json", "--candidate", "1"],
    ],
    ids=" ".join,
)
def test_a_wrong_use_says_what_was_expected(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert main(parser.parse_args(["cat.jpg", *wrong])) == 2
    assert "expected" in capsys.readouterr().err


def test_what_is_no_recipe_is_refused_before_a_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for file, told in ((tmp_path / "missing.json", "No such file"), (Path(__file__), "recipe")):
        assert main(parser.parse_args(["cat.jpg", "--recipe", str(file)])) == 1
        assert told in capsys.readouterr().err


def test_a_picture_that_is_not_there_is_told_before_a_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loads: list[object] = []
    monkeypatch.setattr("app.cli.segment.loaded", loads.append)
    assert run(["segment", str(tmp_path / "cta.jpg"), "--point", "1,2"]) == 1
    assert "cta.jpg" in capsys.readouterr().err
    assert loads == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name on disk is text")
@pytest.mark.parametrize("kind", ["coco", "labelme", "yolo", "recipe"])
def test_a_picture_and_a_file_may_have_names_that_are_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    monkeypatch.setattr("app.cli.segment.loaded", lambda _: FakeEngine())
    photo = tmp_path / os.fsdecode(b"caf\xe9 \xe2\x80\xafPM.png")
    photo.write_bytes(png(160, 120))
    out = photo.with_suffix(".zip" if kind == "yolo" else ".json")
    assert run(["segment", str(photo), "--point", "80,60", "--format", kind, "--out", str(out)]) == 0
    assert "caf\\udce9 \u202fPM" in capsys.readouterr().out
    if kind == "yolo":
        assert "labels/train/caf \u202fPM.txt" in unzipped(out.read_bytes())
    else:
        assert "caf \u202fPM.png" in names_in(json.loads(out.read_bytes()))


def names_in(content: dict[str, Any]) -> set[str | None]:
    return {content.get("name"), content.get("imagePath"), content.get("images", [{}])[0].get("file_name")}


def test_each_format_has_its_ending() -> None:
    assert set(FORMATS) == set(SUFFIXES)


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (["--trim"], "mask", "mask takes no trim"),
        (["--tolerance", "2"], "cutout", "cutout takes no tolerance"),
        (["--tolerance", "-1"], "coco", "--tolerance: .* >= 0"),
    ],
)
def test_an_option_that_cannot_be_is_wrong_use(given: list[str], kind: ExportFormat, said: str) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(ValueError, match=said):
        options_of(parser.parse_args(["cat.jpg", *given]), kind)
    assert options_of(parser.parse_args(["cat.jpg"]), kind) == ExportOptions()


def test_a_colour_is_asked_for_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["cat.jpg", "--ground", "red"])
    assert "expected a colour as '#RRGGBB', such as '#ffffff' for white, got 'red'" in capsys.readouterr().err


def test_a_folder_of_pictures_is_told_how_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert main(parser.parse_args([str(tmp_path), "--everything", "--out", "all.zip"])) == 2
    assert f"expected pictures, such as {tmp_path}/*.jpg, got a folder" in capsys.readouterr().err


def test_the_labels_of_several_pictures_become_one_file_whose_classes_keep_their_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.cli.segment.loaded", lambda _: FakeEngine())
    monkeypatch.chdir(tmp_path)
    shapes = {"a": ["cat", "dog"], "b": ["dog"]}
    for place, name in enumerate(shapes):
        Path(f"{name}.png").write_bytes(png(60, 40 + place))
    images = [{"id": place, "file_name": f"{name}.png"} for place, name in enumerate(shapes)]
    listed = [(0, 2, "cat"), (0, 1, "dog"), (1, 1, "dog")]
    annotations = [
        {
            "id": place,
            "image_id": image,
            "category_id": category,
            "segmentation": [[5, 5, 25, 5, 25, 25 + place, 5, 25]],
        }
        for place, (image, category, _) in enumerate(listed)
    ]
    categories = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    Path("labels.json").write_text(json.dumps(content), encoding="utf-8")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert main(parser.parse_args(["a.png", "b.png", "--labels", "labels.json", "--out", "all.coco.json"])) == 0
    whole = json.loads(Path("all.coco.json").read_text(encoding="utf-8"))
    files = {image["id"]: image["file_name"] for image in whole["images"]}
    names = {category["id"]: category["name"] for category in whole["categories"]}
    found = [(files[each["image_id"]], names[each["category_id"]]) for each in whole["annotations"]]
    assert found == [("a.png", "cat"), ("a.png", "dog"), ("b.png", "dog")]
    assert main(parser.parse_args(["a.png", "b.png", "--labels", "labels.json", "--out", "all.yolo.zip"])) == 0
    assert sorted(unzipped(Path("all.yolo.zip").read_bytes())) == [
        "data.yaml",
        "labels/train/a.txt",
        "labels/train/b.txt",
    ]
    assert main(parser.parse_args(["a.png", "b.png", "--point", "3,3", "--out", "all.coco.json"])) == 2
