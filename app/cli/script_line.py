"""A session as a script: JSON Lines, each line a message as the protocol has it, without `seq`. Pure; reads no file.

    # Comments and empty lines are passed over.
    {"t": "open", "picture": "cat.jpg"}
    {"t": "hover", "x": 320, "y": 200}
    {"t": "click", "x": 320, "y": 200, "as": "cat"}
    {"t": "click", "x": 80, "y": 40, "label": 0, "object": "cat"}
    {"t": "label", "object": "cat", "name": "Cat"}
    {"t": "export", "format": "coco", "out": "cat.json"}

`at` holds a line back until so many seconds after the beginning. `picture` and `out` are paths from the script's
folder; `data` in place of `picture` has the file's bytes as base64. `clip` in its place opens a clip, of which `part`
is taken and `frame` shown (`data` with a `frame` is a clip's); `track` goes on until its end. `as` gives a new object a
name, by which later lines may know it; a number is the server's own id, which counts from 1. `look` without a `view`
looks at all of the picture again.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, cast

import msgspec

from app.protocol.fields import BoxXyxy, PathXy
from app.protocol.messages import Given
from app.protocol.values import ExportOptions, ListedClasses
from app.wording import in_words

_NUMBER: Final = (int, float)
_OBJECT: Final = (int, str)
_FIELDS: Final[Mapping[str, Mapping[str, tuple[type, ...]]]] = {
    "open": {"picture": (str,), "data": (str,), "clip": (str,), "part": (list,), "frame": (int,)},
    "frame": {"index": (int,)},
    "track": {"objects": (list,), "direction": (str,), "fast": (bool,), "last": (int,)},
    "stop": {},
    "hover": {"x": _NUMBER, "y": _NUMBER, "label": (int,), "object": _OBJECT},
    "leave": {},
    "look": {"view": (list,), "scale": _NUMBER},
    "regions": {},
    "click": {
        **{"x": _NUMBER, "y": _NUMBER, "label": (int,), "object": _OBJECT},
        **{"candidate": (int,), "name": (str,), "as": (str,)},
    },
    "box": {"box": (list,), "object": _OBJECT, "name": (str,), "as": (str,)},
    "move": {"object": _OBJECT, "point": (int,), "x": _NUMBER, "y": _NUMBER},
    "unpoint": {"object": _OBJECT, "point": (int,)},
    "choose": {"object": _OBJECT, "candidate": (int,)},
    "label": {"object": _OBJECT, "name": (str,)},
    "give": {"objects": (list,), "classes": (list,), "as": (str,)},
    "combine": {"operation": (str,), "objects": (list,)},
    "refine": {"object": _OBJECT},
    "paint": {
        **{"path": (list,), "radius": _NUMBER, "label": (int,), "object": _OBJECT, "smart": (bool,)},
        **{"click": (list,), "name": (str,), "as": (str,)},
    },
    "morph": {"object": _OBJECT, "operation": (str,), "size": _NUMBER},
    "classes": {"classes": (list,)},
    "rename": {"name": (str,), "to": (str,)},
    "delete": {"object": _OBJECT},
    "clear": {},
    "undo": {},
    "redo": {},
    "model": {"name": (str,)},
    "export": {"format": (str,), "objects": (list,), "options": (dict,), "out": (str,)},
    "ping": {},
}
"""The fields of each message and their types."""
_ELEMENTS: Final[Mapping[str, tuple[type, ...]]] = {
    "box": _NUMBER,
    "part": _NUMBER,
    "objects": _OBJECT,
    "click": _NUMBER,
    "view": _NUMBER,
}
"""The types of what a list holds."""
_OPTIONAL: Final = frozenset({"label", "object", "as", "out", "picture", "data", "clip"})
"""Fields that a line may leave out, whatever its message."""
_OPTIONAL_IN: Final = {
    "open": {"part", "frame"},
    "track": {"objects", "direction", "fast", "last"},
    "click": {"candidate", "name"},
    "box": {"name"},
    "look": {"view", "scale"},
    "paint": {"smart", "click", "name"},
    "morph": {"size"},
    "give": {"classes"},
    "export": {"objects", "options"},
}
"""Those that lines of one message may leave out."""
_NEEDS_OBJECT: Final = frozenset({"move", "unpoint", "choose", "label", "delete", "refine", "morph"})
"""Messages that change an object which is there, unlike a click or a box, which may make one."""


class ScriptError(ValueError):
    """A line of a script can't be read; the text has its number, what was expected and what came."""


@dataclass(frozen=True)
class ScriptLine:
    """One line of a script.

    Attributes:
        number: of the line, from 1.
        at_s: when it is due after the beginning, in seconds; 0 is at once.
        fields: the message, with the script's own names of objects.
        name: what the script calls the object that is made.
        out: where an export goes; a path from the script's folder.
        picture: what is opened: a path from the script's folder, or the bytes of a file.
        is_clip: whether that is a clip.
    """

    number: int
    at_s: float
    fields: dict[str, Any]
    name: str | None = None
    out: str | None = None
    picture: str | bytes | None = None
    is_clip: bool = False


def read_script(lines: Iterable[str]) -> list[ScriptLine]:
    """Return the steps of a script.

    Raises:
        ScriptError: a line can't be read.
    """
    numbered = enumerate(lines, start=1)
    return [read_step(number, line) for number, line in numbered if line.strip() and not line.lstrip().startswith("#")]


def read_step(number: int, line: str) -> ScriptLine:
    """Return one line as a step; raises as `read_script`."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"line {number}: expected a JSON object, got {line.strip()[:60]!r} ({error})") from error
    if not isinstance(raw, dict) or str(raw.get("t")) not in _FIELDS:
        raise ScriptError(f"line {number}: expected an object whose t is one of {', '.join(_FIELDS)}")
    at_s = raw.pop("at", 0)
    if not _is_a(at_s, _NUMBER) or not 0 <= at_s < math.inf:
        raise ScriptError(f"line {number}: expected at to be seconds from the beginning, got {at_s!r}")
    check_fields(number, raw)
    name, out, picture = raw.pop("as", None), raw.pop("out", None), raw.pop("picture", None)
    data, is_clip = raw.pop("data", None), "clip" in raw or "frame" in raw
    picture = raw.pop("clip", None) or picture if data is None else _bytes_of(number, data)
    return ScriptLine(number, float(at_s), raw, name, out, picture, is_clip and raw["t"] == "open")


def check_fields(number: int, raw: Mapping[str, Any]) -> None:
    """Refuse a message that lacks a field, has one of another type, or one that isn't its own.

    Raises:
        ScriptError: so it is.
    """
    kind = raw["t"]
    known = _FIELDS[kind]
    needed = {*known} - _OPTIONAL - _OPTIONAL_IN.get(kind, set()) | ({"object"} if kind in _NEEDS_OBJECT else set())
    missing, unknown = sorted(needed - {*raw}), sorted({*raw} - {*known, "t"})
    if missing or unknown:
        what = f"{', '.join(missing)} is missing" if missing else f"{', '.join(unknown)} is not known"
        raise ScriptError(f"line {number}: {kind} takes {', '.join(known) or 'no fields'}; {what}")
    for field, value in raw.items():
        if field != "t" and not _is_a(value, known[field]):
            raise ScriptError(f"line {number}: expected {field} to be {_named(known[field])}, got {value!r}")
        if kind != "give" and field in _ELEMENTS and not all(_is_a(each, _ELEMENTS[field]) for each in value):
            raise ScriptError(f"line {number}: expected {field} to hold {_named(_ELEMENTS[field])}, got {value!r}")
    if "classes" in raw:
        check_elements(number, raw["classes"], ListedClasses, "classes to hold names, or name and color each")
    if "view" in raw:
        check_elements(number, raw["view"], BoxXyxy, "view to be [x0, y0, x1, y1]")
    if "options" in raw:
        check_elements(number, raw["options"], ExportOptions, "options to be those of a file")
    if kind == "give":
        check_elements(number, raw["objects"], list[Given], "objects to hold a trail each, and perhaps a name")
    if kind == "paint":
        check_elements(number, raw["path"], PathXy, "path to hold [x, y] of each place")
    out = PurePath(raw.get("out", ""))
    if out.is_absolute() or ".." in out.parts:
        raise ScriptError(f"line {number}: expected out to lie in the script's folder, got {str(out)!r}")
    if kind == "open" and len({"picture", "data", "clip"} & {*raw}) != 1:
        raise ScriptError(f"line {number}: expected picture, data or clip in open, and only one of them")
    if kind == "open" and "part" in raw and len(raw["part"]) != 3:
        raise ScriptError(f"line {number}: expected part to be [begin, end, rate], got {raw['part']!r}")


def check_elements(number: int, value: object, kind: object, expected: str) -> None:
    """Refuse a list that holds other things than it is to.

    Raises:
        ScriptError: so it does.
    """
    try:
        msgspec.convert(value, cast("Any", kind))
    except msgspec.ValidationError as error:
        raise ScriptError(f"line {number}: expected {expected}; {in_words(str(error), kind)}") from error


def _is_a(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _named(kinds: tuple[type, ...]) -> str:
    return " or ".join(each.__name__ for each in kinds)


def _bytes_of(number: int, data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ScriptError(f"line {number}: expected data as base64 ({error})") from error
