"""An object predicted again from its prompts alone, such as by another model.

Decision: refinement is replayed point by point. Context: a refined mask comes from logits that were fed back, and
logits of one model mean nothing to another, whose grid may even be of another size. Choice: the object's `trail` says
which points refined it and which candidate each of them began from; the same questions are asked again in order.
With the same model the answer is the same, bit for bit. Price: an object of N refinements costs N + 1 decodes.
"""

from __future__ import annotations

from dataclasses import replace

from app.session.objects import Answer, SessionObject
from app.session.session import Query, query_of


def first_query(item: SessionObject) -> Query:
    """Return the question that began the object's present answer: its prompt before any refinement."""
    return query_of(0, stage(item, 0), None)


def next_query(item: SessionObject, query: Query, answer: Answer) -> Query | None:
    """Return the question after `query` and its `answer`, or None where `answer` is the object's own."""
    refinements = len(query.subject.trail)
    if refinements == len(item.trail):
        return None
    pick = item.trail[refinements]
    return query_of(0, stage(item, refinements + 1), answer.memory[answer.best if pick is None else pick])


def stage(item: SessionObject, refinements: int) -> SessionObject:
    """Return the object as it was after so many of its refinements, without its answer; its pick is the last one's."""
    points = item.points[: len(item.points) - len(item.trail) + refinements]
    pick = item.pick if refinements == len(item.trail) else None
    return replace(item, points=points, trail=item.trail[:refinements], answer=None, pick=pick)
