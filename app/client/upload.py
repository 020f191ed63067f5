"""Pictures to the server and large files from it, by HTTP, with the standard library."""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Final

from app.client.cookies import Cookies
from app.client.dial import is_loopback
from app.client.timeline import PictureSource
from app.errors import (
    BadMessageError,
    BusyError,
    EngineFailedError,
    HoverError,
    ImageTooLargeError,
    RateLimitedError,
    UnknownImageError,
    UnsupportedImageError,
)

_KIND_OF_STATUS: Final[dict[int, type[HoverError]]] = {
    400: BadMessageError,
    404: UnknownImageError,
    413: ImageTooLargeError,
    415: UnsupportedImageError,
    429: RateLimitedError,
    500: EngineFailedError,
    503: BusyError,
}
"""What a status means where the answer names no code, as when a proxy gave it."""
_NOBODY_BEHIND: Final = frozenset({502, 504})
"""What a proxy answers whose server has gone: it may be there again, or another in its place."""
_MAX_ANSWER_BYTES: Final = 2**20
"""Of an answer to an upload, which has a hundred."""
_MAX_LABELS_BYTES: Final = 4 * 2**20
"""Of the objects in a label file, which a session takes 256 KiB of, and a list of classes."""
_MAX_FILE_BYTES: Final = 2**30
"""Of an exported file: a server's own limit is lower."""


async def upload(
    url: str, picture: PictureSource, *, timeout_s: float, cookies: Cookies, provisional: bool = False
) -> str:
    """Return the id under which the server keeps the picture.

    Args:
        url: the server's address, such as http://127.0.0.1:8000.
        picture: a file, or the bytes of one: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF.
        timeout_s: longest silence of the network.
        cookies: those of the session, so that the picture reaches the server that its socket is on.
        provisional: True for a picture that will be opened so.

    Raises:
        OSError: the file can't be read.
        ConnectionError: the server does not answer.
        HoverError: the server refuses the picture; the class says why.
    """
    return await asyncio.to_thread(_upload, url, picture, timeout_s, cookies, provisional)


def _upload(url: str, picture: PictureSource, timeout_s: float, cookies: Cookies, provisional: bool) -> str:
    data = picture if isinstance(picture, bytes) else picture.read_bytes()
    body, boundary = form_of(data)
    request = urllib.request.Request(  # noqa: S310 - `dial` has checked that it is an address of the web
        f"{url.rstrip('/')}/api/upload{'?provisional=true' if provisional else ''}",
        data=body,
        headers={"content-type": f"multipart/form-data; boundary={boundary}", "accept": "application/json"},
    )
    return image_id_of(answer_to(request, url, _MAX_ANSWER_BYTES, timeout_s, cookies))


async def labels_in(url: str, query: Mapping[str, str], data: bytes, *, timeout_s: float, cookies: Cookies) -> bytes:
    """Return what the server finds in a label file, as JSON; raises as `upload`.

    Args:
        url: the server's address.
        query: which picture, and what is known of the file.
        data: the file.
        timeout_s: longest silence of the network.
        cookies: those of the session, so that the server is asked which its socket is on.
    """
    body, boundary = form_of(data)
    request = urllib.request.Request(  # noqa: S310 - as below
        f"{url.rstrip('/')}/api/import?{urllib.parse.urlencode(query)}",
        data=body,
        headers={"content-type": f"multipart/form-data; boundary={boundary}", "accept": "application/json"},
    )
    return await asyncio.to_thread(answer_to, request, url, _MAX_LABELS_BYTES, timeout_s, cookies)


async def fetch(url: str, path: str, *, timeout_s: float, cookies: Cookies) -> bytes:
    """Return a file that the server has for us.

    Args:
        url: the server's address.
        path: the file's own, under it.
        timeout_s: longest silence of the network.
        cookies: those of the session, so that the server is asked which its socket is on.

    Raises:
        ConnectionError: the server does not answer, or the file was cut.
        HoverError: the server hasn't got it (any more).
    """
    request = urllib.request.Request(f"{url.rstrip('/')}/{path}")  # noqa: S310 - as above
    return await asyncio.to_thread(answer_to, request, url, _MAX_FILE_BYTES, timeout_s, cookies)


def answer_to(request: urllib.request.Request, url: str, max_bytes: int, timeout_s: float, cookies: Cookies) -> bytes:
    """Return what the server at `url` answers to a request; raises as `upload` and `fetch`."""
    for name, value in cookies.headers().items():
        request.add_unredirected_header(name, value)
    handlers = [urllib.request.ProxyHandler({})] if is_loopback(url) else []
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout_s) as response:
            answer: bytes = response.read(max_bytes)
            if int(response.headers.get("content-length") or len(answer)) != len(answer):  # `read` alone doesn't tell
                raise ConnectionError(f"the answer of {url} was cut after {len(answer)} bytes")
            return answer
    except urllib.error.HTTPError as error:
        with error:
            content = error.read(_MAX_ANSWER_BYTES)
        if error.code in _NOBODY_BEHIND and not is_ours(content):
            reason = f"the proxy at {url} reaches no server (HTTP {error.code})"
            raise ConnectionError(reason) from error
        raise refusal_of(error.code, error.headers, content) from error
    except ConnectionError:
        raise
    except (OSError, http.client.HTTPException) as error:  # nobody there, or cut on the way
        raise ConnectionError(f"a request to {url} failed ({error or type(error).__name__})") from error


def form_of(data: bytes) -> tuple[bytes, str]:
    """Return a multipart form with one field, `file`, and its boundary."""
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="picture"\r\n'
        "content-type: application/octet-stream\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode(), boundary


def image_id_of(content: bytes) -> str:
    """Return the id in the server's answer.

    Raises:
        BadMessageError: there is none.
    """
    try:
        image_id = json.loads(content)["image_id"]
    except (ValueError, TypeError, KeyError) as error:
        raise BadMessageError(f"expected an image_id after the upload, got {content[:80]!r}") from error
    return str(image_id)


def is_ours(content: bytes) -> bool:
    """Return whether an answer is in the words of a HoverSAM server, and not in a proxy's."""
    try:
        return "code" in json.loads(content)["detail"]
    except (ValueError, TypeError, KeyError):
        return False


def refusal_of(status: int, headers: Message, content: bytes) -> HoverError:
    """Return the server's refusal as the exception of its code, or of its status where it gave none that is known."""
    kind, message = _KIND_OF_STATUS.get(status, HoverError), f"the server refused with status {status}"
    try:
        detail = json.loads(content)["detail"]
        exact = {each.code: each for each in HoverError.__subclasses__()}
        kind, message = exact.get(str(detail["code"]).lower(), kind), str(detail["message"])
    except (ValueError, TypeError, KeyError):
        pass  # a proxy's own page says less than its status
    seconds = str(headers.get("retry-after", ""))
    return kind(message, retry_after_s=float(seconds) if seconds.isdigit() else None)


def name_of(picture: PictureSource) -> str | None:
    """Return what to call the picture: its name on disk; of one that is no text, what is."""
    return picture.name.encode(errors="ignore").decode() if isinstance(picture, Path) else None
