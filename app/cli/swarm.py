"""Many sessions at once that hover and click like people do, and what they see of it.

Open loop: a hover is sent when it is due, whether or not the one before was answered, as a hand doesn't wait either;
its time counts from the moment it was due. So a server that stalls can't hide it by slowing the swarm down.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from app.cli.report import Report, Tally, report_of
from app.cli.walk import Moment, walk
from app.client import ClientSession, Image, Object, Preview, Reconnect, Timeouts, connect
from app.errors import HoverError

OnSecond: TypeAlias = Callable[[float], None]
"""Called with the seconds that have passed since the hovering began."""
_MAX_OBJECTS: Final = 12
"""Objects after which a session clears its picture."""
_REFINES: Final = 0.4
"""Share of the clicks that refine the last object and begin no new one."""
_UNDOES: Final = 0.1
"""Share of the clicks that are taken back."""
_TICK_S: Final = 0.5
"""How often progress is told."""


@dataclass(frozen=True)
class Plan:
    """What a swarm does.

    Attributes:
        pictures: files or their bytes; session number n opens picture n modulo their number.
        sessions: how many.
        rate_hz: hovers per second of each.
        duration_s: how long, from the moment when all pictures are open.
        click_every_s: seconds between the clicks of one session, on average.
        seed: the same swarm moves the same way.
        timeouts, reconnect: as in `connect`.
    """

    pictures: tuple[Path | bytes, ...]
    sessions: int = 16
    rate_hz: float = 30.0
    duration_s: float = 10.0
    click_every_s: float = 3.0
    seed: int = 0
    timeouts: Timeouts = field(default_factory=Timeouts)
    reconnect: Reconnect = field(default_factory=Reconnect)


@dataclass
class Person:
    """One session and what it has seen. `last` is the object that a click may refine."""

    rng: random.Random
    tally: Tally = field(default_factory=Tally)
    session: ClientSession | None = None
    image: Image | None = None
    last: int | None = None
    clicking: bool = False


async def swarm(url: str, plan: Plan, progress: OnSecond | None = None) -> Report:
    """Return what a swarm saw of the server at `url`.

    Raises:
        ConnectionRefusedError: nobody answers there.
        ValueError: the plan has no pictures or sessions.
    """
    if not plan.pictures or plan.sessions < 1 or plan.rate_hz <= 0 or plan.duration_s <= 0:
        raise ValueError("expected a picture, a session, a rate and a duration above 0")
    people = [Person(random.Random(f"{plan.seed}/{number}")) for number in range(plan.sessions)]  # noqa: S311
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(_arrive(stack, url, plan, number, each) for number, each in enumerate(people)))
        began, cpu_began = time.perf_counter(), time.process_time()
        watch = asyncio.create_task(_watch(began, progress))
        try:
            await asyncio.gather(*(_live(plan, each, began) for each in people))
        finally:
            watch.cancel()
        duration_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    return report_of([each.tally for each in people], rate_hz=plan.rate_hz, duration_s=duration_s, cpu_s=cpu_s)


async def _arrive(stack: AsyncExitStack, url: str, plan: Plan, number: int, person: Person) -> None:
    """Connect and open a picture; what goes wrong is counted, except that nobody answers at all, which is raised."""
    picture = plan.pictures[number % len(plan.pictures)]
    connection = connect(url, timeouts=plan.timeouts, reconnect=plan.reconnect)

    async def arrive() -> None:
        person.session = await stack.enter_async_context(connection)
        person.image = await person.session.open(picture)
        person.tally.encode_ms = person.image.encode_ms

    await _counted(person, arrive())


async def _live(plan: Plan, person: Person, began: float) -> None:
    """Hover and click until the time is over, then wait for what is on its way."""
    session, image = person.session, person.image
    if session is None or image is None:
        return
    moments = walk(
        person.rng, image.width, image.height, rate_hz=plan.rate_hz, click_every_s=plan.click_every_s
    )  # fmt: skip
    flying: set[asyncio.Task[None]] = set()
    late_s = person.rng.random() / plan.rate_hz  # people don't move in step
    for number, moment in enumerate(moments):
        due = began + late_s + number / plan.rate_hz
        if due >= began + plan.duration_s:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        work = _click(session, person, moment, due) if moment.click else _hover(session, person, moment, due)
        task = asyncio.create_task(_counted(person, work))
        flying.add(task)
        task.add_done_callback(flying.discard)
    await asyncio.gather(*flying)
    person.tally.losses = session.losses


async def _hover(session: ClientSession, person: Person, moment: Moment, due: float) -> None:
    person.tally.hovers += 1
    preview = await session.preview(moment.x, moment.y)
    if preview is not None:
        _note(person.tally.hover_ms, person.tally, preview, due)


async def _click(session: ClientSession, person: Person, moment: Moment, due: float) -> None:
    """Click for a new object or to refine the last one; now and then think better of it. One click at a time."""
    if person.clicking:
        return
    person.clicking = True
    try:
        if len(session.objects) >= _MAX_OBJECTS:
            await session.clear()
        last = person.last if person.last in session.objects and person.rng.random() < _REFINES else None
        label = 0 if last is not None and person.rng.random() < 0.5 else 1
        made = await session.click(moment.x, moment.y, label=label, object=last)
        _note(person.tally.click_ms, person.tally, made, due)
        person.last = made.id
        if person.rng.random() < _UNDOES:
            await session.undo()
    finally:
        person.clicking = False


async def _counted(person: Person, work: Coroutine[Any, Any, None]) -> None:
    """Do some work of a session; an error is counted under its code, and the session goes on."""
    try:
        await work
    except ConnectionRefusedError:
        if person.session is None:
            raise
        person.tally.errors["connection"] += 1
    except ConnectionError:
        person.tally.errors["connection"] += 1
    except TimeoutError:
        person.tally.errors["timeout"] += 1
    except HoverError as error:
        person.tally.errors[error.code] += 1


async def _watch(began: float, progress: OnSecond | None) -> None:
    while progress is not None:
        progress(time.perf_counter() - began)
        await asyncio.sleep(_TICK_S)


def _note(times_ms: list[float], tally: Tally, reply: Preview | Object, due: float) -> None:
    times_ms.append((time.perf_counter() - due) * 1000)
    tally.bytes += reply.nbytes
