"""Sessions that are worked on by random changes, and made again from their recipes, on an engine without a server."""

from __future__ import annotations

from typing import NoReturn

import msgspec
from hypothesis import strategies as st

from app.arrays import ImageArray
from app.engine.contract import Embedding, Engine
from app.errors import HoverError
from app.exports.recipe import recipe_json
from app.exports.selection import ExportObject, Selection
from app.protocol import messages as m
from app.protocol.recipe import Recipe
from app.service.answers import Replay, drawn, object_answer
from app.session.limits import SessionLimits
from app.session.objects import Answer
from app.session.query import Query
from app.session.recipe import read_recipe, timeline_of
from app.session.session import Change, Session
from app.session.values import OpenImage

LIMITS = SessionLimits(max_points=6, max_objects=5, max_history=8, max_history_bytes=2**24)
SPECK_SHARE = 0.001


class Worker:
    """One picture, one engine: answers queries as the server does."""

    def __init__(self, engine: Engine, pixels: ImageArray) -> None:
        self.engine = engine
        self.image = OpenImage("0123456789abcdef", pixels.shape[1], pixels.shape[0])
        self.embedding: Embedding = engine.encode(pixels)

    def session(self) -> Session:
        session = Session(LIMITS, self.engine.model)
        session.open(0, self.image, "cat.jpg")
        return session

    def answer(self, query: Query) -> Answer:
        found = Replay(query, self.image.size_hw, self.engine, self.embedding).all()
        return object_answer(found, self.image.size_hw, SPECK_SHARE, query.subject)

    def do(self, session: Session, message: Change) -> None:
        """Make a change; one that can't be made is left out, as it is in life."""
        item = session.undrawn(message) if isinstance(message, m.Choose) else None
        if item is not None and item.answer is not None and isinstance(message, m.Choose):
            answer = drawn(item, item.answer, message.candidate, self.image.size_hw, SPECK_SHARE)
            session.renew([(item, answer)])
        try:
            step = session.step(message)
        except HoverError:
            return
        if isinstance(step, Query):
            session.commit(step, self.answer(step))

    def again(self, recipe: Recipe) -> Session:
        session = Session(LIMITS, self.engine.model)
        timeline = timeline_of(recipe, self.image, LIMITS)
        answers = [self.answer(Query(0, item)) for item in timeline.now.objects.values()]
        session.open(0, self.image, recipe.name, timeline=timeline.answered(answers))
        return session


def recipe_of(session: Session) -> Recipe:
    """Return a session's recipe as it comes back from a file."""
    assert session.image is not None
    objects = tuple(ExportObject(item, 0.0, no_mask) for item in session.objects.values())
    image, name, model = session.image, session.image_name, session.model
    return read_recipe(recipe_json(Selection(image, name, model, objects, no_mask, session.classes)))


def no_mask() -> NoReturn:
    raise AssertionError("a recipe needs no pixels")


def changes(width: int, height: int) -> st.SearchStrategy[list[Change]]:
    """Return random histories: most changes fit, some don't."""
    xs, ys, labels = st.floats(0, width), st.floats(0, height), st.integers(0, 1)
    ids, few = st.integers(1, 4), st.integers(0, 2)
    boxes = st.tuples(st.floats(0, width / 2), st.floats(0, height / 2)).map(
        lambda xy: (xy[0], xy[1], xy[0] + width / 2, xy[1] + height / 2)
    )
    kinds = [
        st.builds(m.Click, seq=st.just(0), x=xs, y=ys, label=labels, object=st.none() | ids),
        st.builds(m.Click, seq=st.just(0), x=xs, y=ys, label=labels, object=ids),
        st.builds(m.Box, seq=st.just(0), box=boxes, object=st.none() | ids),
        st.builds(m.Choose, seq=st.just(0), object=ids, candidate=few),
        st.builds(m.Move, seq=st.just(0), object=ids, point=few, x=xs, y=ys),
        st.builds(m.Unpoint, seq=st.just(0), object=ids, point=few),
        st.builds(m.Label, seq=st.just(0), object=ids, name=st.text(max_size=5)),
        st.builds(m.Click, seq=st.just(0), x=xs, y=ys, name=st.sampled_from(["cat", "dog"])),
        st.builds(m.SetClasses, seq=st.just(0), classes=st.just(("dog", "mouse"))),
        st.builds(m.RenameClass, seq=st.just(0), name=st.just("dog"), to=st.sampled_from(["cat", "wolf", ""])),
        st.builds(m.Delete, seq=st.just(0), object=ids),
        st.builds(m.Undo, seq=st.just(0)),
        st.builds(m.Redo, seq=st.just(0)),
    ]
    return st.lists(st.one_of(*kinds), max_size=25).map(numbered)


def numbered(messages: list[Change]) -> list[Change]:
    return [msgspec.structs.replace(message, seq=seq) for seq, message in enumerate(messages, 1)]
