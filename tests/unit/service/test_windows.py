"""Trails that windows answer: what is asked where, what comes back, and that it comes back to the bit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import numpy as np
import pytest

from app.arrays import ImageArray
from app.clips import ClipLimits
from app.pictures import PictureLimits, read_opaque
from app.protocol import messages as m
from app.protocol.fields import WindowXyxy
from app.protocol.frames import over_picture
from app.protocol.recipe import MorphStep, PointStep, StrokeStep
from app.protocol.windows import has, seen, size_of, source_of
from app.service.answers import native_mask
from app.service.by_hand import click_of
from app.service.clip_store import ClipStore
from app.service.hover_slot import HoverSlot
from app.service.limits import ServiceLimits
from app.service.local_backend import LocalBackend
from app.service.model_pool import ModelPool
from app.service.model_source import ModelSource
from app.service.picture_store import PictureStore
from app.service.predictor import Predictor
from app.service.sources import Sources
from app.session.limits import SessionLimits
from app.session.objects import SessionObject
from app.session.query import Query
from app.session.session import Session
from app.session.values import OpenImage
from app.settings import Settings
from app.weights.catalogue import known_models
from tests.contract.test_local_backend import no_other
from tests.helpers.fake_engine import EMBEDDING_BYTES, FakeEngine
from tests.helpers.image_files import file_of, noise, png

pytestmark = pytest.mark.anyio
SIZE_HW = (1200, 1600)
KEPT = 4
"""Windows that are kept."""
VIEW = (700.0, 500.0, 900.0, 650.0)
PICTURE = file_of(noise(1600, 1200), "PNG", compress_level=0)


class Desk(NamedTuple):
    """A session on a picture, and what answers it."""

    predictor: Predictor
    backend: LocalBackend
    engine: FakeEngine
    image: OpenImage
    session: Session

    async def change(self, message: m.Click | m.Box | m.Move | m.Undo | m.Paint | m.Morph) -> None:
        step = self.session.step(message)
        if isinstance(step, Query):
            self.session.commit(*await self.predictor.answer_whole(self.image, step))

    async def hovered(self, window: WindowXyxy | None) -> m.Mask | None:
        slot = HoverSlot()
        slot.put(self.session.hover(m.Hover(seq=9, x=800, y=600, window=window)))
        found = await self.predictor.hover(self.image, slot)
        return None if found is None else found[1].masks[found[1].best]


def item_of(desk: Desk, id_: int = 1) -> SessionObject:
    return desk.session.objects[id_]


@pytest.fixture
async def desk(anyio_backend: str) -> AsyncIterator[Desk]:
    settings, limits = Settings(offline=True), ServiceLimits(max_window_bytes=KEPT * EMBEDDING_BYTES)
    pictures = PictureStore(PictureLimits.of(settings), 2**30, limits)
    engine = FakeEngine()
    source = ModelSource(settings, known_models(settings), no_other)
    models = ModelPool(engine, source, settings.model_budget_bytes, limits.load_timeout_s)
    sources = Sources(pictures, ClipStore(ClipLimits(), limits))
    backend = LocalBackend.of(settings, limits, models, sources, lambda _: None)
    predictor = Predictor(backend, sources)
    image = await pictures.add(PICTURE)
    session = Session(SessionLimits(), "tiny")
    session.open(0, image)
    yield Desk(predictor, backend, engine, image, session)
    predictor.close()


def window_seen() -> WindowXyxy:
    window = seen(VIEW, 4.0, SIZE_HW, "tiny")
    assert window is not None
    return window


async def test_a_click_in_a_window_is_answered_in_its_own_pixels(desk: Desk) -> None:
    window = window_seen()
    assert size_of(window) == (256, 256)
    await desk.change(m.Click(seq=1, x=800, y=600, window=window))
    [[prompt]] = desk.engine.decoded
    assert [*prompt.points_xy] == [(800 - window[0], 600 - window[1])]
    assert desk.engine.encoded == [(256, 256)]  # from the picture's own pixels
    item = item_of(desk)
    mask = item.shown[item.chosen]
    assert [mask.window, mask.size, item.prompts[0].window] == [window, (256, 256), window]
    assert item.answer is not None
    drawn = native_mask(item, item.answer, SIZE_HW, 0.001)
    assert np.array_equal(drawn, over_picture(mask, SIZE_HW))
    assert drawn[600, 800]
    assert mask.area == np.count_nonzero(drawn)


async def test_a_second_click_outside_is_asked_in_a_window_that_has_both_and_goes_on_from_the_mask(desk: Desk) -> None:
    window = window_seen()
    await desk.change(m.Click(seq=1, x=800, y=600, window=window))
    await desk.change(m.Click(seq=2, x=1100, y=600, object=1))
    item = item_of(desk)
    wider = item.window
    assert wider is not None
    assert has(wider, (800, 600, 1100, 600))
    assert size_of(wider) > size_of(window)
    [prompt] = desk.engine.decoded[-1]
    assert [*prompt.points_xy] == [(800 - wider[0], 600 - wider[1]), (1100 - wider[0], 600 - wider[1])]
    assert prompt.mask_logits is not None
    cell = size_of(wider)[0] / len(prompt.mask_logits)
    row, column = int((600 - wider[1]) / cell), int((800 - wider[0]) / cell)
    assert prompt.mask_logits[row, column] > 0 > prompt.mask_logits[0, 0]
    await desk.change(m.Move(seq=3, object=1, point=0, x=80, y=80))
    moved = item_of(desk).prompts[0].window
    assert moved is None or has(moved, (80, 80, 80, 80))


async def test_a_thing_that_the_edge_cuts_is_asked_for_again_in_a_larger_window(desk: Desk) -> None:
    window = window_seen()
    await desk.change(m.Click(seq=1, x=window[0] + 10, y=600, window=window))
    wider = item_of(desk).window
    assert wider is None or size_of(wider) > size_of(window)
    assert wider != window


async def test_all_of_a_trail_comes_back_to_the_bit_after_its_windows_had_to_go(desk: Desk) -> None:
    await desk.change(m.Click(seq=1, x=800, y=600, window=window_seen()))
    await desk.change(m.Click(seq=2, x=1100, y=600, object=1))
    await desk.change(m.Click(seq=3, x=300, y=200, object=1, label=0))
    await desk.change(m.Paint(seq=4, object=1, path=((1000, 300), (1040, 300)), radius=5))
    item = item_of(desk)
    assert len({step.window for step in item.prompts}) > 1
    desk.backend.windows.drop()
    desk.backend.store.drop()
    again = await desk.predictor.answer(desk.image, Query(0, item))
    assert item.answer is not None
    assert item.answered(again).shown == item.shown
    assert again.memory == item.answer.memory
    await desk.change(m.Undo(seq=5))
    assert item_of(desk).shown != item.shown


async def test_strokes_outside_of_the_window_lie_over_its_mask(desk: Desk) -> None:
    window = window_seen()
    await desk.change(m.Click(seq=1, x=800, y=600, window=window))
    await desk.change(m.Paint(seq=2, object=1, path=((300, 200), (340, 200)), radius=6))
    await desk.change(m.Morph(seq=3, object=1, operation="grow", size=3))
    await desk.change(m.Click(seq=4, x=790, y=600, object=1, window=window))
    item = item_of(desk)
    assert [type(step) for step in item.trail] == [PointStep, StrokeStep, MorphStep, PointStep]
    assert item.window == window
    mask = item.shown[item.chosen]
    drawn = over_picture(mask, SIZE_HW)
    assert drawn[200, 320]
    assert drawn[600, 800]
    assert not drawn[400, 500]
    assert item.answer is not None
    assert np.array_equal(native_mask(item, item.answer, SIZE_HW, 0.001), drawn)
    other = (item.chosen + 1) % len(item.shown)
    if item.answer.lacks(other):
        fine = (await desk.predictor.drawn(desk.image, item, item.answer, other)).fine[other]
        assert fine is not None
        assert over_picture(fine, SIZE_HW)[200, 320]
    place = click_of(item, StrokeStep(path=((560, 200),), radius=8), SIZE_HW)
    assert place == pytest.approx((560, 200), abs=1)


async def test_no_hover_waits_for_a_window(desk: Desk) -> None:
    window = window_seen()
    mask = await desk.hovered(window)
    assert mask is not None
    assert mask.window is None
    assert desk.engine.encoded == [(1200, 1600)]
    await desk.backend.encode_behind(desk.predictor.key(desk.image.image_id, None, window))
    mask = await desk.hovered(window)
    assert mask is not None
    assert mask.window == window


@pytest.mark.parametrize("people", [KEPT - 1, KEPT, KEPT + 1, 16])
async def test_windows_of_many_people_stay_within_their_bound(desk: Desk, people: int) -> None:
    key = desk.predictor.key(desk.image.image_id)
    await desk.backend.encode(key)
    for number in range(people):
        x = 60.0 * number
        window = seen((x, 0, x + 100, 100), 4.0, SIZE_HW, "tiny")
        await desk.change(m.Click(seq=1 + number, x=x + 50, y=50, window=window))
    assert desk.backend.windows.stats().bytes == min(people, KEPT) * EMBEDDING_BYTES
    assert key in desk.backend.store
    assert len(desk.session.objects) == people


@pytest.mark.parametrize(("spare_bytes", "reads"), [(-1, 2), (0, 1), (1, 1)])
async def test_a_picture_stays_decoded_up_to_the_bound(
    spare_bytes: int, reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def reading(data: bytes, limits: PictureLimits) -> ImageArray:
        asked.append(len(data))
        return read_opaque(data, limits)

    monkeypatch.setattr("app.service.picture_store.read_opaque", reading)
    limits = ServiceLimits(max_decoded_bytes=60 * 40 * 3 + spare_bytes)
    pictures = PictureStore(PictureLimits.of(Settings()), 2**20, limits)
    image = await pictures.add(png(60, 40))
    for x in (0, 8):
        assert (await pictures.pixels(source_of(image.image_id, (x, 0, x + 16, 16)))).shape == (16, 16, 3)
    assert len(asked) == reads
    pictures.close()
