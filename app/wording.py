"""What msgspec finds wrong with a value, in the words of whoever wrote the value. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import inspect

TYPES: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "bytes": "bytes",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
"""What msgspec calls a type, and what people call it."""
AT: Final = " - at `"
"""What msgspec puts between its reason and the place."""
MAX_NAMES: Final = 40
"""Of a choice; a longer one isn't told."""


def in_words(reason: str, kind: object) -> str:
    """Return where a value doesn't fit its type, and what was expected there: `options.edge: expected hard or soft`.

    Args:
        reason: the text of msgspec's ValidationError.
        kind: the type that was asked for, which knows the names of a choice and what a pattern means; None where that
            can't be told.
    """
    told, _, path = reason.partition(AT)
    place = path.replace("key` in `$", "$.key").rstrip("`").removeprefix("$").removeprefix(".")
    words = expected(told, place, kind)
    return f"{place}: {words}" if place else words


def expected(told: str, place: str, kind: object) -> str:
    """Return what was expected at a place.

    Args:
        told: what msgspec says of it, without the place.
        place: fields and indices below the whole, such as `objects[0].name`.
        kind: the type of the whole.
    """
    if match := re.fullmatch(r"Object (missing required|contains unknown) field `(.*)`", told):
        return f"{match[2]} is missing" if match[1].startswith("missing") else f"{match[2]} is no field that is known"
    if match := re.fullmatch(r"Invalid (?:enum )?value (.*)", told):
        names = list(dict.fromkeys(name for each in kinds_at(kind, place) for name in names_of(each)))[:MAX_NAMES]
        return f"expected {one_of(names)}, got {match[1]}" if names else f"there is no {match[1]}"
    if " matching regex " in told:
        meanings = [meaning for each in kinds_at(kind, place) for meaning in meanings_of(each)]
        return f"expected {meanings[0] if meanings else 'text of another form'}"
    if not told.startswith("Expected "):
        return told
    plain = told.removeprefix("Expected ").replace(" | null", "")
    return "expected " + re.sub(r"`([a-z |]+)`", lambda match: called(match[1]), plain)


def called(types: str) -> str:
    """Return what people call some of msgspec's types."""
    return " or ".join(TYPES.get(each, each) for each in types.split(" | "))


def one_of(names: list[str]) -> str:
    """Return a choice as a sentence has it."""
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def kinds_at(kind: object, place: str) -> list[inspect.Type]:
    """Return the types that a place may have, of each member of a union that has it."""
    kinds = [] if kind is None else [inspect.type_info(kind)]
    for step in re.findall(r"\[[^\]]*\]|[^.\[]+", place):
        kinds = [inner for each in kinds for inner in inside(each, step)]
    return kinds


def inside(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    """Yield the types of a field, or of the items of a list."""
    match kind:
        case inspect.Metadata():
            yield from inside(kind.type, step)
        case inspect.UnionType():
            for each in kind.types:
                yield from inside(each, step)
        case inspect.StructType():
            if step == kind.tag_field:
                yield inspect.LiteralType((kind.tag,))
            yield from (each.type for each in kind.fields if each.encode_name == step)
        case inspect.ListType() | inspect.VarTupleType():
            yield kind.item_type
        case inspect.TupleType():
            yield from kind.item_types


def names_of(kind: inspect.Type) -> Iterator[str]:
    """Yield the names that a choice is between."""
    match kind:
        case inspect.Metadata():
            yield from names_of(kind.type)
        case inspect.UnionType():
            for each in kind.types:
                yield from names_of(each)
        case inspect.LiteralType():
            yield from map(str, kind.values)


def meanings_of(kind: inspect.Type) -> Iterator[str]:
    """Yield how a type is described."""
    match kind:
        case inspect.UnionType():
            for each in kind.types:
                yield from meanings_of(each)
        case inspect.Metadata():
            described = (kind.extra_json_schema or {}).get("description")
            yield from [described] if described else meanings_of(kind.type)
