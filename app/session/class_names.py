"""Names that can be a list of classes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.errors import BadMessageError, Reason
from app.protocol.fields import MAX_CLASSES, MAX_NAME_CHARS


class Found(NamedTuple):
    """A class of a list, and where it stands there: `line 3`."""

    name: str
    where: str


def names_of(found: Sequence[Found]) -> tuple[str, ...]:
    """Return the names of classes that can be a list.

    Raises:
        BadMessageError: two classes of one name, one without a name, one with too long a name, or too many; the text
            says where it stands.
    """
    if len(found) > MAX_CLASSES:
        raise BadMessageError(
            Reason(
                "classes_most",
                "a list takes at most {most} classes, got {got}; leave some out",
                most=MAX_CLASSES,
                got=len(found),
            )
        )
    places: dict[str, str] = {}
    for name, where in found:
        if not name:
            raise BadMessageError(
                Reason("class_nameless", "{where}: a class without a name; give it one, or take it out", where=where)
            )
        if len(name) > MAX_NAME_CHARS:
            raise BadMessageError(
                Reason(
                    "class_long",
                    "{where}: a name takes {most} characters, got {got}; shorten it",
                    where=where,
                    most=MAX_NAME_CHARS,
                    got=len(name),
                )
            )
        if name in places:
            raise BadMessageError(
                Reason(
                    "class_twice",
                    "{where}: {name!r} is there already, at {first}; name each class once",
                    where=where,
                    name=name,
                    first=places[name],
                )
            )
        places[name] = where
    return tuple(places)
