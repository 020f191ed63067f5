"""A picture's embedding for a client that is told its place in the line, and then that it is its turn."""

from __future__ import annotations

import asyncio

from app.protocol.messages import Progress
from app.realtime.outbox import Outbox
from app.service.backend import Backend, Encoded
from app.service.embeddings import EmbeddingKey


async def embedded_in_turn(backend: Backend, outbox: Outbox, seq: int, key: EmbeddingKey) -> Encoded:
    """Return a picture's embedding; until then tell the place in the line whenever it is another.

    Raises:
        HoverError: see `Backend.encode`.
        DisconnectedError: the client doesn't read.
    """
    embedding = asyncio.ensure_future(backend.encode(key))
    try:
        told = 0
        while not embedding.done() and (before := backend.before(key)):
            if len(before) != told:
                outbox.put(Progress(seq=seq, stage="queued", position=(told := len(before))))
            await asyncio.wait([embedding, *before], return_when=asyncio.FIRST_COMPLETED)
        outbox.put(Progress(seq=seq, stage="encoding"))
        return await embedding
    finally:
        embedding.cancel()
