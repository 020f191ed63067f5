"""A picture's embedding for a client that is told its place in the line, and then that it is its turn."""

from __future__ import annotations

import asyncio

from app.protocol.messages import Progress
from app.realtime.outbox import Outbox
from app.service.encodes import Embedded
from app.service.predictor import Predictor


async def embedded_in_turn(
    predictor: Predictor, outbox: Outbox, seq: int, image_id: str, model: str | None = None
) -> Embedded:
    """Return a picture's embedding; until then tell the place in the line whenever it is another.

    Raises:
        HoverError: see `Predictor.embed`.
        DisconnectedError: the client doesn't read.
    """
    embedding = asyncio.ensure_future(predictor.embed(image_id, model))
    try:
        told = 0
        while not embedding.done() and (before := predictor.before(image_id, model)):
            if len(before) != told:
                outbox.put(Progress(seq=seq, stage="queued", position=(told := len(before))))
            await asyncio.wait([embedding, *before], return_when=asyncio.FIRST_COMPLETED)
        outbox.put(Progress(seq=seq, stage="encoding"))
        return await embedding
    finally:
        embedding.cancel()
