"""The client across a server process that is killed and another that is started in its place."""

from __future__ import annotations

import asyncio
import signal

import numpy as np
import pytest

from app.client import connect, connect_blocking
from tests.helpers.image_files import png
from tests.helpers.program import PATIENT, Phoenix
from tests.helpers.tour import told

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV], ids=["killed", "crashed in native code"])
async def test_a_server_that_is_gone_in_mid_session_gets_every_prompt_again_and_none_twice(
    phoenix: Phoenix, how: signal.Signals
) -> None:
    async with connect(phoenix.url, reconnect=PATIENT) as session:
        await session.open(png(160, 120))
        cup = await session.click(80, 60)
        await session.choose(cup.id, 0)
        await session.click(20, 20, object=cup.id)
        plate = await session.box((100, 10, 150, 50))
        await session.label(plate.id, "plate")
        await session.set_classes(["bowl", "plate"])
        await session.click(5, 5, name="spoon")
        await session.undo()
        given = await session.give_mask(np.tri(120, 160, dtype=np.bool_), name="bowl")
        other = await session.paint([(10, 100), (30, 100)], 6, name="spoon")
        await session.combine("difference", [given.id, other.id])
        await session.paint([(150, 5)], 4, object=given.id, smart=True)
        await session.morph(other.id, "grow", 3)
        before = told(session.objects), session.classes

        clicks = [asyncio.create_task(session.click(x, 110, object=cup.id)) for x in range(10, 60, 10)]
        await asyncio.to_thread(phoenix.restart, how)
        await asyncio.gather(*clicks)
        assert session.losses >= 1
        cup_now = session.objects[cup.id]
        assert cup_now.points == (*cup.points, (20, 20, 1), *((x, 110, 1) for x in range(10, 60, 10)))
        assert (told(session.objects)[plate.id], session.classes) == (before[0][plate.id], before[1])

        for _ in clicks:
            await session.undo()
        assert (told(session.objects), session.classes) == before
        for _ in range(5):
            await session.undo()
        assert list(session.objects) == [cup.id, plate.id]
        await session.undo()
        assert [each.name for each in session.classes] == ["plate"]


async def test_a_list_of_classes_that_came_before_a_picture_outlives_its_server(phoenix: Phoenix) -> None:
    async with connect(phoenix.url, reconnect=PATIENT) as session:
        listed = await session.set_classes(["bowl", "plate"])
        await asyncio.to_thread(phoenix.restart, signal.SIGKILL)
        await session.open(png(160, 120))
        plate = await session.click(80, 60, name="plate")
        assert (session.classes, plate.color) == (listed, listed[1].color)


def test_a_server_that_is_restarted_in_order_is_taken_up_by_the_blocking_session_too(phoenix: Phoenix) -> None:
    with connect_blocking(phoenix.url, reconnect=PATIENT) as session:
        session.open(png(160, 120))
        cup = session.click(80, 60)
        phoenix.restart(signal.SIGTERM)
        again = session.click(20, 20, object=cup.id)
        assert (again.id, again.points) == (cup.id, ((80, 60, 1), (20, 20, 1)))
        assert again.mask[60, 80]
