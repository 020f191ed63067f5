"""Ways in for a picture: drop, choose, paste, sample; upright, at once, and none mixed up with another."""

from __future__ import annotations

import random

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.helpers.image_files import file_of
from tests.helpers.studio import COFFEE, DISC_A, DISC_B, OpenStudio, Studio, apart, discs

pytestmark = pytest.mark.browser

TRANSFER = """async () => {
  const blob = await (await fetch(document.querySelector("[data-sample]").dataset.sample)).blob();
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], "given.jpg", { type: blob.type }));
  return transfer;
}"""


def test_picture_that_is_dropped_opens(open_studio: OpenStudio) -> None:
    studio = open_studio()
    transfer = studio.page.evaluate_handle(TRANSFER)
    studio.page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    expect(studio.page.locator("#drop")).to_be_visible()
    studio.page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    studio.until("s.image?.name === 'given.jpg'")
    expect(studio.page.locator("#drop")).to_be_hidden()


def test_picture_that_is_pasted_opens(open_studio: OpenStudio) -> None:
    studio = open_studio()
    transfer = studio.page.evaluate_handle(TRANSFER)
    studio.page.evaluate("data => dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))", transfer)
    studio.until("s.image?.name === 'given.jpg' && s.image.width === 512")


def test_sample_opens_by_a_click(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.page.locator("#welcome .sample").first.click()
    studio.until("s.image?.name === 'astronaut.jpg'")
    expect(studio.page.locator("#file-name")).to_have_text("astronaut.jpg")
    expect(studio.page.locator("#welcome")).to_be_hidden()
    studio.page.locator(".foot summary").click()
    credits = studio.page.locator(".foot li")
    expect(credits).to_have_count(studio.page.locator("#samples .sample").count())
    expect(credits.first).to_contain_text("Public domain")


def test_upload_shows_how_much_has_left(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.page.evaluate("""() => {
      globalThis.fractions = [];
      new MutationObserver(() => fractions.push(document.getElementById("progress").value))
        .observe(document.getElementById("progress"), { attributeFilter: ["value"] });
    }""")
    wire = studio.page.context.new_cdp_session(studio.page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    wire.send("Network.emulateNetworkConditions", slow)
    noise = Image.frombytes("RGB", (500, 500), random.Random(0).randbytes(500 * 500 * 3))
    studio.open({"name": "noise.png", "mimeType": "image/png", "buffer": file_of(noise, "PNG")})
    fractions = studio.page.evaluate("() => fractions.filter(value => value > 0 && value < 1)")
    assert len(set(fractions)) > 2
    assert fractions == sorted(fractions)


def test_picture_is_seen_and_zoomed_while_it_is_still_on_its_way(open_studio: OpenStudio) -> None:
    held: list[Route] = []

    def hold(page: Page) -> None:
        page.route("**/api/upload*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks its handlers

    studio = open_studio(before=hold)
    with studio.page.expect_request("**/api/upload*"):
        studio.choose(discs())
    studio.until("s.pending?.stage === 'uploading' && s.shown === 'discs.png'")
    expect(studio.page.locator("#progress")).to_be_visible()
    expect(studio.page.locator("#hint")).to_contain_text("Uploading")
    assert apart(studio.pixel(DISC_A), (222, 84, 60, 255)) < 8
    scale = studio.state()["viewport"]["scale"]
    studio.page.mouse.move(*studio.at(DISC_A))
    studio.page.mouse.wheel(0, -300)
    studio.until(f"s.viewport.scale > {scale}")

    held[0].continue_()
    studio.until("s.preview !== null")  # by itself: the pointer rests on the disc
    expect(studio.page.locator("#progress")).to_be_hidden()


def turned(orientation: int) -> bytes:
    """Return a JPEG that is upright by its EXIF orientation alone: red, green, blue and white quarters, 120 x 80."""
    upright = Image.new("RGB", (120, 80))
    for corner, color in zip([(0, 0), (60, 0), (0, 40), (60, 40)], ["red", "lime", "blue", "white"], strict=True):
        upright.paste(color, (*corner, corner[0] + 60, corner[1] + 40))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    return file_of(stored, "JPEG", exif=exif, quality=95)


def test_pictures_of_all_eight_orientations_are_upright_and_masks_lie_on_them(open_studio: OpenStudio) -> None:
    studio = open_studio()
    for orientation in range(1, 9):
        name = f"{orientation}.jpg"
        studio.open({"name": name, "mimeType": "image/jpeg", "buffer": turned(orientation)})
        image = studio.state()["image"]
        assert (image["width"], image["height"]) == (120, 80), name
        for point, color in (((8, 8), (254, 0, 0)), ((112, 8), (0, 255, 1)), ((8, 72), (0, 0, 254))):
            assert apart(studio.pixel(point)[:3], color) < 12, name
        studio.hover((100, 20))
        studio.until("s.preview !== null")
        assert apart(studio.pixel((101, 17)), (0, 255, 1, 255)) > 15, name
        assert apart(studio.pixel((8, 8))[:3], (254, 0, 0)) < 12, name
        studio.away()


def test_link_that_is_dropped_doesnt_lead_away(open_studio: OpenStudio) -> None:
    studio = open_studio()
    taken = studio.page.evaluate("""() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData("text/uri-list", "https://example.org/");
      const event = new DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true });
      return [!document.body.dispatchEvent(event), document.getElementById("drop").hidden];
    }""")
    assert taken == [True, True]


def test_text_file_is_refused_in_the_pages_words_and_the_work_stays(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.expected = ("Failed to load resource",)  # Chromium's own line for the refusal
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.choose({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"})
    expect(studio.page.locator("#notice-text")).to_contain_text("no picture of a format that is read: JPEG, PNG,")
    assert studio.state()["image"]["name"] == "discs.png"
    assert len(studio.state()["objects"]) == 1
    studio.add_object(DISC_B)
    expect(studio.page.locator("#notice")).to_be_hidden()


def test_another_picture_leaves_the_work_on_the_first_as_it_was(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    expect(studio.page.locator("#canvas")).to_be_focused()
    studio.add_object(DISC_A)
    studio.page.locator("#samples .sample").first.click()
    studio.until("s.image.name === 'astronaut.jpg' && s.objects.length === 0 && s.pending === null")
    expect(studio.page.locator("#canvas")).to_be_focused()
    studio.open(discs())  # chosen again, it is known by its content
    studio.until("s.objects.length === 1 && !s.restoring && s.image.name === 'discs.png'")
    studio.press("Control+z")
    studio.until("s.objects.length === 0")


@pytest.mark.parametrize("kind", ["GIF", "BMP"])
def test_picture_that_only_the_browser_can_read_opens_all_the_same(open_studio: OpenStudio, kind: str) -> None:
    studio = open_studio()
    picture = Image.new("RGB", (120, 80), (222, 84, 60))
    moving = {"save_all": True, "append_images": [Image.new("RGB", (120, 80), (0, 0, 90))]} if kind == "GIF" else {}
    name = f"old.{kind.lower()}"
    studio.open({"name": name, "mimeType": "application/octet-stream", "buffer": file_of(picture, kind, **moving)})
    assert (studio.state()["image"]["width"], studio.state()["image"]["height"]) == (120, 80)
    assert apart(studio.pixel((30, 30)), (222, 84, 60, 255)) < 8  # its first frame, as the server has it
    studio.add_object((60, 40))
    studio.page.reload()
    studio.until("s.objects.length === 1 && !s.restoring")


def test_pictures_of_every_kind_of_pixel_open(open_studio: OpenStudio) -> None:
    studio = open_studio()
    for number, mode in enumerate(("CMYK", "LA", "I;16", "RGBA", "P", "1")):
        size = (1, 1) if mode == "1" else (90, 60 + number)
        kind = "JPEG" if mode == "CMYK" else "PNG"
        studio.open({"name": f"odd {mode}", "mimeType": "", "buffer": file_of(Image.new(mode, size), kind)})
        studio.until("s.objects.length === 0")
        studio.add_object((size[0] / 2, size[1] / 2))
        assert studio.state()["image"]["width"] == size[0], mode


def test_hostile_names_stay_text(open_studio: OpenStudio) -> None:
    studio = open_studio()
    name = "<img src=x onerror=alert(1)>.png"
    studio.open({**discs(), "name": name})
    expect(studio.page.locator("#file-name")).to_have_text(name)
    assert studio.page.locator("#file-name *").count() == 0
    assert studio.page.title() == f"{name} · HoverSAM"
    studio.add_object(DISC_A)
    rename(studio, "<b onclick=alert(1)>x</b>")
    assert studio.page.locator(".object-name *").count() == 0


def rename(studio: Studio, name: str) -> None:
    studio.page.locator(".object-choose").first.dblclick()
    studio.page.locator(".object-input").fill(name)
    studio.press("Enter")
    expect(studio.page.locator(".object-name").first).to_have_text(name)


def test_two_tabs_with_two_pictures_dont_mix(open_studio: OpenStudio) -> None:
    first = open_studio()
    second = open_studio(beside=first)
    first.open(discs())
    second.open(COFFEE)
    first.add_object(DISC_A)
    second.add_object((290, 170))
    second.add_object((80, 330))
    assert first.state()["image"]["name"] == "discs.png"
    assert [thing["points"][0][:2] for thing in first.state()["objects"]] == [pytest.approx(list(DISC_A), abs=1)]
    for studio, count in ((first, 1), (second, 2)):
        name = studio.state()["image"]["name"]
        studio.page.reload()
        studio.until(f"s.objects.length === {count} && !s.restoring && s.image.name === '{name}'")
