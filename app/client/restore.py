"""A session made again from its recipe, on a server that doesn't have it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.client.book import Reply
from app.client.errors import RestoreError, passes
from app.client.link import Link
from app.client.patience import Timeouts, wait_s
from app.client.recipe import Recipe, Step
from app.client.upload import upload
from app.client.values import Gone, Image, Object
from app.client.waiters import Question
from app.errors import UnknownImageError

ANY_REPLY = (Image, Object, Gone)


@dataclass(frozen=True)
class Again:
    """Where a session is made again: the server's address, a socket to it, and how to ask one question there."""

    url: str
    link: Link
    ask: Callable[[Link, Question, float], Awaitable[Reply]]

    async def patiently(self, make: Callable[[], Question], timeout_s: float, busy_s: float) -> Reply:
        """Return the answer to a question, asked again while the server is too busy for it."""
        until = time.monotonic() + busy_s
        while True:
            try:
                return await self.ask(self.link, make(), timeout_s)
            except Exception as error:
                pause_s = wait_s(getattr(error, "retry_after_s", None), random.random)
                if not passes(error) or time.monotonic() + pause_s > until:
                    raise
            await asyncio.sleep(pause_s)


async def restore(again: Again, recipe: Recipe, timeouts: Timeouts) -> None:
    """Open the picture and make every change of the recipe again, in order.

    Raises:
        RestoreError: the recipe isn't whole, or the file of the picture has changed.
        Exception: what the server answered, or why it didn't.
    """
    if not recipe.whole:
        raise RestoreError(f"more than {len(recipe.steps)} changes were made, which is all that is remembered")
    model = recipe.model if recipe.image is None else recipe.image.model
    if model is not None and model != again.link.welcome.model:
        await _do(again, Step({"t": "model", "name": model}), timeouts)
    if recipe.image is None:
        return
    await _open(again, recipe, recipe.image, timeouts)
    for step in recipe.steps:
        await _do(again, step, timeouts)


async def _open(again: Again, recipe: Recipe, image: Image, timeouts: Timeouts) -> None:
    fields = {"t": "open", "image_id": image.image_id, "name": recipe.name}
    try:
        await _do(again, Step(fields), timeouts)
    except UnknownImageError:
        if recipe.picture is None:
            raise
        image_id = await upload(again.url, recipe.picture, timeout_s=timeouts.reply_s)
        if image_id != image.image_id:
            raise RestoreError(f"the file of {recipe.name} has changed since it was opened") from None
        await _do(again, Step(fields), timeouts)


async def _do(again: Again, step: Step, timeouts: Timeouts) -> None:
    timeout_s = timeouts.open_s if step.fields["t"] in {"open", "model"} else timeouts.reply_s
    await again.patiently(
        lambda: Question(step.fields, ANY_REPLY, made=step.made, again=True), timeout_s, timeouts.busy_s
    )
