"""A picture on its way into a session, across whatever the connection does meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final, cast

from msgspec.structs import replace

from app.client.patience import Patience, pauses
from app.client.pending_requests import UNNUMBERED, Request
from app.client.reconnecting import ReconnectingSession
from app.client.timeline import ClipSource, PictureSource
from app.client.upload import name_of
from app.errors import UnknownImageError
from app.protocol.messages import Image, Open, Progress

_TRIES: Final = 3
"""Uploads of one picture: a server that restarts after the upload and before `open` doesn't know it any more."""


async def open_picture(
    reconnecting: ReconnectingSession,
    picture: PictureSource,
    progress: Callable[[Progress], None] | None,
    *,
    provisional: bool,
) -> Image:
    """Return what the server says of a picture once it takes prompts.

    Raises:
        OSError: the file can't be read, or the connection is lost for good.
        HoverError: the server refuses the picture.
        TimeoutError: no answer came in time.
    """
    message = Open(seq=UNNUMBERED, name=name_of(picture), provisional=provisional)
    return await opened(reconnecting, picture, message, progress)


async def open_clip(
    reconnecting: ReconnectingSession, clip: ClipSource, frame: int, progress: Callable[[Progress], None] | None
) -> Image:
    """Return what the server says of a clip's frame once it takes prompts; raises as `open_picture`."""
    message = Open(seq=UNNUMBERED, name=name_of(clip.file), frame=frame)
    return await opened(reconnecting, clip, message, progress)


async def opened(
    reconnecting: ReconnectingSession,
    source: PictureSource | ClipSource,
    message: Open,
    progress: Callable[[Progress], None] | None,
) -> Image:
    """Return what the server says of what was opened, uploaded again where it is forgotten before that.

    Args:
        reconnecting: the session.
        source: what is uploaded.
        message: how it is opened; its id comes from the upload.
        progress: called while the answer is on its way.
    """
    for tries_left in reversed(range(_TRIES)):
        image_id = await uploaded(reconnecting, source, provisional=message.provisional)
        request = Request(replace(message, image_id=image_id), (Image,), picture=source, progress=progress)
        try:
            return cast("Image", await reconnecting.ask(request, reconnecting.timeouts.open_s))
        except UnknownImageError:
            if not tries_left:
                raise
    raise AssertionError("the loop returns or raises")


async def uploaded(
    reconnecting: ReconnectingSession, source: PictureSource | ClipSource, *, provisional: bool = False
) -> str:
    """Return an id after an upload, tried again while the server is away or too busy; raises as `upload`."""
    patience = Patience(reconnecting.timeouts.busy_s)
    away_until = time.monotonic() + reconnecting.reconnect.give_up_s
    for pause_s in pauses(reconnecting.reconnect, random.random):
        await reconnecting.ready()
        await asyncio.sleep(pause_s)
        try:
            return await reconnecting.sent(source, provisional=provisional)
        except ConnectionError:
            if time.monotonic() >= away_until:
                raise
        except Exception as error:
            await asyncio.sleep(patience.pause_s(error))
    raise AssertionError("pauses never end")
