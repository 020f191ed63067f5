"""A clip: opened, gone through frame by frame, its objects followed and corrected, and come back to."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from tests.helpers.clip_files import SQUARE, animation, turned, video
from tests.helpers.export_readers import coco_decoded
from tests.helpers.studio import OpenStudio, Studio

pytestmark = pytest.mark.browser

TIMES_MS = [(index * 40) + 60 * (index // 5) for index in range(24)]
"""A variable frame rate: every fifth frame stays longer."""
ORANGE, GREY = (240, 140, 20), (90, 90, 90)


def square(index: int) -> tuple[float, float]:
    """Return the middle of the square of a frame, image pixels."""
    return 8 + 4 * index + SQUARE / 2, 40 + SQUARE / 2


def drop(studio: Studio, data: bytes, name: str) -> None:
    """Drop a file on the page."""
    transfer = studio.page.evaluate_handle(
        """([text, name]) => {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type: "video/mp4" }));
          return transfer;
        }""",
        [base64.b64encode(data).decode(), name],
    )
    studio.page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def is_near(pixel: tuple[int, ...], color: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(pixel, color, strict=False)) < 40


def go_to(studio: Studio, frame: int) -> None:
    """Go there by keys, and wait until the server has it, too."""
    studio.page.evaluate("document.getElementById('canvas').focus()")
    steps = frame - studio.state()["clip"]["shown"]
    for _ in range(abs(steps)):
        studio.press("v" if steps > 0 else "z")
    studio.until(f"s.clip.shown === {frame} && s.clip.ready === {frame}")


def follow(studio: Studio, count: int) -> None:
    """Have everything followed both ways by the key, and wait until it is on so many frames."""
    studio.press("w")
    studio.until(f"s.clip.tracking === null && Object.keys(s.clip.areas).length === {count}")


def test_object_is_clicked_followed_and_corrected_on_the_frames_that_are_shown(open_studio: OpenStudio) -> None:
    studio = open_studio()
    drop(studio, video(times_ms=TIMES_MS), "walk.mp4")
    studio.until("s.clip?.ready === 0 && s.pending === null")
    times = studio.state()["clip"]["times"]
    assert [round(1000 * time) for time in times] == TIMES_MS
    expect(studio.page.locator("#clip-frame")).to_have_text("1 of 24")

    # The frame that is shown is the frame that is prompted, to the pixel.
    go_to(studio, 10)
    assert studio.sent[-1]["t"] != "hover"
    assert [message["index"] for message in studio.sent if message["t"] == "frame"][-1] == 10
    left, middle = 8 + 4 * 10, square(10)
    assert is_near(studio.pixel(middle), ORANGE)
    assert is_near(studio.pixel((left + 3, middle[1])), ORANGE)
    assert is_near(studio.pixel((left - 3, middle[1])), GREY)
    studio.hover(middle)
    studio.until("s.preview !== null")
    studio.add_object(middle)

    # Both ways by the button; masks come frame by frame, and are there while it plays.
    studio.page.locator("#clip-track").click()
    studio.until("s.clip.tracking === null && Object.keys(s.clip.areas).length === 24")
    go_to(studio, 12)
    studio.until("s.objects[0].area > 0 && s.objects[0].points.length === 0")
    expect(studio.page.locator(".object-facts")).to_contain_text("tracked")
    studio.press("p")
    studio.until("s.clip.playing && s.clip.shown > 14 && s.objects[0].area > 0")
    studio.press(" ")
    studio.until("!s.clip.playing")

    # Corrected on another frame, and followed again from there; undo shows what it takes back.
    go_to(studio, 20)
    before = studio.state()["objects"][0]["area"]
    studio.shift_click((square(20)[0] + 30, square(20)[1]))
    studio.until(f"s.objects[0].points.length === 1 && s.objects[0].area !== {before}")
    follow(studio, 24)
    areas = studio.state()["clip"]["areas"]
    assert areas["21"]["1"] != before
    go_to(studio, 3)
    studio.press("Control+z")
    studio.until("s.clip.shown === 20 && s.objects[0].points.length === 1")
    studio.press("Control+z")
    studio.until(f"s.objects[0].points.length === 0 && s.objects[0].area === {before}")
    studio.press("Control+Shift+z")
    studio.press("Control+Shift+z")
    studio.until(f"!s.canRedo && s.clip.areas[21]?.[1] === {areas['21']['1']}")

    # Saved over all frames, in the clip's own pixels, as other programs read it.
    studio.page.locator("#save").click()
    with studio.page.expect_download() as download:
        studio.page.locator('#save-menu [data-format="coco"]').click()
    saved = json.loads(Path(download.value.path()).read_bytes())
    assert (len(saved["images"]), len(saved["annotations"])) == (24, 24)
    assert coco_decoded(saved["annotations"][0]["segmentation"]).shape == (120, 160)

    # What was done is there when the page is loaded again, on the frame that was shown.
    studio.page.reload()
    studio.until("s.clip?.ready === 20 && !s.restoring && Object.keys(s.clip.areas).length === 24")
    studio.until("s.objects.length === 1 && s.objects[0].points.length === 1")


def focused(studio: Studio) -> str:
    """Return what has the focus, which is to be seen and has a name; "body" for nothing, as after the last of all."""
    found = studio.page.evaluate(
        """() => {
          const one = document.activeElement;
          if (one === document.body) return ["body", "", true];
          const name = one.ariaLabel || one.labels?.[0]?.textContent || one.textContent;
          const seen = one.matches(":focus-visible") && getComputedStyle(one).outlineStyle !== "none";
          return [one.id, one.dataset.format ?? "", name.trim() !== "" && (seen || one.type === "radio")];
        }"""
    )
    assert found[2], found
    return str(found[0] or found[1])


def tab_to(studio: Studio, name: str, most: int = 60) -> list[str]:
    """Press Tab until something has the focus; return what had it on the way."""
    passed = [focused(studio)] if studio.page.evaluate("document.activeElement !== document.body") else []
    while name not in passed[-1:]:
        assert len(passed) < most, passed
        studio.press("Tab")
        passed.append(focused(studio))
    return passed


def put_cursor(studio: Studio, point: tuple[float, float]) -> None:
    """Bring the keyboard's cursor near a point by the arrow keys."""
    studio.press("ArrowRight")
    for axis, keys in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
        for _ in range(40):
            place, scale = studio.state()["cursor"], studio.state()["viewport"]["scale"]
            way = point[axis] - (place["x"], place["y"])[axis]
            if abs(way) < 6:
                break
            studio.press(("Shift+" if abs(way) * scale > 40 else "") + keys[way > 0])


def walk_controls(studio: Studio) -> None:
    """Come to each control of the time line; a menu that closes gives the focus back."""
    studio.press("Escape")
    assert tab_to(studio, "show-track-menu")[-6:] == [
        "frame-before", "clip-play", "frame-after", "clip-strip", "clip-track", "show-track-menu",
    ]  # fmt: skip
    studio.press("Enter")
    studio.page.locator("#track-menu").wait_for()
    studio.press("Tab")
    studio.press("Escape")
    assert focused(studio) == "show-track-menu"
    studio.press("Shift+Tab")
    studio.press("Shift+Tab")
    studio.press("Home")
    studio.until("s.clip.shown === 0")
    studio.press("ArrowRight")
    studio.until("s.clip.shown === 1")


def test_the_same_by_keyboard_alone(open_studio: OpenStudio) -> None:
    studio = open_studio()
    tab_to(studio, "choose")
    chooser = studio.chooser_of(lambda: studio.press("Enter"))
    walk: FilePayload = {"name": "walk.mp4", "mimeType": "video/mp4", "buffer": video(times_ms=TIMES_MS)}
    chooser.set_files(walk)
    studio.until("s.clip?.ready === 0 && s.pending === null")
    assert focused(studio) == "canvas"

    # To a frame, the keyboard's cursor on the thing, a click, and everything followed.
    for _ in range(10):
        studio.press("v")
    studio.until("s.clip.shown === 10 && s.clip.ready === 10")
    put_cursor(studio, square(10))
    studio.press("Enter")
    studio.until("s.objects.length === 1 && s.objects[0].area > 0")
    follow(studio, 24)

    # Corrected elsewhere, at the same place: what is added is removed again. Undone, and done again.
    studio.press("End")
    for _ in range(3):
        studio.press("z")
    studio.until("s.clip.shown === 20 && s.clip.ready === 20 && s.objects[0].area > 0")
    studio.press("Shift+Enter")
    studio.until("s.objects[0].points.length === 1")
    studio.press("Shift+ArrowRight")
    studio.press("Alt+Enter")
    studio.until("s.objects[0].points.length === 2 && s.objects[0].points[1][2] === 0")
    follow(studio, 24)
    areas = studio.state()["clip"]["areas"]
    for _ in range(3):
        studio.press("Control+z")
    studio.until("s.objects[0].points.length === 0")
    for _ in range(3):
        studio.press("Control+Shift+z")
    studio.until("!s.canRedo && s.objects[0].points.length === 2")
    studio.until(f"JSON.stringify(s.clip.areas) === {json.dumps(json.dumps(areas, separators=(',', ':')))}")
    assert focused(studio) == "canvas"

    walk_controls(studio)
    tab_to(studio, "save", most=90)
    studio.press("Enter")
    tab_to(studio, "coco")
    with studio.page.expect_download() as download:
        studio.press("Enter")
    assert focused(studio) == "save"
    saved = json.loads(Path(download.value.path()).read_bytes())
    assert (len(saved["images"]), len(saved["annotations"])) == (24, 24)


def test_clip_on_a_phone_is_upright_and_worked_by_touch(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = studio.page
    studio.choose({"name": "dance.gif", "mimeType": "image/gif", "buffer": animation()})
    page.locator("#ask-no").tap()  # the question is seen though the list is put away
    studio.until("s.image?.name === 'dance.gif' && s.pending === null")
    portrait: FilePayload = {"name": "phone.mp4", "mimeType": "video/mp4", "buffer": turned(video())}
    page.locator("#file").set_input_files(portrait)
    studio.until("s.clip?.ready === 0 && s.pending === null")
    assert (studio.state()["image"]["width"], studio.state()["image"]["height"]) == (120, 160)
    upright = (120 - square(0)[1], square(0)[0])  # a quarter with the clock
    assert is_near(studio.pixel(upright), ORANGE)
    for part in ("clip-play", "frame-before", "frame-after", "clip-strip", "clip-track", "show-track-menu"):
        box = page.locator(f"#{part}").bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, part
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= 390, part
    strip = page.locator("#clip-strip").bounding_box()
    assert strip is not None
    page.touchscreen.tap(strip["x"] + 0.99 * strip["width"], strip["y"] + strip["height"] / 2)
    studio.until("s.clip.shown === 5 && s.clip.ready === 5")
    page.touchscreen.tap(*studio.at((60, 60)))
    studio.until("s.objects.length === 1")
    page.locator("#show-track-menu").tap()
    page.get_by_role("button", name="Backward").tap()
    studio.until("s.clip.tracking === null && Object.keys(s.clip.areas).length === 6")


def test_what_moves_is_a_clip_only_where_a_person_says_so(open_studio: OpenStudio) -> None:
    studio = open_studio()
    dance: FilePayload = {"name": "dance.gif", "mimeType": "image/gif", "buffer": animation()}
    studio.choose(dance)
    studio.page.get_by_role("button", name="As a picture").click()
    studio.until("s.image?.name === 'dance.gif' && s.pending === null && s.clip === null")
    studio.choose(dance)
    studio.page.get_by_role("button", name="As a clip").click()
    studio.until("s.clip?.ready === 0 && s.clip.times.length === 6")
    expect(studio.page.locator(".film-cell")).to_have_count(2)
    studio.press("PageUp")
    studio.until("s.image?.name === 'dance.gif' && s.clip === null && !s.restoring")
