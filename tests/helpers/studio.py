"""The studio as tests drive it: one open page, its state, its pixels."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import FileChooser, FilePayload, Page

from tests.helpers.clip_files import animation

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""Any of them on PATH will do."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).parents[2]
COFFEE = ROOT / "static" / "samples" / "coffee.jpg"
ARTIFACTS = ROOT / "tests" / "artifacts"
WAIT_MS = 60_000
"""A slow machine may take this long for a picture; nothing waits longer than it needs to."""

LARGE_BYTES = 2**18
"""A larger file is put on the disk: as text on the pipe to the browser, 33 MiB would take half a minute."""

Point = tuple[float, float]
DISC_A: Point = (160, 150)
DISC_B: Point = (470, 260)
BACKGROUND: Point = (330, 40)


def chromium() -> str:
    """Return the path of a browser; a machine without one fails the tests."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError(f"the browser tests need one of {', '.join(BROWSERS)} on PATH; ./start.sh test installs it")
    return found


def discs(ground: tuple[int, int, int] = (92, 108, 120)) -> FilePayload:
    """Return a picture of two plain discs on a plain ground, 640 x 400; on another ground it is another picture."""
    image = Image.new("RGB", (640, 400), ground)
    draw = ImageDraw.Draw(image)
    for (x, y), color in ((DISC_A, (222, 84, 60)), (DISC_B, (240, 206, 80))):
        draw.ellipse((x - 80, y - 80, x + 80, y + 80), fill=color)
    file = io.BytesIO()
    image.save(file, "PNG")
    return {"name": "discs.png", "mimeType": "image/png", "buffer": file.getvalue()}


def huge(folder: Path) -> Path:
    """Return a file of 33 MiB that begins as a PNG, on the disk: the browser gets its name, not its bytes."""
    path = folder / "huge.png"
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(33 << 20)
    return path


@dataclass
class Studio:
    """One open page, and everything that went wrong on it."""

    page: Page
    troubles: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    sent: list[dict[str, Any]] = field(default_factory=list)
    """The messages that the page has sent, over all its sockets."""
    folder: Path | None = None
    """Where large pictures are put for the browser."""

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.page.evaluate("() => hoversam.state()")
        return state

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression on the state `s` is true and the page has drawn and kept what follows."""
        self.page.wait_for_function(
            f"() => {{ const s = globalThis.hoversam?.state(); return s && ({condition}); }}", timeout=WAIT_MS
        )
        self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def until_sent(self, holds: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Wait, a frame of the page at a time, until something holds of the messages that the page has sent."""
        deadline = time.monotonic() + WAIT_MS / 1000
        while not holds(self.sent):
            assert time.monotonic() < deadline, self.sent[-5:]
            self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def resize(self, width: int, height: int) -> None:
        """Give the window another size; return once the page has taken it in."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_function("([w, h]) => innerWidth === w && innerHeight === h", arg=[width, height])
        self.until_it_lies_still()

    def chooser_of(self, act: Callable[[], None]) -> FileChooser:
        """Return the file chooser that an act opens.

        A browser tells of choosers only once it is asked to, and a key may be sooner than that: it takes another way.
        What is evaluated takes the same one, so that after its answer the browser tells.
        """
        with self.page.expect_file_chooser() as opened:
            self.page.evaluate("0")
            act()
        return opened.value

    def choose(self, file: Path | FilePayload) -> None:
        """Choose a file."""
        if self.folder and isinstance(file, dict) and len(file["buffer"]) > LARGE_BYTES:
            path = self.folder / file["name"]
            path.write_bytes(file["buffer"])
            file = path
        self.page.locator("#file").set_input_files(file)

    def open(self, file: Path | FilePayload) -> None:
        self.choose(file)
        name = file["name"] if isinstance(file, dict) else file.name
        self.page.wait_for_function(
            "name => { const s = hoversam.state(); return s.image?.name === name && s.pending === null; }",
            arg=name,
            timeout=WAIT_MS,
        )
        self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def at(self, point: Point) -> Point:
        """Return where a point of the image is on the page, CSS pixels."""
        place = self.page.evaluate("([x, y]) => hoversam.toScreen(x, y)", list(point))
        return place["x"], place["y"]

    def under(self, place: Point) -> Point:
        """Return the point of the image at a place of the page, CSS pixels."""
        (x0, y0), (x1, y1) = self.at((0, 0)), self.at((1, 1))
        return (place[0] - x0) / (x1 - x0), (place[1] - y0) / (y1 - y0)

    def hover(self, point: Point) -> None:
        self.page.mouse.move(*self.at(point))

    def click(self, point: Point, button: Any = "left") -> None:
        self.page.mouse.click(*self.at(point), button=button)

    def show_panel(self) -> None:
        """On a phone: bring the list up, and wait until the picture lies where it then stays."""
        self.page.locator("#show-panel").tap()
        self.until_it_lies_still()

    def until_it_lies_still(self) -> None:
        """Wait until the picture lies where it then stays."""
        self.page.evaluate("""async () => {
            const frame = () => new Promise(requestAnimationFrame);
            for (let before = "", now = "?"; now !== before; await frame(), await frame()) {
                [before, now] = [now, JSON.stringify(hoversam.toScreen(0, 0))];
            }
        }""")

    def add_object(self, point: Point) -> None:
        """Click something new, wait for the object: it is the selected one."""
        count = len(self.state()["objects"])
        self.click(point)
        self.until(f"s.objects.length === {count + 1} && s.active === s.objects.at(-1).id")

    def add_on_top(self, point: Point) -> None:
        """Make an object whatever lies there."""
        count = len(self.state()["objects"])
        if count:
            self.press("t")
        self.click(point)
        self.until(f"s.objects.length === {count + 1} && s.active === s.objects.at(-1).id")

    def deselect(self) -> None:
        self.page.evaluate("document.getElementById('canvas').focus()")
        self.page.keyboard.press("Escape")
        self.until("s.active === null")

    def shift_click(self, point: Point) -> None:
        """Add a point to the selected object."""
        self.page.keyboard.down("Shift")
        self.click(point)
        self.page.keyboard.up("Shift")

    def away(self) -> None:
        """Move the pointer off the picture, so that nothing lights up."""
        self.page.mouse.move(2, 2)
        self.until("s.preview === null && s.badge === null")

    def keep_toasts(self) -> None:
        """Let no toast go by itself, as on a slow machine it may before anyone has looked at it."""
        self.page.evaluate("""() => {
          const { setTimeout } = globalThis;
          globalThis.setTimeout = (run, ms, ...rest) => ms === 8000 ? 0 : setTimeout(run, ms, ...rest);
        }""")

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)

    def areas(self) -> list[int]:
        return [thing["area"] for thing in self.state()["objects"]]

    def pixel(self, point: Point) -> tuple[int, ...]:
        """Return the RGBA that the page shows at a point of the image, once all is drawn."""
        return tuple(
            self.page.evaluate(
                """async ([x, y]) => {
                  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                  const at = hoversam.toScreen(x, y);
                  const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
                  for (const canvas of document.querySelectorAll("#stage canvas")) {
                    const rect = canvas.getBoundingClientRect();
                    const ratio = canvas.width / rect.width;
                    const [left, top] = [(at.x - rect.left) * ratio, (at.y - rect.top) * ratio].map(Math.floor);
                    copy.drawImage(canvas, -left, -top);
                  }
                  return [...copy.getImageData(0, 0, 1, 1).data];
                }""",
                list(point),
            )
        )


def open_clip(studio: Studio) -> None:
    """Open an animation of six frames as a clip, and click on it."""
    studio.choose({"name": "dance.gif", "mimeType": "image/gif", "buffer": animation()})
    studio.page.locator("#ask-yes").click()
    studio.until("s.clip?.ready === 0 && s.pending === null")
    studio.add_object((80, 60))


def apart(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


OpenStudio = Callable[..., Studio]
