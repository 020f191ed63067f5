"""A picture takes prompts on the page while the model studies it, and then all masks change in one frame."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.helpers.shop import Shop, open_shop
from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, discs

pytestmark = pytest.mark.browser

WATCH_FRAMES = """() => {
  globalThis.frames_seen = [];
  const look = () => {
    const { image, objects } = hoversam.state();
    frames_seen.push([image?.provisional, ...objects.map(({ area }) => area)].join(" "));
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with open_shop(tmp_path / "checkpoints", "nano") as opened:
        yield opened


@pytest.fixture
def address(shop: Shop) -> str:
    return shop.server.url


def test_a_picture_is_used_while_the_model_studies_it_and_all_masks_change_in_one_frame(
    open_studio: OpenStudio, shop: Shop
) -> None:
    shop.engine.encode_gate = threading.Event()
    studio = open_studio()
    studio.open(discs())
    expect(studio.page.locator("#progress")).to_be_visible()
    expect(studio.page.locator("#hint")).to_have_text(re.compile("Rough masks for now.*tiny studies the picture"))
    studio.add_object(DISC_A)
    studio.add_object(DISC_B)
    studio.press("Control+z")
    studio.until("s.objects.length === 1")
    studio.press("Control+Shift+z")
    studio.until("s.objects.length === 2")
    before = studio.areas()
    studio.page.evaluate(WATCH_FRAMES)
    shop.engine.encode_gate.set()
    studio.until("s.image.provisional === false")
    after = studio.areas()
    assert all(rough != own for rough, own in zip(before, after, strict=True))  # another grid
    seen = set(studio.page.evaluate("() => frames_seen"))
    assert seen <= {" ".join(map(str, ["true", *before])), " ".join(map(str, ["false", *after]))}
    expect(studio.page.locator("#progress")).to_be_hidden()
    for left in (1, 0):
        studio.press("Control+z")
        studio.until(f"s.objects.length === {left}")
    assert not studio.state()["canUndo"]
