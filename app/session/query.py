"""What a session asks an engine. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from app.protocol.fields import WindowXyxy
from app.protocol.recipe import PointStep
from app.session.objects import Answer, SessionObject
from app.session.values import OpenImage


@dataclass(frozen=True)
class Query:
    """What the engine is asked: the steps of a trail that aren't answered yet, one after the other.

    Attributes:
        seq: the message that asks.
        subject: the object as it will be, or as the hover would make it.
        known: so many steps of its trail are answered.
        feedback: packed logits that they led to, None where there are none.
        kept: the answer that they led to, where the model isn't asked again because only the mask is changed by hand.
        gone: objects that go in the same step.
    """

    seq: int
    subject: SessionObject
    known: int = 0
    feedback: bytes | None = None
    kept: Answer | None = None
    gone: tuple[int, ...] = ()


def lone_click(x: float, y: float, window: WindowXyxy | None = None) -> Query:
    """Return what a click on something new asks, at `(x, y)` in pixels of the picture, for nobody's object."""
    return Query(0, SessionObject(id=0, name="", color=0, trail=(PointStep(x=x, y=y, window=window),)))


@dataclass(frozen=True)
class HoverQuery:
    """A query whose answer is only shown.

    Attributes:
        query: what the engine is asked.
        image: the picture that it is asked about.
        x, y, object: where the pointer was and what it refines; they go back to the client.
        model: the name of the model that is asked.
    """

    query: Query
    image: OpenImage
    x: float
    y: float
    object: int | None
    model: str

    @property
    def window(self) -> WindowXyxy | None:
        """The part of the picture that it is asked of; None for the whole."""
        return self.query.subject.window
