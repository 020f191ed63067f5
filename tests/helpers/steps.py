"""Steps of undo."""

from __future__ import annotations

from app.session.history import Timeline
from app.session.objects import Answer, SessionObject


def thing(id_: int, nbytes: int = 0) -> SessionObject:
    return SessionObject(id=id_, name="", color=0, answer=Answer((), (bytes(nbytes),), 0))


def steps_back(timeline: Timeline) -> int:
    count = 0
    while timeline.can_undo:
        timeline.undo()
        count += 1
    return count
