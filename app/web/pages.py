"""The page, rendered on the server with what it should say about model and limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Template
from rjsmin import jsmin

from app import __version__
from app.limits import AppLimits
from app.service.predictor import Predictor
from app.service.shared_state import SharedState
from app.settings import Settings
from app.web.conditional import name_version
from app.web.words import Words, chosen

STYLES: Final = Path(__file__).parents[2] / "static" / "css"
SCRIPTS: Final = Path(__file__).parents[2].resolve() / "static" / "js"
PARTS: Final = (
    *("tokens", "base", "controls", "bar", "stage"),
    *("welcome", "notes", "dock", "brush", "timeline", "film", "panel", "classes", "menus", "dialogs"),
)
"""The studio's stylesheets in their order: where two rules weigh the same, the later one counts."""


class Sample(msgspec.Struct, frozen=True):
    """A photograph that comes with the program, and where it is from."""

    file: str
    title: str
    source: str
    licence: str
    width: int
    height: int

    @property
    def name(self) -> str:
        """What the table of words calls it."""
        return Path(self.file).stem


class ShownModel(msgspec.Struct, frozen=True):
    """What the page says about the model that runs."""

    name: str
    params_m: float
    bundled: bool
    engine: str


def load_samples(static_dir: Path) -> tuple[Sample, ...]:
    """Return the bundled photographs."""
    return msgspec.json.decode((static_dir / "samples" / "sources.json").read_bytes(), type=tuple[Sample, ...])


@get("/", include_in_schema=False)
async def studio(
    request: Request[Any, Any, Any],
    *,
    predictor: NamedDependency[Predictor],
    shared_state: NamedDependency[SharedState],
    settings: NamedDependency[Settings],
    limits: NamedDependency[AppLimits],
    samples: NamedDependency[tuple[Sample, ...]],
    words: NamedDependency[Mapping[str, Words]],
) -> Template:
    """Return the studio, in the language that the browser asks for."""
    t = chosen(words, request.headers.get("accept-language", ""))
    name = predictor.model
    info = next((model for model in shared_state.models if model.name == name), None)
    params_m, bundled = (info.params_m, info.bundled) if info else (0.0, False)
    model = ShownModel(name, params_m, bundled, predictor.backend.computes().get(name, ""))
    context = {
        "version": __version__,
        "model": model,
        "samples": samples,
        "limits": settings,
        "max_clip_bytes": limits.clip.max_clip_bytes,
        "root": "",
        "t": t,
        "host": request.headers.get("host", ""),
    }
    return Template("studio.html", context=context, headers={"content-language": t.language})


@get("/studio.css", media_type="text/css", include_in_schema=False, after_request=name_version, sync_to_thread=True)
def stylesheet() -> str:
    """Return the stylesheets of the studio's parts as one, so that its first paint waits for one answer."""
    return "\n".join((STYLES / f"{part}.css").read_text(encoding="utf-8") for part in PARTS)


@get(
    "/static/js/{path:path}",
    media_type="text/javascript",
    include_in_schema=False,
    after_request=name_version,
    sync_to_thread=True,
)
def script(path: FromPath[Path]) -> str:
    """Return a module of the page as it is run: without its comments and indents, which are two fifths of its bytes.

    Raises:
        NotFoundException: there is none.
    """
    file = (SCRIPTS / str(path).lstrip("/")).resolve()
    if file.suffix != ".js" or not file.is_relative_to(SCRIPTS) or not file.is_file():
        raise NotFoundException(detail="the page has no such module")
    lean: str = jsmin(file.read_text(encoding="utf-8"))
    return lean


@get("/engines", include_in_schema=False)
async def engines(predictor: NamedDependency[Predictor]) -> dict[str, str]:
    """Return what each loaded model runs on, for the page: it may have changed since the page was rendered."""
    return dict(predictor.backend.computes())
