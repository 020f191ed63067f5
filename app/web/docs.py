"""`/docs`: the HTTP surface and the socket, as one page that needs nothing from anywhere.

Its one script writes the address that the page came from into the commands: behind a reverse proxy the server doesn't
know it.

It says what the OpenAPI schema and the message types say, so that it can't fall behind them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency

from app import __version__
from app.web.conditional import name_version
from app.web.examples import CAT, FORMS, UPLOADED
from app.web.socket_docs import socket_docs
from app.web.words import ENGLISH, Words

Schema = dict[str, Any]
MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class InputDoc:
    """A field of a request; `name` is its path, such as `points[].x`."""

    name: str
    kind: str
    required: bool
    says: str


@dataclass(frozen=True)
class ReplyDoc:
    """A status that may come back, with an example as JSON."""

    status: str
    says: str
    example: str


@dataclass(frozen=True)
class OperationDoc:
    """One route: what goes in, what comes out, and commands that run as they stand."""

    id: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[str, ...]
    media_type: str
    inputs: tuple[InputDoc, ...]
    replies: tuple[ReplyDoc, ...]
    commands: tuple[str, ...]


@get("/docs", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=True, after_request=name_version)
def docs(request: Request[Any, Any, Any], words: NamedDependency[Mapping[str, Words]]) -> Response[str]:
    """Return the page, rendered in a worker thread: it is long, and nobody who hovers should wait for it."""
    base_url = str(request.base_url).rstrip("/")
    path: bytes = request.scope["raw_path"]  # Litestar takes the slash off the other one
    page = request.app.template_engine.get_template("docs.html").render(  # type: ignore[union-attr]
        t=words[ENGLISH],
        version=__version__,
        root="../" if path.endswith(b"/") else "",
        base_url=base_url,
        operations=operation_docs(request.app.openapi_schema.to_schema(), base_url),
        socket=socket_docs(),
        socket_url=base_url.replace("http", "ws", 1) + "/ws",
    )
    return Response(page)


def operation_docs(schema: Schema, base_url: str) -> list[OperationDoc]:
    """Return every operation of an OpenAPI schema, in its order.

    Args:
        schema: an OpenAPI 3.1 document.
        base_url: where the commands go, such as http://127.0.0.1:8000.
    """
    return [
        operation_doc(schema, base_url + path, method, path, operation)
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    ]


def operation_doc(schema: Schema, url: str, method: str, path: str, operation: Schema) -> OperationDoc:
    """Return what is said of one operation."""
    media_type, body = next(iter(operation.get("requestBody", {}).get("content", {"": {}}).items()))
    return OperationDoc(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        paragraphs=tuple(operation.get("description", "").split("\n\n")),
        media_type=media_type,
        inputs=tuple(inputs(schema, body["schema"])) if body else (),
        replies=tuple(reply_doc(status, reply) for status, reply in operation["responses"].items()),
        commands=tuple(commands(schema, url.replace("{image_id}", str(UPLOADED["image_id"])), media_type, body)),
    )


def resolved(schema: Schema, part: Schema) -> Schema:
    """Return a part of the document with its reference followed."""
    reference = part.get("$ref") or next((each["$ref"] for each in part.get("allOf", []) if "$ref" in each), None)
    if reference is None:
        return part
    found: Schema = schema["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return found


def inputs(schema: Schema, part: Schema, prefix: str = "") -> Iterator[InputDoc]:
    """Yield the fields of an object, those of the objects in it after their own."""
    record = resolved(schema, part)
    for name, field in record.get("properties", {}).items():
        path = prefix + name
        yield InputDoc(path, kind_of(schema, field), name in record.get("required", ()), said_of(field))
        inner = field.get("items", field)
        yield from inputs(schema, inner, f"{path}[]." if "items" in field else f"{path}.")


def said_of(field: Schema) -> str:
    """Return a field's description, which may be that of its one alternative to null."""
    return str(field.get("description") or next((e["description"] for e in choices(field) if "description" in e), ""))


def choices(field: Schema) -> list[Schema]:
    """Return the alternatives of a field, without null."""
    return [each for each in field.get("oneOf", []) if each.get("type") != "null"]


def kind_of(schema: Schema, field: Schema) -> str:
    """Return a field's type and bounds in a few words."""
    if choices(field):
        return " or ".join(kind_of(schema, each) for each in choices(field))
    if "enum" in field:
        return "one of " + ", ".join(map(str, field["enum"]))
    if field.get("format") == "binary":
        return "file"
    if "prefixItems" in field:
        return "[" + ", ".join(kind_of(schema, each) for each in field["prefixItems"]) + "]"
    if "items" in field:
        return f"array of {resolved(schema, field['items']).get('title') or kind_of(schema, field['items'])}"
    return str(resolved(schema, field).get("title") or field.get("type", "any"))


def reply_doc(status: str, reply: Schema) -> ReplyDoc:
    """Return what is said of one status; errors have one shape, so that only what went well has an example."""
    content = next(iter((reply.get("content") or {"": {}}).values()))
    examples = [json.dumps(example["value"]) for example in content.get("examples", {}).values()]
    return ReplyDoc(status, reply["description"], examples[0] if examples and status.startswith("2") else "")


def commands(schema: Schema, url: str, media_type: str, body: Schema) -> Iterator[str]:
    """Yield commands for a shell, one for each example; they run in the folder of the program."""
    if media_type == MULTIPART:
        line = FORMS.get(url.rpartition("/")[2])
        yield f"curl {url} -F file=@{CAT}" if line is None else f"curl '{url}{line}"
    elif body:
        part = body["schema"]
        for example in part.get("examples") or resolved(schema, part).get("examples", []):
            yield f"curl {url} -H 'content-type: {media_type}' -d {shlex.quote(json.dumps(example))}"
    elif "{" not in url:  # a part that only an answer tells
        yield f"curl {url}"
