"""What is told of a clip to a client on a slow line."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from app.protocol import messages as m
from app.realtime.outbox import Outbox
from app.realtime.tracks import TOLD_AT_ONCE, TrackWorker
from app.service.meters import Meters
from app.service.predictor import Predictor
from app.session.session import Session
from tests.helpers.clip_sessions import CLIP, LIMITS, follow, frame_image, step
from tests.helpers.fake_transport import FakeTransport

pytestmark = pytest.mark.anyio

COUNT = 3 * TOLD_AT_ONCE


async def test_a_client_that_reads_slowly_is_told_no_faster_and_of_every_frame() -> None:
    session = Session(LIMITS, "tiny")
    times_s = tuple(index / 25 for index in range(COUNT))
    session.open(0, frame_image(0), clip=replace(CLIP, times_s=times_s, duration_s=COUNT / 25))
    step(session, m.Click(seq=1, x=5, y=5))
    step(session, m.Track(seq=2))
    follow(session)
    transport = FakeTransport(room_for=0)
    outbox = Outbox(transport, Meters(), max_waiting=TOLD_AT_ONCE + 1, timeout_s=10, bytes_per_s=1000)
    worker = TrackWorker(session, outbox, cast("Predictor", None), "owner")
    worker.look(3)
    tasks = [asyncio.create_task(work) for work in (worker.run(), outbox.run())]
    for _ in range(COUNT - 1):
        await asyncio.sleep(0)
        assert outbox.waiting <= TOLD_AT_ONCE
        transport.make_room()
        transport.took.clear()
        await transport.took.wait()
    assert [told.frame for told in transport.messages if isinstance(told, m.Masks)] == list(range(1, COUNT))
    for task in tasks:
        task.cancel()
