"""Taking the work away: every format, one object or all, by menu and by keys."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Download, expect

from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, Studio, discs

pytestmark = pytest.mark.browser


STRANGE = "Screenshot  1.23.45\u202fPM [1], Cafe\u0301 100% \u0939\u093f\u0928\u094d\u0926\u0940 \U0001f41e"
"""A stem with many kinds of spaces, letters and signs; a joiner is what Chromium would save as something else."""


def with_two_objects(open_studio: OpenStudio, name: str = "discs.png") -> Studio:
    studio = open_studio(permissions=["clipboard-read", "clipboard-write"])
    studio.open({**discs(), "name": name})
    studio.add_object(DISC_A)
    studio.add_object(DISC_B)
    studio.deselect()
    return studio


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def names_in(download: Download) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content(download))).namelist()


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def save(studio: Studio, scope: str, kind: str) -> Download:
    """Take a file out of the menu."""
    studio.page.locator("#save").click()
    studio.page.get_by_role("radio", name=scope).check()
    with studio.page.expect_download() as download:
        studio.page.locator(f'#save-menu [data-format="{kind}"]').click()
    return download.value


def test_cutout_of_one_object_has_the_masks_alpha_and_is_copied_as_it_is_saved(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    studio.page.locator(".object-choose").first.click()
    studio.until("s.active !== null")
    mask = np.asarray(picture(content(save(studio, "Object 1", "mask"))))
    assert mask.shape == (400, 640)
    assert np.count_nonzero(mask) == studio.areas()[0]

    studio.page.locator("#canvas").focus()
    with studio.page.expect_download() as download:
        studio.press("Control+s")
    cutout = picture(content(download.value))
    assert download.value.suggested_filename == "discs.cutout.png"
    x0, y0 = np.argwhere(mask).min(axis=0)[::-1]
    alpha = np.asarray(cutout.getchannel("A"))
    inside = mask if alpha.shape == mask.shape else mask[y0 : y0 + alpha.shape[0], x0 : x0 + alpha.shape[1]]
    assert (alpha == inside).all()

    studio.press("Control+c")
    studio.page.wait_for_function("() => hoversam.state().said.includes('copied')")
    size = studio.page.evaluate("""async () => {
      const [item] = await navigator.clipboard.read();
      const bitmap = await createImageBitmap(await item.getType("image/png"));
      return [bitmap.width, bitmap.height];
    }""")
    assert tuple(size) == cutout.size
    expect(studio.page.locator("#notice")).to_be_hidden()


def test_cutout_is_shown_as_it_will_be_and_outlines_tell_what_they_cost(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    page = studio.page
    preview = page.locator("#cutout-preview")

    def corner() -> list[int]:
        shown: list[int] = preview.evaluate(
            """e => {
              const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
              copy.drawImage(e, 2 - e.width / 2, -e.height / 2);
              return [...copy.getImageData(0, 0, 1, 1).data];
            }"""
        )
        return shown

    page.locator("#save").click()
    page.get_by_role("radio", name="All 2").check()
    expect(page.locator("#cutout-size")).to_have_text(re.compile("640 . 400"))
    assert corner() in ([255, 255, 255, 255], [211, 215, 222, 255])  # squares between the discs
    page.locator("#cutout-trim").check()
    page.locator("#cutout-ground").check()
    page.locator("#cutout-color").evaluate(
        """e => { e.value = "#00ff40"; e.dispatchEvent(new Event("input", { bubbles: true })); }"""
    )
    assert corner() == [0, 255, 64, 255]
    told = page.locator("#cutout-size").text_content()
    with page.expect_download() as download:
        page.locator('#save-menu [data-format="cutout"]').click()
    cut = picture(content(download.value))
    assert (re.findall(r"\d+", told or ""), cut.mode) == ([str(cut.width), str(cut.height)], "RGB")

    page.locator("#save").click()
    points = []
    for step in (1, 8):
        page.locator("#tolerance").evaluate(
            "(e, step) => { e.value = step; e.dispatchEvent(new Event('input', { bubbles: true })); }", step
        )
        expect(page.locator("#tolerance-text")).to_have_text("exact" if step == 1 else "up to 12 px off")
        expect(page.locator("#outline-count")).to_contain_text(" 0 pixels differ" if step == 1 else "%")
        page.wait_for_function(
            "step => (step === 1) === document.getElementById('outline-count').textContent.includes(' 0 pixels')",
            arg=step,
        )
        points.append(int((page.locator("#outline-count").text_content() or "").split()[0].replace(",", "")))
    assert points[0] > 5 * points[1]
    with page.expect_download() as labels:
        page.locator('#save-menu [data-format="coco"]').click()
    things = json.loads(content(labels.value))["annotations"]
    assert sum(len(ring) // 2 for thing in things for ring in thing["polygons"]) == points[1]


def test_every_format_of_all_objects_under_the_pictures_own_name(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio, f"{STRANGE}.png")
    assert picture(content(save(studio, "All 2", "overlay"))).size == (640, 400)
    assert picture(content(save(studio, "All 2", "cutout"))).mode == "RGBA"
    coco = json.loads(content(save(studio, "All 2", "coco")))
    assert (len(coco["annotations"]), coco["images"][0]["file_name"]) == (2, f"{STRANGE}.png")
    labelme = save(studio, "All 2", "labelme")
    assert labelme.suggested_filename == f"{STRANGE}.json"
    assert json.loads(content(labelme))["imagePath"] == f"{STRANGE}.png"
    assert len(json.loads(content(labelme))["shapes"]) >= 2
    assert b"<svg" in content(save(studio, "All 2", "svg"))
    assert json.loads(content(save(studio, "All 2", "recipe")))
    assert len(names_in(save(studio, "All 2", "mask"))) >= 2
    assert names_in(save(studio, "All 2", "yolo")) == ["data.yaml", f"labels/train/{STRANGE}.txt"]


def test_all_that_is_shown_is_offered_first_and_what_is_hidden_is_named(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    page = studio.page
    page.locator(".object-choose").first.click()
    studio.until("s.active === s.objects[0].id")
    page.locator("#save").click()
    expect(page.get_by_role("radio", name="All 2")).to_be_checked()  # though one is selected
    expect(page.locator("#save-left")).to_be_hidden()
    studio.press("Escape")

    page.get_by_role("button", name="Hide Object 1").click()
    page.locator("#save").click()
    expect(page.get_by_role("radio", name="1 shown")).to_be_checked()
    expect(page.locator("#save-left")).to_have_text("Hidden and left out: Object 1.")
    page.get_by_role("radio", name="All 2").check()
    expect(page.locator("#save-left")).to_be_hidden()
    studio.press("Escape")

    assert len(json.loads(content(save(studio, "1 shown", "coco")))["annotations"]) == 1
    expect(page.locator("#toast")).to_contain_text("saved: Object 2. Hidden and left out: Object 1.")
    assert len(json.loads(content(save(studio, "All 2", "coco")))["annotations"]) == 2
    studio.deselect()
    studio.press("Control+c")
    expect(page.locator("#toast-text")).to_have_text("Cutout of Object 2 copied. Hidden and left out: Object 1.")


def test_keyboard_alone_makes_and_exports_an_object(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.page.locator("#canvas").focus()
    studio.press("ArrowDown")
    studio.press("Enter")
    studio.until("s.objects.length === 1")
    studio.page.locator("#save").focus()
    studio.press("Enter")
    expect(studio.page.locator("#save-menu")).to_be_visible()
    studio.page.locator('[data-format="coco"]').focus()
    with studio.page.expect_download() as download:
        studio.press("Enter")
    assert len(json.loads(content(download.value))["annotations"]) == 1
    expect(studio.page.locator("#live")).to_contain_text("saved")
    expect(studio.page.locator("#toast")).to_contain_text("saved: Object 1.")
    assert studio.page.evaluate("document.activeElement.id") == "save"


def test_nothing_to_take_away_is_said_and_selected_text_is_left_to_the_browser(open_studio: OpenStudio) -> None:
    studio = open_studio(permissions=["clipboard-read", "clipboard-write"])
    studio.open(discs())
    studio.press("Control+s")
    expect(studio.page.locator("#notice-text")).to_contain_text("nothing to save")
    studio.page.evaluate("getSelection().selectAllChildren(document.getElementById('file-name'))")
    studio.press("Control+c")
    assert studio.page.evaluate("navigator.clipboard.readText()") == "discs.png"
