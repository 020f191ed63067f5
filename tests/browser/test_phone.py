"""A picture of 48 megapixels on a phone: opened, tapped and taken away at its own size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.helpers.image_files import file_of, noise
from tests.helpers.studio import OpenStudio

pytestmark = pytest.mark.browser
SIZE = (8064, 6048)
CENTRE = (4032.0, 3024.0)
NOISE = 2400
MAX_HELD_PIXELS = 2**24


def photo() -> bytes:
    """Return a plain picture with noise in its middle, which makes a cutout of it too large for a message."""
    picture = Image.new("RGB", SIZE, (92, 108, 120))
    picture.paste(noise(NOISE, NOISE), ((SIZE[0] - NOISE) // 2, (SIZE[1] - NOISE) // 2))
    return file_of(picture, "JPEG", quality=80)


def test_cutout_of_48_megapixels_is_made_and_saved_on_a_phone(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=3)
    studio.page.evaluate("""() => {
      globalThis.drawn = [];
      const draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
        if (image instanceof ImageBitmap) globalThis.drawn.push(image.width * image.height);
        return draw.call(this, image, ...rest);
      };
    }""")
    fetched: list[str] = []
    studio.page.on("response", lambda response: fetched.append(response.url) if "/api/files/" in response.url else None)
    studio.open({"name": "phone.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    image = studio.state()["image"]
    assert (image["width"], image["height"]) == SIZE
    assert 0 < max(studio.page.evaluate("() => globalThis.drawn")) <= MAX_HELD_PIXELS

    studio.page.touchscreen.tap(*studio.at(CENTRE))
    studio.until("s.objects.length === 1")
    studio.page.locator("#save").tap()
    with studio.page.expect_download() as download:
        studio.page.locator('#save-menu [data-format="cutout"]').tap()
    with Image.open(Path(download.value.path())) as cutout:
        assert (cutout.size, cutout.mode) == (SIZE, "RGBA")
        share = np.count_nonzero(np.asarray(cutout.getchannel("A").reduce(8))) / (SIZE[0] * SIZE[1] / 64)
    assert share == pytest.approx(studio.areas()[0] / (SIZE[0] * SIZE[1]), rel=0.05)
    assert len(fetched) == 1
    expect(studio.page.locator("#notice")).to_be_hidden()
