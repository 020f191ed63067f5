"""Errors over HTTP: one shape for all routes, `{"detail": {"code", "message"}}`."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from app.errors import BusyError, HoverError, ModelUnavailableError

log = structlog.get_logger(__name__)

REST_CODES = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "FILE_TOO_LARGE",
    415: "UNSUPPORTED_FORMAT",
    429: "RATE_LIMITED",
    503: "MODEL_NOT_READY",
}
"""The codes of the REST surface by status; anything else is MODEL_ERROR."""


def hover_error_response(_: Request[Any, Any, Any], error: HoverError) -> Response[dict[str, Any]]:
    """Return an error of ours with its REST code and the text that it carries."""
    code = "IMAGE_NOT_FOUND" if error.code == "unknown_image" else REST_CODES.get(error.http_status, "MODEL_ERROR")
    waits = isinstance(error, (BusyError, ModelUnavailableError)) and error.retry_after_s is not None
    headers = {"retry-after": f"{max(1, round(error.retry_after_s or 1))}"} if waits else {}
    return problem(error.http_status, code, error.message, headers)


def http_error_response(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Return an error of the framework in the same shape."""
    code = REST_CODES.get(error.status_code, "MODEL_ERROR")
    return problem(error.status_code, code, error.detail, error.headers or {})


def bug_response(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Return the answer to a mistake of ours: its text goes to the log, not to the client."""
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(500, "MODEL_ERROR", "the server made a mistake; try again", {})


def problem(status: int, code: str, message: str, headers: dict[str, str]) -> Response[dict[str, Any]]:
    """Return the one shape of errors."""
    content = {"detail": {"code": code, "message": message}}
    return Response(content, status_code=status, media_type=MediaType.JSON, headers=headers)
