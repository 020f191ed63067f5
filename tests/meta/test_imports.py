"""Who may import whom: one table for all of `app`, lowest first."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.helpers.sources import tree_of

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "app").rglob("*.py"))

ALLOWED = {
    "errors": "",
    "arrays": "",
    "logs": "",
    "machine": "",
    "wording": "",
    "protocol": "errors arrays wording",
    "settings": "protocol wording",
    "pictures": "errors arrays settings",
    "clips": "errors arrays settings protocol pictures",
    "masks": "arrays protocol",
    "session": "errors wording protocol",
    "exports": "errors arrays protocol clips masks session",
    "imports": "errors arrays wording protocol masks session exports",
    "weights": "errors settings",
    "engine": "errors arrays",
    "engine.sam2": "errors arrays masks weights engine",
    "engine.openvino": "errors arrays weights engine engine.sam2",
    "engine.factory": "errors machine settings weights engine engine.sam2 engine.openvino",
    "service": "errors arrays machine settings pictures protocol clips masks session exports weights engine "
    "engine.factory",
    "realtime": "errors settings protocol clips session exports service",
    "server.limits": "",
    "fleet": "errors arrays logs machine settings protocol masks session weights engine engine.factory service",
    "limits": "settings protocol pictures clips session engine service realtime server.limits",
    "web": "errors arrays wording settings protocol clips masks session exports imports engine service realtime limits",
    "asgi": "settings pictures clips session weights engine engine.factory service limits web",
    "server": "errors logs wording settings weights engine engine.factory fleet realtime limits asgi",
    "client": "errors arrays wording protocol",
    "cli": "errors arrays wording machine settings pictures protocol clips masks session exports imports weights "
    "engine engine.openvino engine.factory service client",
    "nano": "arrays protocol masks session weights engine engine.sam2 service",
    "bench": "errors arrays machine settings pictures protocol masks session weights engine engine.sam2 "
    "engine.openvino engine.factory service fleet client cli",
    "__main__": "errors weights server client cli nano bench",
}
"""What each package, or file beside the packages, may import besides itself: only what stands above it here."""
AT_HOME = {
    "torch": {"engine", "engine.sam2", "engine.openvino", "nano", "bench"},
    "scipy": set(),
    "sam2": {"engine.sam2", "engine.openvino", "nano", "bench"},
    "openvino": {"engine.openvino"},
    "ray": {"fleet"},
    "av": {"clips"},
    "litestar": {"web", "asgi", "server"},
    "uvicorn": {"server"},
}
"""Where alone a large library may be imported."""
TORCH = {"torch", "torchvision", "hydra", "omegaconf", "sam2"}
"""What takes seconds and 500 MB, and a server on compiled graphs needs nothing of."""
ON_TORCH = {
    "engine.sam2.engine",
    "engine.sam2.features",
    "engine.sam2.image_encoder",
    "engine.sam2.loader",
    "engine.sam2.mask_decoder",
    "engine.sam2.memory_modules",
    "engine.sam2.neck",
    "engine.sam2.torch_stages",
    "engine.sam2.trunk",
    "engine.openvino.graphs",
    "nano.batches",
    "nano.found",
    "nano.losses",
    "nano.network",
    "nano.optimiser",
    "nano.pretrained",
    "nano.recipe",
    "nano.release",
    "nano.train",
}
"""The modules that load torch with them; others import it, or one of these, inside the function that needs it."""


def node_of(module: str) -> str:
    """Return which line of the table a module of ours belongs to; an empty string for `app` itself."""
    parts = module.split(".")[1:]
    heads = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((head for head in heads if head in ALLOWED), parts[0] if parts else "")


def name_of(path: Path) -> str:
    """Return a file as a module's dotted name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return the modules that a file imports, anywhere in it."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        yield from _imported_by(node)


def _imported_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{name.name}" for name in node.names)


def loaded_with(source: ast.AST) -> Iterator[str]:
    """Return the modules that are imported as soon as a module itself is: not those of functions and of types alone."""
    for node in ast.iter_child_nodes(source):
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not (for_types or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))):
            yield from _imported_by(node)
            yield from loaded_with(node)


def reached(begin: str, imported: dict[str, set[str]]) -> set[str]:
    """Return all modules that are loaded with one, however many others are in between."""
    found: set[str] = set()
    ahead = [begin]
    while ahead:
        module = ahead.pop()
        if module not in found:
            found.add(module)
            ahead += imported.get(module, set())
    return found


def test_a_package_imports_only_what_the_table_allows() -> None:
    strangers = {
        f"{name_of(path)} imports {module}"
        for path in SOURCES
        for module in imports(path)
        if module.split(".")[0] == "app"
        for own, used in [(node_of(name_of(path)), node_of(module))]
        if module != "app.__version__"
        if used not in {"", own, *ALLOWED.get(own, "").split()}
    }
    assert strangers == set()


def test_a_package_is_allowed_only_what_stands_above_it() -> None:
    above: set[str] = set()
    for package, allowed in ALLOWED.items():
        assert set(allowed.split()) <= above, package
        above.add(package)


def test_every_package_has_its_line() -> None:
    assert {node_of(name_of(path)) for path in SOURCES} - {""} == ALLOWED.keys()


def test_a_large_library_stays_at_home() -> None:
    strays = {
        f"{name_of(path)} imports {module}"
        for path in SOURCES
        for module in imports(path)
        if node_of(name_of(path)) not in AT_HOME.get(module.split(".")[0], {node_of(name_of(path))})
    }
    assert strays == set()


def test_torch_is_loaded_with_few_modules_and_by_the_others_when_they_need_it() -> None:
    imported = {name_of(path): set(loaded_with(tree_of(path))) for path in SOURCES}
    loading = {
        module.removeprefix("app.")
        for module in imported
        if TORCH & {found.split(".")[0] for found in reached(module, imported)}
    }
    assert loading == ON_TORCH
