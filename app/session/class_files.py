"""Lists of classes out of other programs' files: a text file, YOLO's `data.yaml`, the categories of a COCO file. Pure.

Decision: the order of the file is kept, or the file is refused. Context: labels that a person has already are numbers
in that order; one line that is passed over gives all after it another number, which nobody sees. Choice: what isn't a
class is an error that names the line. Price: a file with an empty line in its middle has to be mended by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import yaml

from app.errors import BadMessageError, Reason
from app.session.class_names import Found, names_of
from app.session.names import readable
from app.wording import in_words

MAX_TEXT_BYTES: Final = 2**18
"""Of a text or YAML file: as many classes as a list takes, with names longer than people give; read in a second."""
LINE_END: Final = re.compile("\r\n|\r|\n")
FORMATS: Final = "a text file with a name on each line, a data.yaml with names, or a COCO JSON with categories"


class CocoCategory(msgspec.Struct):
    """A category as COCO has it; whatever else it says is passed over."""

    id: int
    name: str


class CocoFile(msgspec.Struct):
    """The part of a COCO file that names its classes."""

    categories: list[CocoCategory]


def read_classes(data: bytes, file_name: str) -> tuple[str, ...]:
    """Return the names of the classes in a file, in its order, which is that of their numbers.

    Args:
        data: the file.
        file_name: its name, by whose ending the format is told: `.json` is COCO, `.yaml` and `.yml` are YOLO's, every
            other is a text file with a name on each line.

    Raises:
        BadMessageError: there is no list of classes in it; the text names the line and what is wrong there.
    """
    ending = file_name.lower().rpartition(".")[2]
    if ending == "json":
        found = list(in_coco(data))
    elif ending in ("yaml", "yml"):
        found = list(in_yaml(text_of(data)))
    else:
        found = list(in_lines(text_of(data)))
    if not found:
        raise BadMessageError(Reason("classes_none", "expected {formats}; got one without a class", formats=FORMATS))
    return names_of([Found(readable(name), where) for name, where in found])


def in_lines(text: str) -> Iterator[Found]:
    """Yield the classes of a text file; empty lines at its end are none."""
    if not text.strip():
        return
    for number, line in enumerate(LINE_END.split(text.rstrip()), 1):
        yield Found(line, f"line {number}")


def in_yaml(text: str) -> Iterator[Found]:
    """Yield the classes that `names` of a YOLO data set has: a list, or numbers from 0 and a name for each.

    Names are taken as they are written: one that YAML reads as a number or as `no` is a name too.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "the file" if mark is None else f"line {mark.line + 1}"
        raise BadMessageError(
            Reason(
                "yaml",
                "{where}: no YAML ({cause})",
                where=where,
                cause=getattr(error, "problem", None) or "it is too deep",
            )
        ) from error
    names, count = member(root, "names"), member(root, "nc")
    if isinstance(names, yaml.SequenceNode):
        found = [scalar(node) for node in names.value]
    elif isinstance(names, yaml.MappingNode):
        found = in_order([(scalar(key), scalar(node)) for key, node in names.value])
    else:
        raise BadMessageError(
            Reason("yaml_names", "expected names in a data.yaml, a list or numbers from 0 with a name each; got none")
        )
    if isinstance(count, yaml.ScalarNode) and count.value != str(len(found)):
        raise BadMessageError(
            Reason(
                "yaml_count",
                "{where}: nc is {count}, but names has {got}; correct one",
                where=place(count),
                count=str(count.value)[:20],
                got=len(found),
            )
        )
    yield from found


def in_order(numbered: Sequence[tuple[Found, Found]]) -> list[Found]:
    """Return the names of numbered classes by their numbers, which count from 0 without a gap."""
    by_number: dict[int, Found] = {}
    for (number, where), name in numbered:
        if not (number.isascii() and number.isdecimal()) or int(number[:9]) in by_number:
            raise BadMessageError(
                Reason(
                    "yaml_number",
                    "{where}: expected each number once, counting from 0, got {number!r}",
                    where=where,
                    number=number[:20],
                )
            )
        by_number[int(number[:9])] = name
    for wanted in range(len(by_number)):
        if wanted not in by_number:
            raise BadMessageError(
                Reason("yaml_gap", "names has no class {wanted}; number them from 0 without a gap", wanted=wanted)
            )
    return [by_number[number] for number in range(len(by_number))]


def member(root: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return a value of a YAML document that is a map, None where it isn't there."""
    pairs: list[Any] = root.value if isinstance(root, yaml.MappingNode) else []
    return next((node for name, node in pairs if isinstance(name, yaml.ScalarNode) and name.value == key), None)


def scalar(node: yaml.Node) -> Found:
    """Return a plain value of a YAML document as it is written."""
    if not isinstance(node, yaml.ScalarNode):
        raise BadMessageError(Reason("yaml_name", "{where}: expected a name, got a list or map", where=place(node)))
    return Found(str(node.value), place(node))


def place(node: yaml.Node) -> str:
    """Return where a value of a YAML document stands."""
    return f"line {node.start_mark.line + 1}"


def in_coco(data: bytes) -> Iterator[Found]:
    """Yield the categories of a COCO file in the order of their ids, which may have gaps."""
    try:
        categories = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=CocoFile).categories
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(
            Reason(
                "categories",
                "expected a COCO JSON with categories of an id and a name each: {cause}",
                cause=in_words(str(error), CocoFile)[:200],
            )
        ) from error
    last: int | None = None
    for category in sorted(categories, key=lambda each: each.id):
        if category.id == last:
            raise BadMessageError(
                Reason(
                    "category_twice", "category {id}: two categories have this id; give each its own", id=category.id
                )
            )
        last = category.id
        yield Found(category.name, f"category {category.id}")


def text_of(data: bytes) -> str:
    """Return a file as text: UTF-8, or UTF-16 where its first bytes say so."""
    if len(data) > MAX_TEXT_BYTES:
        raise BadMessageError(
            Reason(
                "classes_long",
                "expected {formats}, of at most {most} bytes, got {got}",
                formats=FORMATS,
                most=MAX_TEXT_BYTES,
                got=len(data),
            )
        )
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadMessageError(
            Reason("classes_text", "line {line}: expected text in UTF-8; save the file as that", line=line)
        ) from error
