"""Who may import whom in `app`, and where the large libraries are at home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "app").rglob("*.py"))

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


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def home(path: Path) -> str:
    """Return the package or file directly inside `app` that a file belongs to."""
    return path.relative_to(ROOT / "app").parts[0]


def test_a_package_imports_only_what_lies_below_it() -> None:
    strangers = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in SOURCES
        if home(path) in ALLOWED
        for module in imports(path)
        if module.startswith("app.") and ".".join(module.split(".")[:2]) not in ALLOWED[home(path)]
    }
    assert strangers == set()


def test_a_large_library_stays_at_home() -> None:
    strays = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in SOURCES
        for module in imports(path)
        if home(path) not in AT_HOME.get(module.split(".")[0], {home(path)})
    }
    assert strays == set()
