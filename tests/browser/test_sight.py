"""Page and server see the same picture: the same side up, the same colours, and all of its grey."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.helpers.color_profiles import ADOBE, P3
from tests.helpers.image_files import file_of, png16
from tests.helpers.studio import OpenStudio, Studio, apart
from tests.helpers.turned_files import TURNED_KINDS, marked_square, turned_file

pytestmark = pytest.mark.browser
SEEN = """async (files) => {
  const { readPicture, viewOf } = await import("/static/js/files/pictures.js");
  const { storedSize, turnOf } = await import("/static/js/model/turns.js");
  const wrong = [];
  for (const [name, data] of files) {
    const file = new Blob([Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))]);
    const form = new FormData();
    form.append("file", file);
    const answer = await (await fetch("/api/upload", { method: "POST", body: form })).json();
    const word = { imageId: answer.image_id, orientation: 1, rendered: false, ...answer };
    const view = await viewOf("/api/pictures/", file, word, (await readPicture(file, name)).bitmap);
    const canvas = new OffscreenCanvas(word.width, word.height).getContext("2d", { willReadFrequently: true });
    const stored = storedSize(view.orientation, word);
    canvas.setTransform(...turnOf(view.orientation, word));
    canvas.drawImage(view.bitmap, 0, 0, stored.width, stored.height);
    const at = (x, y) => [...canvas.getImageData(x * word.width, y * word.height, 1, 1).data].slice(0, 3);
    const bits = (x, y) => at(x, y).map((level) => Number(level > 128)).join("");
    const corners = [[.2, .2], [.8, .2], [.2, .8], [.8, .8]].map(([x, y]) => bits(x, y)).join(" ");
    if (corners !== "100 010 001 111") wrong.push(`${name}: ${corners}, orientation ${word.orientation}`);
  }
  return wrong;
}"""


def test_every_turn_by_every_mark_is_seen_upright(open_studio: OpenStudio) -> None:
    studio = open_studio()
    files = [
        [f"{kind} {orientation}", base64.b64encode(turned_file(orientation, kind, marked_square())).decode()]
        for kind in TURNED_KINDS
        for orientation in range(1, 9)
    ]
    assert studio.page.evaluate(SEEN, files) == []


def given(name: str, data: bytes) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def test_what_is_clicked_is_what_is_masked(open_studio: OpenStudio) -> None:
    studio = open_studio()
    for kind, orientation in (("webp", 6), ("jpeg", 8), ("png behind the pixels", 3), ("tiff", 5)):
        studio.open(given(f"turned {kind}", turned_file(orientation, kind)))
        quarters_are_upright(studio)
        studio.hover((45, 10))
        studio.until("s.preview !== null")
        studio.away()
        if kind in ("jpeg", "tiff"):  # the browser's own pixels, and the server's
            studio.page.reload()
            studio.until("s.image?.seen && !s.restoring")
            studio.away()
            quarters_are_upright(studio)


def quarters_are_upright(studio: Studio) -> None:
    image = studio.state()["image"]
    assert (image["width"], image["height"]) == (60, 40)
    for point, color in (((10, 8), (254, 0, 0)), ((50, 8), (0, 255, 0)), ((10, 32), (0, 0, 254))):
        assert apart(studio.pixel(point)[:3], color) < 24, (image["name"], point)


LEVELS = np.where(np.hypot(*np.ogrid[-60:60, -80:80]) < 30, 3300, 1000).astype(np.uint16)


def test_grey_that_fills_little_of_its_range_is_seen(open_studio: OpenStudio) -> None:
    studio = open_studio()
    for name, data in (("png", png16(LEVELS)), ("tiff", file_of(Image.fromarray(LEVELS), "TIFF"))):
        studio.open(given(name, data))
        assert apart(studio.pixel((80, 60))[:3], (255, 255, 255)) < 3, name
        assert apart(studio.pixel((10, 10))[:3], (0, 0, 0)) < 3, name


@pytest.mark.parametrize(("icc", "kind"), [(P3, "JPEG"), (ADOBE, "PNG"), (P3, "TIFF")])
def test_page_and_cutout_have_the_same_colors(open_studio: OpenStudio, icc: bytes, kind: str) -> None:
    options: dict[str, Any] = {"quality": 100} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    picture = file_of(Image.new("RGB", (80, 60), (30, 200, 60)), kind, icc_profile=icc, **options)
    studio = open_studio()
    studio.open(given("vivid", picture))
    shown = studio.pixel((40, 30))[:3]
    studio.click((40, 30))
    studio.until("s.objects.length === 1")
    with studio.page.expect_download() as download:
        studio.press("Control+s")
    cutout = np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())))
    assert apart(shown, tuple(map(int, cutout[30, 40, :3]))) <= 4


def test_a_rendition_that_is_lost_is_told(open_studio: OpenStudio) -> None:
    studio = open_studio(before=lambda page: page.route("**/api/pictures/*", lambda route: route.fulfill(status=503)))
    studio.expected = ("Failed to load resource",)
    studio.choose(given("camera", png16(LEVELS)))
    studio.until("s.notice?.includes('503')")
