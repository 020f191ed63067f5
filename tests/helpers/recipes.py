"""Sessions that are worked on by random changes, and made again from their recipes, on an engine without a server."""

from __future__ import annotations

import contextlib
from typing import NoReturn, get_args

import msgspec
import numpy as np
from hypothesis import strategies as st

from app.arrays import ImageArray
from app.engine.contract import Embedding, Engine
from app.errors import HoverError
from app.exports.recipe import recipe_json
from app.exports.selection import ExportObject, Selection
from app.protocol import messages as m
from app.protocol.counts import counts_of
from app.protocol.fields import Morphology
from app.protocol.recipe import MaskStep, PointStep, Recipe, Step, StrokeStep
from app.service.answers import Replay, decodes_left, drawn, object_answer
from app.service.by_hand import by_hand, click_of, combined, strays
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
        if not decodes_left(query):
            return by_hand(query, self.image.size_hw, SPECK_SHARE)
        found = Replay(query, self.image.size_hw, self.engine, self.embedding).all()
        return object_answer(found, self.image.size_hw, SPECK_SHARE, query.subject)

    def do(self, session: Session, message: Change | m.Give) -> None:
        """Make a change; one that can't be made is left out, as it is in life."""
        with contextlib.suppress(HoverError):
            self.change(session, message)

    def change(self, session: Session, message: Change | m.Give) -> None:
        """Make a change as the server does; raises where it can't be made."""
        item = session.undrawn(message) if isinstance(message, m.Choose) else None
        if item is not None and item.answer is not None and isinstance(message, m.Choose):
            answer = drawn(item, item.answer, message.candidate, self.image.size_hw, SPECK_SHARE)
            session.renew([(item, answer)])
        if isinstance(message, m.Give):
            queries = session.given(message)
            answered = [(query.subject, self.answer(query)) for query in queries]
            session.commit_all(message.seq, answered, listed=message.classes)
            return
        combined_mask, size_hw = None, self.image.size_hw
        if isinstance(message, m.Combine):
            combined_mask = combined(session.combining(message), message.operation, size_hw, SPECK_SHARE)
        smart = session.smart(message) if isinstance(message, m.Paint) else None
        if smart is not None and isinstance(message, m.Paint):
            stroke = StrokeStep(path=message.path, radius=message.radius, label=message.label)
            click = click_of(smart, stroke, size_hw)
            clicked = session.step(msgspec.structs.replace(message, click=click))
            found = self.answer(clicked) if click is not None and isinstance(clicked, Query) else None
            if found is not None and not strays(smart, found.masks[found.best], stroke, size_hw):
                assert isinstance(clicked, Query)
                session.commit(clicked, found)
                return
        step = session.step(message, combined_mask)
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


def given_trails(width: int, height: int) -> st.SearchStrategy[tuple[Step, ...]]:
    """Return trails that begin with a given mask, a rectangle."""

    def trail(x: int, y: int, more: bool) -> tuple[Step, ...]:
        mask_hw = np.zeros((height, width), np.bool_)
        mask_hw[y : y + 20, x : x + 30] = True
        mask = MaskStep(size=(height, width), counts=counts_of(mask_hw))
        return (mask, PointStep(x=x, y=y)) if more else (mask,)

    return st.builds(trail, st.integers(0, width - 9), st.integers(0, height - 9), st.booleans())


def strokes(width: int, height: int, objects: st.SearchStrategy[int | None]) -> st.SearchStrategy[m.Paint]:
    """Return strokes of a brush and an eraser."""
    places = st.tuples(st.floats(0, width), st.floats(0, height))
    return st.builds(
        m.Paint,
        seq=st.just(0),
        path=st.lists(places, min_size=1, max_size=4).map(tuple),
        radius=st.floats(0.5, 12),
        label=st.integers(0, 1),
        object=objects,
        smart=st.booleans(),
    )


def changes(width: int, height: int) -> st.SearchStrategy[list[Change | m.Give]]:
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
        st.builds(m.Give, seq=st.just(0), objects=st.tuples(st.builds(m.Given, trail=given_trails(width, height)))),
        st.builds(
            m.Combine,
            seq=st.just(0),
            operation=st.sampled_from(["union", "difference", "intersection"]),
            objects=st.tuples(ids, ids),
        ),
        st.builds(m.Refine, seq=st.just(0), object=ids),
        strokes(width, height, st.none() | ids),
        strokes(width, height, ids),
        st.builds(
            m.Morph,
            seq=st.just(0),
            object=ids,
            operation=st.sampled_from(get_args(Morphology)),
            size=st.none() | st.floats(0.5, 12),
        ),
        st.builds(m.Label, seq=st.just(0), object=ids, name=st.text(max_size=5)),
        st.builds(m.Click, seq=st.just(0), x=xs, y=ys, name=st.sampled_from(["cat", "dog"])),
        st.builds(m.SetClasses, seq=st.just(0), classes=st.just(("dog", "mouse"))),
        st.builds(m.RenameClass, seq=st.just(0), name=st.just("dog"), to=st.sampled_from(["cat", "wolf", ""])),
        st.builds(m.Delete, seq=st.just(0), object=ids),
        st.builds(m.Undo, seq=st.just(0)),
        st.builds(m.Redo, seq=st.just(0)),
    ]
    return st.lists(st.one_of(*kinds), max_size=25).map(numbered)


def numbered(messages: list[Change | m.Give]) -> list[Change | m.Give]:
    return [msgspec.structs.replace(message, seq=seq) for seq, message in enumerate(messages, 1)]
