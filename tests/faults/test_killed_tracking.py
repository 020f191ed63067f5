"""A server that is killed while it follows an object: a client that kept the trails loses nothing of it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from app.protocol import messages as m
from tests.helpers.clip_files import zipped
from tests.helpers.clip_screen import ClipScreen, uploaded_clip
from tests.helpers.peer import dialled_at
from tests.helpers.program import Phoenix

pytestmark = pytest.mark.anyio

COUNT, BEGUN = 30, 10
CLIP = zipped(COUNT)


async def test_what_was_followed_when_the_server_was_killed_goes_on_where_it_was(phoenix: Phoenix) -> None:
    ws_url = f"{phoenix.url.replace('http', 'ws', 1)}/ws"
    clip_id = await uploaded_clip(phoenix.url, CLIP)
    async with dialled_at(ws_url) as peer:
        await peer.hello()
        screen = ClipScreen(peer)
        await screen.open(clip_id, BEGUN)
        await screen.click(30, 40)
        await screen.ask(m.Track(seq=next(screen.seqs)))
        recipe = screen.recipe()
        await screen.until(m.TrackProgress, lambda told: told.done >= 3)
        await asyncio.to_thread(phoenix.restart, signal.SIGKILL)
    async with dialled_at(ws_url) as peer:
        await peer.hello()
        again = ClipScreen(peer)
        gone = await again.refused(m.Open(seq=next(again.seqs), image_id=clip_id, recipe=recipe))
        assert gone.code == "unknown_image"
        assert await uploaded_clip(phoenix.url, CLIP) == clip_id
        await again.followed(await again.open(clip_id, BEGUN, recipe))
        assert {frame for _, frame in again.masks} == set(range(COUNT))
        assert {key: again.masks[key] for key in screen.masks} == screen.masks
        assert again.recipe() == recipe
