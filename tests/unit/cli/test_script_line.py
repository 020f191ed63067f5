from __future__ import annotations

import json

import pytest

from app.cli.script_line import ScriptError, read_script
from app.cli.script_line import __doc__ as explained


def test_the_example_of_the_format_is_a_script() -> None:
    assert explained is not None
    lines = [line for line in explained.splitlines() if line.startswith("    ")]
    steps = read_script(lines)
    assert [step.fields["t"] for step in steps] == ["open", "hover", "click", "click", "label", "export"]
    assert (steps[0].picture, steps[2].name, steps[-1].out) == ("cat.jpg", "cat", "cat.json")


def test_a_step_keeps_its_line_and_its_time() -> None:
    [step] = read_script(["", "# hello", '{"at": 1.5, "t": "undo"}'])
    assert (step.number, step.at_s, step.fields) == (3, 1.5, {"t": "undo"})


def test_a_picture_may_ride_in_the_script() -> None:
    [step] = read_script(['{"t": "open", "data": "/9j/"}'])
    assert step.picture == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hover 1 2", "line 1: expected a JSON object"),
        ("[]", "expected an object whose t is one of open, frame"),
        ('{"t": ["click"]}', "expected an object whose t"),
        ('{"t": "fly"}', "expected an object whose t"),
        ('{"t": "click", "x": 1}', "y is missing"),
        ('{"t": "label", "object": 1}', "name is missing"),
        ('{"t": "move", "point": 0, "x": 1, "y": 1}', "object is missing"),
        ('{"t": "click", "x": 1, "y": 2, "color": 3}', "color is not known"),
        ('{"t": "click", "x": "1", "y": 2}', "expected x to be int or float, got '1'"),
        ('{"t": "click", "x": true, "y": 2}', "expected x to be int or float, got True"),
        ('{"t": "box", "box": [1, "2", 3, 4]}', "expected box to hold int or float"),
        ('{"t": "export", "format": "coco", "objects": [[1]]}', "expected objects to hold int or str"),
        ('{"t": "look", "view": [1, 2, 3]}', "expected view to be [x0, y0, x1, y1]"),
        ('{"t": "export", "format": "cutout", "options": {"edge": "wet"}}', "expected options to be those of a file"),
        ('{"t": "open"}', "expected picture, data or clip"),
        ('{"t": "open", "picture": "a", "data": "aaaa"}', "expected picture, data or clip"),
        ('{"t": "open", "data": "?"}', "expected data as base64"),
        ('{"t": "open", "clip": "a", "picture": "b"}', "only one of them"),
        ('{"t": "open", "clip": "a", "part": [1, 2]}', "expected part to be [begin, end, rate]"),
        ('{"t": "undo", "at": -1}', "expected at to be seconds"),
        ('{"t": "undo", "at": NaN}', "expected at to be seconds"),
        ('{"t": "undo", "at": 1e999}', "expected at to be seconds"),
        ("[" * 100_000, "expected a JSON object"),
        ('{"t": "export", "format": "coco", "out": "/etc/passwd"}', "expected out to lie in the script's folder"),
        ('{"t": "export", "format": "coco", "out": "../up"}', "expected out to lie in the script's folder"),
    ],
)
def test_a_line_that_can_not_be_read_says_why(line: str, told: str) -> None:
    with pytest.raises(ScriptError) as caught:
        read_script([line])
    assert told in str(caught.value)
    assert str(caught.value).startswith("line 1: ")


EXAMPLES: list[dict[str, object]] = [
    {"t": "leave"},
    {"t": "box", "box": [1, 2, 3, 4]},
    {"t": "move", "object": 1, "point": 0, "x": 1, "y": 2},
    {"t": "unpoint", "object": 1, "point": 0},
    {"t": "choose", "object": 1, "candidate": 2},
    {"t": "clear"},
    {"t": "delete", "object": 1},
    {"t": "redo"},
    {"t": "model", "name": "tiny"},
    {"t": "ping"},
]


def test_every_message_of_the_protocol_that_a_person_sends_can_be_written() -> None:
    assert [step.fields for step in read_script(map(json.dumps, EXAMPLES))] == EXAMPLES
