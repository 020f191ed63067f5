"""Pictures to the server by HTTP. What becomes of them there is the session's matter."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import httpx
import msgspec

from app.client.dial import is_loopback
from app.errors import (
    BadMessageError,
    BusyError,
    EngineFailedError,
    HoverError,
    ImageTooLargeError,
    UnknownImageError,
    UnsupportedImageError,
)

_KIND_OF_STATUS: Final[dict[int, type[HoverError]]] = {
    400: BadMessageError,
    404: UnknownImageError,
    413: ImageTooLargeError,
    415: UnsupportedImageError,
    500: EngineFailedError,
    503: BusyError,
}


class _Uploaded(msgspec.Struct, frozen=True):
    image_id: Annotated[str, msgspec.Meta(max_length=256)]


class _Detail(msgspec.Struct, frozen=True):
    code: str
    message: str


class _Problem(msgspec.Struct, frozen=True):
    detail: _Detail


async def upload(url: str, picture: Path | bytes, *, timeout_s: float) -> str:
    """Return the id under which the server keeps the picture.

    Args:
        url: the server's address, such as http://127.0.0.1:8000.
        picture: a file, or the bytes of one: JPEG, PNG or WebP.
        timeout_s: longest silence of the network.

    Raises:
        OSError: the file can't be read.
        ConnectionError: the server does not answer.
        HoverError: the server refuses the picture; the class says why.
    """
    data = picture if isinstance(picture, bytes) else await asyncio.to_thread(picture.read_bytes)
    name = "picture" if isinstance(picture, bytes) else picture.name
    try:
        async with httpx.AsyncClient(timeout=timeout_s, trust_env=not is_loopback(url)) as client:
            response = await client.post(f"{url.rstrip('/')}/api/upload", files={"file": (name, data)})
    except httpx.HTTPError as error:
        raise ConnectionError(f"the upload to {url} failed ({error or type(error).__name__})") from error
    if response.is_success:
        return _image_id(response.content)
    raise _refusal(response)


def _image_id(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_Uploaded).image_id
    except msgspec.MsgspecError as error:
        raise BadMessageError(f"expected an image_id after the upload, got something else: {error}") from error


def _refusal(response: httpx.Response) -> HoverError:
    kind = _KIND_OF_STATUS.get(response.status_code, HoverError)
    try:
        detail = msgspec.json.decode(response.content, type=_Problem).detail
    except msgspec.MsgspecError:
        return kind(f"the server refused the upload with status {response.status_code}")
    exact = {each.code: each for each in HoverError.__subclasses__()}
    return exact.get(detail.code.lower(), kind)(detail.message)
