"""The shape of the code: who may import what, and how long a file or a function may get."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "app").rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts)
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

ALLOWED = {
    "protocol": {"app.errors", "app.protocol"},
    "session": {"app.errors", "app.protocol", "app.session"},
    "engine": {"app.errors", "app.protocol", "app.engine"},
    "exports": {"app.errors", "app.protocol", "app.session", "app.exports"},
    "service": {"app.errors", "app.protocol", "app.session", "app.engine", "app.exports", "app.service"},
    "realtime": {
        "app.errors",
        "app.service",
        "app.protocol",
        "app.session",
        "app.engine",
        "app.exports",
        "app.realtime",
        "app.settings",
        "app.pictures",
    },
    "pictures": {"app.errors", "app.engine", "app.settings", "app.pictures"},
    "client": {"app.errors", "app.protocol", "app.client"},
}
"""Which packages of ours each package may import; the shells above them may import all."""
AT_HOME = {
    "torch": {"engine", "nano", "bench"},
    "litestar": {"web", "asgi.py"},
    "sam2": {"engine", "nano", "bench"},
    "openvino": {"engine"},
}
"""Where alone a large library may be imported."""
WALL_CLOCK = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today"}
"""What gives the time of day, which people and time servers set."""
BETWEEN_STARTS = {ROOT / "app" / "engine" / "look.py"}
"""What remembers a time from one start to the next, which only the time of day outlives; it bears a clock set back."""


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def home(path: Path) -> str:
    """Return the package or file directly inside `app` that a file belongs to."""
    return path.relative_to(ROOT / "app").parts[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_what_lies_below_it(path: Path) -> None:
    allowed = ALLOWED.get(home(path))
    ours = {module for module in imports(path) if module.startswith("app.")}
    if allowed is not None:
        assert {module for module in ours if ".".join(module.split(".")[:2]) not in allowed} == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_large_library_stays_at_home(path: Path) -> None:
    used = {module.split(".")[0] for module in imports(path)}
    assert {library for library in used & AT_HOME.keys() if home(path) not in AT_HOME[library]} == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_waits_are_measured_by_a_clock_that_never_jumps(path: Path) -> None:
    read = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert path in BETWEEN_STARTS or read & WALL_CLOCK == set()


@pytest.mark.parametrize("path", [*SOURCES, *TESTS, *SCRIPTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short(path: Path) -> None:
    if "node_modules" not in path.parts:
        assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_is_short(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    long = {node.name for node in functions if (node.end_lineno or 0) - node.lineno > MAX_FUNCTION_LINES}
    assert long == set()
