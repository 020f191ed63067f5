"""The order of encodes: who is waited for goes first, and nobody is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from app.service.backend import Encoded
from app.service.embeddings import EmbeddingKey
from app.service.encodes import MAX_PREPARED, Encodes

pytestmark = pytest.mark.anyio
LONG_S = 60.0


class Encoder:
    """Encodes one picture after the other, each when the test lets it.

    Attributes:
        begun: the pictures in the order in which they came.
    """

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._gates: dict[str, asyncio.Future[Encoded]] = {}

    async def __call__(self, key: EmbeddingKey) -> Encoded:
        self.begun.append(key.source)
        return await self._gates.setdefault(key.source, asyncio.get_running_loop().create_future())

    async def finish(self, image_id: str) -> None:
        self._gates[image_id].set_result(Encoded(cached=False, encode_ms=0.0))
        await settled()


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


def key(image_id: str) -> EmbeddingKey:
    return EmbeddingKey("tiny", image_id)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


async def test_prepared_pictures_are_encoded_one_after_the_other(encoder: Encoder) -> None:
    encodes = Encodes(encoder, LONG_S)
    encodes.prepare(key("a"))
    encodes.prepare(key("b"))
    await settled()
    assert encoder.begun == ["a"]
    await encoder.finish("a")
    assert encoder.begun == ["a", "b"]


async def test_a_wanted_picture_does_not_wait_for_prepared_ones(encoder: Encoder) -> None:
    encodes = Encodes(encoder, LONG_S)
    for prepared in "abc":
        encodes.prepare(key(prepared))
    await settled()
    encodes.want(key("d"))
    await settled()
    assert encoder.begun == ["a", "d"]
    assert len(encodes.before(key("d"))) == 1
    await encoder.finish("a")
    assert encoder.begun == ["a", "d"]  # b and c let d go first
    await encoder.finish("d")
    assert encoder.begun == ["a", "d", "b"]


async def test_a_prepared_picture_that_becomes_wanted_goes_at_once_and_stays_one_encode(encoder: Encoder) -> None:
    encodes = Encodes(encoder, LONG_S)
    for prepared in "abc":
        encodes.prepare(key(prepared))
    await settled()
    first, second = encodes.want(key("c")), encodes.want(key("c"))
    await settled()
    assert first is second
    assert encoder.begun == ["a", "c"]
    await encoder.finish("c")
    assert first.done()


async def test_wanted_pictures_stand_in_the_order_in_which_they_were_asked_for(encoder: Encoder) -> None:
    encodes = Encodes(encoder, LONG_S)
    tasks = [encodes.want(key(image_id)) for image_id in "ab"]
    encodes.prepare(key("c"))
    assert encodes.before(key("b")) == tasks[:1]
    assert encodes.before(key("c")) == tasks
    assert encodes.before(key("a")) == []
    await settled()
    assert encoder.begun == ["a", "b"]


async def test_a_prepared_picture_lets_others_go_first_for_a_bounded_time(encoder: Encoder) -> None:
    encodes = Encodes(encoder, 0.0)
    encodes.want(key("a"))
    encodes.prepare(key("b"))
    await settled()
    assert encoder.begun == ["a", "b"]


async def test_no_more_than_a_few_pictures_are_prepared(encoder: Encoder) -> None:
    encodes = Encodes(encoder, 0.0)
    for number in range(MAX_PREPARED + 1):
        encodes.prepare(key(str(number)))
    await settled()
    assert len(encoder.begun) == MAX_PREPARED


async def test_an_encode_that_fails_is_told_and_may_be_asked_for_again(encoder: Encoder) -> None:
    async def failing(key: EmbeddingKey) -> Encoded:
        raise ValueError("no")

    encodes = Encodes(failing, LONG_S)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await encodes.want(key("a"))


async def test_who_asks_in_the_moment_in_which_the_last_one_left_is_answered(encoder: Encoder) -> None:
    encodes = Encodes(encoder, LONG_S)
    encodes.want(key("opened"))
    leaves = asyncio.create_task(encodes.behind(key("part")))
    await settled()
    leaves.cancel()
    came = asyncio.create_task(encodes.behind(key("part")))
    await settled()
    await encoder.finish("opened")
    await encoder.finish("part")
    assert await came == Encoded(cached=False, encode_ms=0.0)
