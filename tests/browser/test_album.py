"""Many pictures: labelled one after another, kept by the browser, saved as one file, moved as a project, forgotten."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, Route, expect

from app.session.names import UNNAMED_CLASS
from tests.helpers.export_readers import coco_decoded
from tests.helpers.image_files import file_of
from tests.helpers.studio import OpenStudio, Studio

pytestmark = pytest.mark.browser

PLACES = {"red": (120, 90), "blue": (260, 200)}


def shot(number: int) -> FilePayload:
    """Return a picture with a disc for each class, another one for each number."""
    image = Image.new("RGB", (400, 280), (90, 100 + number, 110))
    draw = ImageDraw.Draw(image)
    for color, (x, y) in PLACES.items():
        draw.ellipse((x - 40, y - 40, x + 40, y + 40), fill=color)
    return {"name": f"shot {number}.png", "mimeType": "image/png", "buffer": file_of(image, "PNG")}


BROKEN: FilePayload = {"name": "shot 0.png", "mimeType": "image/png", "buffer": b"\x89PNG broken"}
TAKEN_OVER = """async () => {
  const { name: url } = performance.getEntriesByType("resource").find(({ name }) => name.includes("album-storage"));
  const { openStorage } = await import(url);
  const storage = await openStorage(new URL(".", location.href).pathname);
  const [left] = await storage.albums();
  await storage.load("of a new tab");
  const { album } = await storage.read(left);
  await storage.adopt([...album.values()], [left]);
  return [album.size, (await storage.read(left)).album.size, storage.isLasting];
}"""
"""Has a new tab take over the newest album that was left: its size before and after, and whether there was room."""
NOTES: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}


def is_shown(studio: Studio, name: str, objects: int) -> None:
    ready = "s.pending === null && !s.restoring"
    studio.until(f"s.image?.name === '{name}' && {ready} && s.objects.length === {objects}")


def save(studio: Studio, way: str) -> bytes:
    studio.page.locator("#show-pictures-menu").click()
    with studio.page.expect_download() as download:
        studio.page.locator(way).click()
    return Path(download.value.path()).read_bytes()


def test_pictures_are_labelled_one_after_the_other_and_come_back_next_week(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.expected = ("Failed to load resource",)  # Chromium's own line for the broken one
    doubled: FilePayload = {**shot(2), "name": "shot 2b.png"}
    studio.page.locator("#file").set_input_files([NOTES, BROKEN, shot(10), shot(1), shot(2), doubled])

    # What is no picture is named, what is broken is passed over, and the order is that in which people count.
    is_shown(studio, "shot 1.png", 0)
    expect(studio.page.locator("#notice-text")).to_contain_text("1 is here already: shot 2b.png. 1 is no picture")
    expect(studio.page.locator("#film-count")).to_have_text("2 of 4")
    expect(studio.page.locator(".film-cell").first).to_have_attribute("data-state", "trouble")
    studio.press("Escape")

    # Two classes, by keys.
    for number, (name, place) in enumerate(PLACES.items(), 1):
        studio.add_object(place)
        studio.press("c")
        studio.page.locator("#class-written").fill(name)
        studio.press("Enter")
        studio.until(f"s.classes.length === {number}")
    studio.page.evaluate("document.getElementById('canvas').focus()")
    studio.press("d")
    is_shown(studio, "shot 2.png", 0)
    expect(studio.page.locator("#coach")).to_be_hidden()  # whoever has made an object knows how
    studio.press("1")
    studio.add_object(PLACES["red"])
    studio.press(",")
    studio.until("s.image.name === 'shot 1.png' && s.objects.length === 2")  # at once, also while it is made again
    is_shown(studio, "shot 1.png", 2)
    studio.press("Control+z")
    studio.until("s.canRedo")
    studio.press("Control+Shift+z")
    studio.until("s.objects[1].name === 'blue' && !s.canRedo")

    # The browser is closed, and opened again.
    again = open_studio(beside=studio)
    expect(again.page.locator("#toast")).to_contain_text("open in another tab")
    again.page.close()
    studio.page.close()
    assert again.page.is_closed()
    assert studio.page.is_closed()
    back = open_studio(beside=studio)
    is_shown(back, "shot 1.png", 2)
    assert [one["name"] for one in back.state()["objects"]] == ["red", "blue"]
    expect(back.page.locator("#film-count")).to_have_text("2 of 4")
    expect(back.page.locator("#film-state")).to_have_text("1 done")
    back.page.locator(".film-cell").nth(2).click()
    is_shown(back, "shot 2.png", 1)
    check_files(back)


def check_files(studio: Studio) -> None:
    """Save all pictures in two ways, and see that the right classes are on the right pictures."""
    expect(studio.page.locator("#pictures-text")).to_contain_text("1 of 4 done, 3 objects")
    with zipfile.ZipFile(io.BytesIO(save(studio, '[data-all-format="yolo"]'))) as archive:
        names = set(archive.namelist())
        labels = {name: archive.read(name).split() for name in names if name.endswith(".txt")}
        assert archive.testzip() is None
        assert b'0: "red"\n  1: "blue"' in archive.read("data.yaml")
        assert UNNAMED_CLASS.encode() not in archive.read("data.yaml")
    numbers = {Path(name).stem: {line for line in words if len(line) == 1} for name, words in labels.items()}
    assert numbers == {"shot 1": {b"0", b"1"}, "shot 2": {b"0"}}
    assert {name.replace("labels", "images").replace(".txt", ".png") for name in labels} <= names
    assert {Path(name).parent.name for name in labels} == {"train", "val"}
    expect(studio.page.locator("#toast")).to_contain_text("2 pictures. Left out: 2 without an object")
    studio.page.locator("#show-pictures-menu").click()
    studio.page.locator("#with-pictures").uncheck()
    studio.page.locator("#val-share").select_option("0")
    studio.press("Escape")
    content = json.loads(save(studio, '[data-all-format="coco"]'))
    files = {image["id"]: image["file_name"] for image in content["images"]}
    categories = {category["id"]: category["name"] for category in content["categories"]}
    for annotation in content["annotations"]:
        x, y = PLACES[categories[annotation["category_id"]]]
        assert coco_decoded(annotation["segmentation"])[y, x]
    assert sorted(files[annotation["image_id"]] for annotation in content["annotations"]) == [
        *["shot 1.png"] * 2,
        "shot 2.png",
    ]


def test_project_moves_the_work_and_everything_here_is_forgotten_when_it_is_said(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.page.locator("#file").set_input_files([shot(1), shot(2)])
    is_shown(studio, "shot 1.png", 0)
    studio.add_object(PLACES["red"])
    project: FilePayload = {
        "name": "work.zip",
        "mimeType": "application/zip",
        "buffer": save(studio, '[data-album="save"]'),
    }

    # A file that is being made can be stopped.
    held: list[Route] = []
    studio.page.route("**/api/export/masks", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    studio.page.locator("#show-pictures-menu").click()
    studio.page.locator('[data-all-format="labelme"]').click()
    expect(studio.page.locator("#hint")).to_contain_text("LabelMe: picture 1 of 1")
    studio.page.locator("#making-stop").click()
    expect(studio.page.locator("#toast")).to_contain_text("stopped, nothing saved")
    expect(studio.page.locator("#making")).to_be_hidden()

    studio.page.locator("#show-pictures-menu").click()
    studio.page.locator('[data-album="forget"]').click()
    expect(studio.page.locator("#ask-text")).to_contain_text("2 pictures, 1 object")
    with studio.page.expect_navigation():
        studio.page.locator("#ask-yes").click()
    studio.until("s.connection === 'ready' && s.image === null")
    expect(studio.page.locator("#welcome")).to_be_visible()
    assert studio.page.evaluate("localStorage.length") == 0

    # Somebody else's work, or one's own on another machine: the objects of both are there.
    studio.page.locator("#file").set_input_files([shot(1), shot(3)])
    is_shown(studio, "shot 1.png", 0)
    studio.add_object(PLACES["blue"])
    studio.page.evaluate("""() => {
      const { arrayBuffer } = Blob.prototype;
      const frame = () => new Promise(requestAnimationFrame);
      Blob.prototype.arrayBuffer = async function () {
        await frame(); // so that the list is shown before its files have come, as with a large project
        await frame();
        return arrayBuffer.call(this);
      };
    }""")
    studio.page.locator("#file").set_input_files(project)
    is_shown(studio, "shot 1.png", 2)
    expect(studio.page.locator("#toast")).to_contain_text("2 pictures. 1 was here before")
    expect(studio.page.locator('.film-cell img[src^="blob:"]')).to_have_count(3)
    studio.page.locator(".film-cell").last.click()
    is_shown(studio, "shot 2.png", 0)
    notes: FilePayload = {**project, "buffer": b"PK no zip"}
    studio.page.locator("#file").set_input_files(notes)
    expect(studio.page.locator("#notice-text")).to_contain_text("no ZIP")


def test_browser_that_keeps_nothing_says_so_and_the_pictures_go_on_as_long_as_the_page(open_studio: OpenStudio) -> None:
    def private(page: Page) -> None:
        page.add_init_script("""
          const refuse = () => { throw new DOMException('', 'SecurityError'); };
          indexedDB.open = refuse;
          for (const name of ['localStorage', 'sessionStorage']) {
            Object.defineProperty(globalThis, name, { get: refuse });
          }
          for (const name of ['request', 'query']) navigator.locks[name] = async () => refuse();
        """)

    studio = open_studio(before=private)
    expect(studio.page.locator("#notice-text")).to_contain_text("This browser keeps nothing here")
    studio.page.locator("#file").set_input_files([shot(1), shot(2)])
    is_shown(studio, "shot 1.png", 0)
    studio.add_object(PLACES["red"])
    studio.press(".")
    is_shown(studio, "shot 2.png", 0)
    studio.press(",")
    is_shown(studio, "shot 1.png", 1)


def test_full_browser_keeps_the_work_and_asks_for_the_file_again(open_studio: OpenStudio) -> None:
    full = """
      const put = IDBObjectStore.prototype.put;
      IDBObjectStore.prototype.put = function (...given) {
        if (globalThis.full.includes(this.name)) throw new DOMException("", "QuotaExceededError");
        return put.apply(this, given);
      };
      globalThis.full = ["files"];
    """
    studio = open_studio(before=lambda page: page.add_init_script(full))
    studio.page.locator("#file").set_input_files([shot(1), shot(2)])
    expect(studio.page.locator("#notice-text")).to_contain_text("no room for 2 files")
    is_shown(studio, "shot 1.png", 0)
    studio.add_object(PLACES["red"])
    studio.press(".")
    is_shown(studio, "shot 2.png", 0)
    studio.page.reload()
    studio.until("s.connection === 'ready'")
    expect(studio.page.locator("#film")).to_be_visible()
    chooser = studio.chooser_of(studio.page.locator(".film-cell").first.click)
    expect(studio.page.locator("#notice-text")).to_contain_text("known by its content")
    chooser.set_files({**shot(1), "name": "renamed.png"})
    is_shown(studio, "shot 1.png", 1)

    # There isn't even room for what is done: that is said, a new tab loses nothing, and the next change tries again.
    studio.page.evaluate("() => { full = ['files', 'rows']; }")
    studio.add_object(PLACES["blue"])
    expect(studio.page.locator("#notice-text")).to_contain_text("no room left")
    expect(studio.page.locator("#pictures-text")).to_contain_text("lasts as long as this page")
    assert studio.page.evaluate(TAKEN_OVER) == [2, 2, False]
    studio.page.evaluate("() => { full = []; }")
    studio.press("Control+z")
    expect(studio.page.locator("#pictures-text")).to_contain_text("stays in this browser")
    assert studio.page.evaluate(TAKEN_OVER) == [2, 0, True]
