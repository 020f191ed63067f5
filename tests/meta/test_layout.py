"""The shape of the code: how long a file or a function may get, and which clock is read."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.helpers.sources import tree_of

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "app").rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts)
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
WALL_CLOCK = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today"}
"""What gives the time of day, which people and time servers set."""
BETWEEN_PROCESSES = {"app/weights/reach.py", "app/web/tickets.py"}
"""What remembers a time from one start to the next, or tells another server one: only the time of day does for that."""


def name_of(path: Path) -> str:
    """Return a file as it is called in the repository."""
    return str(path.relative_to(ROOT))


def test_waits_are_measured_by_a_clock_that_never_jumps() -> None:
    read = {
        f"{name_of(path)}: {node.value.id}.{node.attr}"
        for path in SOURCES
        if name_of(path) not in BETWEEN_PROCESSES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if f"{node.value.id}.{node.attr}" in WALL_CLOCK
    }
    assert read == set()


def test_a_file_is_short() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in [*SOURCES, *TESTS, *SCRIPTS]}
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_a_function_is_short() -> None:
    long = {
        f"{name_of(path)}: {node.name}"
        for path in [*SOURCES, *TESTS]
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if (node.end_lineno or 0) - node.lineno > MAX_FUNCTION_LINES
    }
    assert long == set()
