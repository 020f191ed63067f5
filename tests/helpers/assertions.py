"""What tests of sessions compare, and the stand-ins that they talk to it with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.arrays import MaskArray
from app.protocol import messages as m
from app.protocol.run_lengths import encode_mask
from app.service.answers import is_ambiguous
from app.session.limits import SessionLimits
from app.session.objects import Answer, without_pick
from app.session.query import Query
from app.session.session import Change, Session
from app.session.values import OpenImage

WIDTH, HEIGHT = 100, 80
IMAGE = OpenImage("picture", WIDTH, HEIGHT)
MODEL = "tiny"
LIMITS = SessionLimits(max_points=4, max_objects=3, max_history=50, max_history_bytes=2**20)


def open_session(limits: SessionLimits = LIMITS) -> Session:
    session = Session(limits, MODEL)
    session.open(0, IMAGE)
    return session


def answer_to(query: Query, memory_bytes: int = 8) -> Answer:
    """Return an answer that tells by its masks and memory which trail it answers."""
    trail = query.subject.trail
    count = 3 if is_ambiguous(trail) else 1
    mark = hash((*trail[:-1], without_pick(trail[-1]))) % 2**32
    masks = tuple(encode_mask(bits(mark + index), score=0.5 + index / 10) for index in range(count))
    memory = tuple(f"{mark}:{index}".encode().ljust(memory_bytes) for index in range(count))
    return Answer(masks, memory, count - 1)


def bits(number: int) -> MaskArray:
    return np.array([bool(number >> shift & 1) for shift in range(32)]).reshape(4, 8)


def do(session: Session, message: Change) -> Sequence[m.ServerMessage]:
    """Return the replies to a change, the engine's part played by `answer_to`."""
    step = session.step(message)
    return session.commit(step, answer_to(step)) if isinstance(step, Query) else step


def query_of(session: Session, message: Change) -> Query:
    step = session.step(message)
    assert isinstance(step, Query)
    return step


def only_object(replies: Sequence[m.ServerMessage]) -> m.Object:
    [reply] = replies
    assert isinstance(reply, m.Object)
    return reply


def only_gone(replies: Sequence[m.ServerMessage]) -> m.Gone:
    [reply] = replies
    assert isinstance(reply, m.Gone)
    return reply
