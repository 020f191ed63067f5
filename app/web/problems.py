"""Errors over HTTP: one shape for all routes, `{"detail": {"code", "message"}}`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.types import ExceptionHandlersMap

from app.errors import ClipTooLongError, HoverError, Reason, UnknownImageError
from app.wording import AT, in_words

log = structlog.get_logger(__name__)

REST_CODES: Final = {
    400: "BAD_REQUEST",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "FILE_TOO_LARGE",
    415: "UNSUPPORTED_FORMAT",
    426: "UPGRADE_REQUIRED",
    429: "RATE_LIMITED",
    503: "MODEL_NOT_READY",
}
"""The codes of the REST surface by status; anything else is MODEL_ERROR."""
MEANINGS: Final = {
    400: ("BAD_REQUEST", "what was sent can't be understood, or a point or box isn't on the picture"),
    404: ("IMAGE_NOT_FOUND", "the picture isn't kept (any more): upload it again"),
    413: ("FILE_TOO_LARGE", "too many bytes or pixels"),
    415: ("UNSUPPORTED_FORMAT", "no picture of a format that is read, or a damaged one"),
    500: ("MODEL_ERROR", "the model failed on this request; try again"),
    503: ("MODEL_NOT_READY", "too much waits, or the model isn't there: try again after `Retry-After` seconds"),
}
"""What the documentation says of the errors of a route."""
BODY: Final = "data"
"""What the framework calls what a route takes as JSON."""
MAX_REASONS: Final = 3
"""Fields that are named of a request that has more mistakes than that."""
MAX_REASON_CHARS: Final = 300
"""Of a message, which may repeat what was sent."""


class Detail(msgspec.Struct, frozen=True):
    """What went wrong: `code` for programs, `message` for people.

    `reason` and `values`, where they are there, are for programs that say it in their own words.
    """

    code: str
    message: str
    reason: str | None = None
    values: dict[str, float | str] | None = None


class Problem(msgspec.Struct, frozen=True):
    """The one shape of errors."""

    detail: Detail


def refused(*statuses: int) -> dict[int, ResponseSpec]:
    """Return how the errors of a route are documented."""
    return {status: problem_spec(*MEANINGS[status]) for status in statuses}


def problem_spec(code: str, meaning: str) -> ResponseSpec:
    """Return how one error is documented."""
    example = Example(value={"detail": {"code": code, "message": meaning}})
    return ResponseSpec(Problem, generate_examples=False, description=f"{code}: {meaning}", examples=[example])


def rest_code(kind: type[HoverError]) -> str:
    """Return the REST code of one of our errors."""
    own = {UnknownImageError: "IMAGE_NOT_FOUND", ClipTooLongError: "CLIP_TOO_LONG"}
    return own.get(kind) or REST_CODES.get(kind.http_status, "MODEL_ERROR")


def problem_handlers() -> ExceptionHandlersMap:
    """Return what answers for every error that leaves a route."""
    return {HoverError: hover_error_response, HTTPException: http_error_response, Exception: bug_response}


def unreadable_handlers() -> ExceptionHandlersMap:
    """Return what a route that reads JSON needs besides: a hostile body makes the parser raise Python's own errors."""
    return {RecursionError: unreadable_response, UnicodeDecodeError: unreadable_response}


def hover_error_response(_: Request[Any, Any, Any], error: HoverError) -> Response[dict[str, Any]]:
    """Return an error of ours with its REST code and the text that it carries."""
    wait_s = error.retry_after_s
    headers = {} if wait_s is None else {"retry-after": str(max(1, math.ceil(wait_s)))}
    return problem(error.http_status, rest_code(type(error)), error.reason or error.message, headers)


def http_error_response(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Return an error of the framework in the same shape."""
    if isinstance(error, RequestEntityTooLarge):
        bound = request.route_handler.resolve_request_max_body_size()
        text = f"{request.url.path} takes at most {bound} bytes, got more; send less, or a smaller picture"
        return problem(error.status_code, REST_CODES[413], text, {})
    code = REST_CODES.get(error.status_code, "BAD_REQUEST" if error.status_code < 500 else "MODEL_ERROR")
    headers = dict(error.headers or {})
    if "GET" in headers.get("allow", ""):
        headers["allow"] += ", HEAD"  # see `app.web.head`
    return problem(error.status_code, code, reason_of(request, error), headers)


def reason_of(request: Request[Any, Any, Any], error: HTTPException) -> str:
    """Return what the framework says, or, where it names the fields that it could not read, what was expected there."""
    if isinstance(error.detail, Reason) or not isinstance(error.extra, list):
        return error.detail
    takes = {each.name: each.annotation for each in request.route_handler.parsed_fn_signature.parameters.values()}
    reasons = [field_in_words(item.get("key", BODY), item.get("message", ""), takes) for item in error.extra]
    text = f"{request.method} {request.url.path} can't be read: {'; '.join(reasons[:MAX_REASONS])}"
    return text if len(text) <= MAX_REASON_CHARS else text[:MAX_REASON_CHARS] + "..."


def field_in_words(place: str, told: str, takes: Mapping[str, Any]) -> str:
    """Return what doesn't fit in a request.

    Args:
        place: a parameter of the route, or a field of its body.
        told: what msgspec says of it, or the parameter's name alone where there is none.
        takes: the type of each parameter of the route.
    """
    if told == repr(place):
        return "expected JSON, got nothing" if place == BODY else f"{place} is missing"
    if place == BODY or place not in takes:
        return in_words(told if place == BODY else f"{told}{AT}{place}`", takes.get(BODY))
    return f"{place}: {in_words(told, takes[place])}"


def unreadable_response(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Return the answer to a body that isn't even text, or is nested without end."""
    return problem(400, "BAD_REQUEST", f"expected JSON, got what can't be read ({type(error).__name__})", {})


def bug_response(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Return the answer to a mistake of ours: its text goes to the log, not to the client."""
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(500, "MODEL_ERROR", "the server made a mistake; try again", {})


def not_kept_response(_: Request[Any, Any, Any], error: OSError) -> Response[dict[str, Any]]:
    """Return the answer to an upload that the system didn't take: while it comes, one of over a megabyte is a file."""
    log.error("upload_not_kept", errno=error.errno, reason=error.strerror)
    text = "the server's disk takes no file now; try again, or send one under 1 MB"
    return problem(503, "MODEL_NOT_READY", text, {})


def problem(status: int, code: str, message: str, headers: dict[str, str]) -> Response[dict[str, Any]]:
    """Return the one shape of errors."""
    told = {"reason": message.key, "values": dict(message.values)} if isinstance(message, Reason) else {}
    content = {"detail": {"code": code, "message": str(message), **told}}
    return Response(content, status_code=status, media_type=MediaType.JSON, headers=headers)
