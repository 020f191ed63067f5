"""Finished by hand: brush and eraser, shapes, two objects made one, labels that come in again; one walk."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.helpers.studio import BACKGROUND, DISC_A, DISC_B, OpenStudio, Point, Studio, discs

pytestmark = pytest.mark.browser


def drag(studio: Studio, start: Point, end: Point) -> None:
    studio.page.mouse.move(*studio.at(start))
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at(end), steps=6)
    studio.page.mouse.up()


def three_made_one(studio: Studio) -> int:
    """Add two objects and make all one: those that are chosen on the picture and in the list, in one step."""
    studio.page.keyboard.press("n")
    studio.deselect()
    studio.add_object(DISC_B)
    both = sum(studio.areas())
    studio.add_on_top(DISC_B)
    studio.page.keyboard.press("m")
    studio.page.mouse.click(*studio.at((110, 150)))
    studio.page.locator(".object-choose").nth(1).click(modifiers=["Shift"])
    expect(studio.page.locator(".object.gathered")).to_have_count(2)
    studio.page.locator("#combining-make").click()
    studio.until(f"s.objects.length === 1 && s.objects[0].area === {both}")
    studio.page.locator("#toast-undo").click()
    studio.until("s.objects.length === 3")
    studio.page.keyboard.press("Control+Shift+z")
    studio.until("s.objects.length === 1")
    return both


def test_a_person_paints_reshapes_merges_and_brings_labels_in(open_studio: OpenStudio, tmp_path: Path) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    [before] = studio.areas()

    # The brush: its size by the wheel, not the zoom; painted pixels stay under an eraser elsewhere and an undo of that.
    studio.page.keyboard.press("b")
    studio.page.keyboard.press("s")
    studio.hover(BACKGROUND)
    zoom, size = (
        studio.page.locator("#zoom").inner_text(),
        int(studio.page.locator("#brush-size").inner_text().split()[0]),
    )
    studio.page.mouse.wheel(0, -200)
    studio.page.wait_for_function(
        "size => parseInt(document.getElementById('brush-size').textContent) > size", arg=size
    )
    expect(studio.page.locator("#zoom")).to_have_text(zoom)
    drag(studio, BACKGROUND, (420, 40))
    studio.until(f"s.objects[0].area > {before + 500}")
    painted = studio.areas()[0]
    studio.page.keyboard.press("e")
    drag(studio, DISC_A, (200, 150))
    studio.until(f"s.objects[0].area < {painted - 300}")
    assert studio.state()["objects"][0]["points"] == [[pytest.approx(160, abs=1), pytest.approx(150, abs=1), 1]]

    # Shapes, each with its own undo.
    erased = studio.areas()[0]
    studio.page.locator('button[popovertarget="shape-menu"]:visible').click()
    studio.page.get_by_role("button", name="Grow").click()
    studio.until(f"s.objects[0].area > {erased}")
    studio.page.keyboard.press("Control+z")
    studio.until(f"s.objects[0].area === {erased}")

    both = three_made_one(studio)

    # Out as COCO and in again to the pixel; what doesn't fit of another file is named.
    studio.page.locator("#save").click()
    with studio.page.expect_download() as download:
        studio.page.locator('#save-menu [data-format="coco"]').click()
    download.value.save_as(tmp_path / "discs.coco.json")
    studio.page.locator("#clear").click()
    studio.until("s.objects.length === 0")
    studio.page.locator("#labels-file").set_input_files(tmp_path / "discs.coco.json")
    studio.until(f"s.objects.length === 1 && s.objects[0].area === {both}")
    (tmp_path / "discs.txt").write_text("0 .1 .1 .3 .1 .3 .4\nnothing\n")
    studio.page.locator("#labels-file").set_input_files(tmp_path / "discs.txt")
    studio.until("s.objects.length === 2 && s.notice !== null")
    assert "line 2" in studio.state()["notice"]
    studio.page.keyboard.press("Escape")
    areas = studio.areas()
    studio.page.reload()
    studio.until("s.objects.length === 2 && !s.restoring && s.connection === 'ready'")
    assert studio.areas() == areas
