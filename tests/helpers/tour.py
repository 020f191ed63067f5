"""A session that uses everything, and what a person sees of it."""

from __future__ import annotations

from collections.abc import Mapping

from app.client import ClientSession, Object
from tests.helpers.image_files import png


async def tour(session: ClientSession) -> None:
    """Use everything that changes a session, in an order in which each change depends on those before."""
    await session.open(png(160, 120))
    cup = await session.click(80, 60)
    await session.choose(cup.id, 2)
    await session.click(20, 20, object=cup.id)
    plate = await session.box((100, 10, 150, 50))
    await session.label(plate.id, "plate")
    await session.move(cup.id, 1, 20, 100)
    crumb = await session.click(5, 5)
    await session.delete(crumb.id)
    await session.undo()
    await session.undo()
    await session.redo()
    await session.click(80, 60, label=0, object=cup.id)
    await session.unpoint(cup.id, 0)
    saucer = await session.click(120, 100)
    await session.choose(saucer.id, 0)
    spoon = await session.click(40, 60)
    await session.choose(spoon.id, 2)
    await session.click(60, 60, object=spoon.id)


def told(objects: Mapping[int, Object]) -> dict[int, tuple[object, ...]]:
    """Return what a person sees of each object."""
    return {number: (each.name, each.points, each.box, each.chosen, each.masks) for number, each in objects.items()}
