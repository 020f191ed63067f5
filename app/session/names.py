"""Names that people gave: on one line, and the class that the name of an object stands for. Pure.

Decision: an object's name is its class. Context: files of other programs know classes alone, and numbers that follow
from the objects of one picture are others on the next. Choice: the session has one ordered list of classes (`classes`),
and a name that isn't in it comes to its end. Price: no object has both a class and a name of its own.
"""

from __future__ import annotations

import re
from typing import Final

from app.session.objects import SessionObject

UNNAMED_CLASS: Final = "object"
"""Class of the objects that nobody named."""
NEVER_IN_NAMES: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")
"""Control characters, the two marks that write letters backwards, and halves of characters."""
NEVER_IN_LABELS: Final = re.compile(f"[{NEVER_IN_NAMES.pattern[1:-1]}\u2028\u2029\ufffe\uffff]")
"""The same, all that ends a line anywhere, and what neither XML nor YAML can hold."""


def readable(text: str) -> str:
    """Return a text on one line, as it is but for what no label can hold: a space stands there, none at the ends."""
    return " ".join(filter(None, map(str.strip, NEVER_IN_LABELS.split(text))))


def unnamed(id_: int) -> str:
    """Return the name of an object that nobody named."""
    return f"Object {id_}"


def given_class(item: SessionObject) -> str | None:
    """Return the class that a person gave an object by its name; None where nobody did."""
    name = readable(item.name)
    return None if name in ("", unnamed(item.id)) else name


def class_name(item: SessionObject) -> str:
    """Return the class of an object, as files tell it."""
    return given_class(item) or UNNAMED_CLASS
