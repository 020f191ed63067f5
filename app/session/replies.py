"""What a client is told of a session's state, as messages. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.protocol.messages import Classes, Gone, Image, Object
from app.session.history import Timeline
from app.session.objects import SessionObject
from app.session.values import OpenImage

StateMessage: TypeAlias = Image | Classes | Object | Gone
"""What a client is told of the picture, its objects and their classes."""
REMEMBERED_SEQS: Final = 256
"""Changes that are answered again, not done again, when a client repeats them."""


@dataclass(frozen=True)
class Touched:
    """What a change concerned: objects, there or gone, and whether the list of classes."""

    ids: tuple[int, ...] = ()
    classes: bool = False


def tell_touched(timeline: Timeline, seq: int, touched: Touched, *, provisional: bool) -> list[StateMessage]:
    """Return what a change concerned as it is now: the list of classes, objects, and those that are gone."""
    objects = timeline.now.objects
    told: list[StateMessage] = [tell_classes(timeline, seq)] if touched.classes else []
    told += [tell_object(timeline, seq, objects[id_], provisional=provisional) for id_ in touched.ids if id_ in objects]
    gone = [id_ for id_ in touched.ids if id_ not in objects]
    if gone or not told:  # every change is answered, also an undo of nothing
        told.append(tell_gone(timeline, seq, gone))
    return told


def tell_everything(timeline: Timeline, seq: int, *, provisional: bool) -> list[StateMessage]:
    """Return the classes, where there are any, and every object, for a client that starts from nothing."""
    classes: list[StateMessage] = [tell_classes(timeline, seq)] if timeline.now.classes.entries else []
    objects = timeline.now.objects.values()
    return [*classes, *(tell_object(timeline, seq, item, provisional=provisional) for item in objects)]


def tell_image(image: OpenImage, model: str, seq: int, *, provisional: bool) -> Image:
    """Return the open picture, as one that was there already."""
    return Image(
        seq=seq,
        image_id=image.image_id,
        width=image.width,
        height=image.height,
        model=model,
        cached=True,
        encode_ms=0.0,
        orientation=image.orientation,
        rendered=image.rendered,
        provisional=provisional,
    )


def tell_gone(timeline: Timeline, seq: int, ids: Iterable[int]) -> Gone:
    """Return that objects are no more."""
    return Gone(seq=seq, objects=tuple(ids), can_undo=timeline.can_undo, can_redo=timeline.can_redo)


def tell_classes(timeline: Timeline, seq: int) -> Classes:
    """Return the list of classes."""
    entries = timeline.now.classes.entries
    return Classes(seq=seq, classes=entries, can_undo=timeline.can_undo, can_redo=timeline.can_redo)


def tell_object(timeline: Timeline, seq: int, item: SessionObject, *, provisional: bool) -> Object:
    """Return an object in the colour in which it is shown."""
    return Object(
        seq=seq,
        id=item.id,
        name=item.name,
        color=timeline.now.classes.color_of(item),
        points=item.points,
        box=item.box,
        trail=item.trail,
        chosen=item.chosen,
        masks=item.shown,
        can_undo=timeline.can_undo,
        can_redo=timeline.can_redo,
        provisional=provisional,
    )
