"""The description of the HTTP surface for programs: `/schema/openapi.json`. `docs` renders it for people."""

from __future__ import annotations

from litestar import Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import License, Server

from app import __version__
from app.web.conditional import name_version

DESCRIPTION = """Upload a picture, then ask for masks. Points and boxes are in pixels of the upright picture.

Every error has the shape `{"detail": {"code", "message"}}`. Live previews, objects and undo go over a WebSocket,
`/ws`, which OpenAPI can't describe: `/docs` does.
"""


def openapi_config() -> OpenAPIConfig:
    """Return what the schema says of the whole.

    Decision: no ready-made viewer. Context: Litestar's five load scripts from other hosts, and from here they would
    be megabytes that need inline scripts and styles, which the page's policy forbids. Choice: the JSON alone, and
    a page of our own. Price: no form that sends requests; the page shows commands that do.
    """
    return OpenAPIConfig(
        title="HoverSAM",
        version=__version__,
        description=DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        openapi_router=Router("/schema", route_handlers=[], include_in_schema=False, after_request=name_version),
        servers=[Server("..")],  # beside the document, under whatever prefix a proxy puts it
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
    )
