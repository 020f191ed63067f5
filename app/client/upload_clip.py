"""A clip to the server, by HTTP: a file as it lies on the disk, or the frames of a folder."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from app.client.cookies import Cookies
from app.client.timeline import ClipSource
from app.client.upload import answer_to
from app.errors import BadMessageError

_MAX_ANSWER_BYTES: Final = 2**22
"""Of the answer to a clip, which has a time for each of its frames."""
_PIECE_BYTES: Final = 2**20
"""How much of a file is in memory while it is sent."""
Part = tuple[bytes, Path | bytes]
"""The head of a form's field, and what is in it."""


async def upload_clip(url: str, clip: ClipSource, *, timeout_s: float, cookies: Cookies) -> str:
    """Return the id under which the server keeps a clip, or the part of it.

    Args:
        url: the server's address.
        clip: a file, its bytes, or a folder of frames.
        timeout_s: longest silence of the network, and of a server that reads the clip.
        cookies: those of the session, so that the clip reaches the server that its socket is on.

    Raises:
        OSError: the file can't be read.
        ConnectionError: the server does not answer.
        HoverError: the server refuses the clip; the class says why.
    """
    return await asyncio.to_thread(_upload, url, clip, timeout_s, cookies)


def _upload(url: str, clip: ClipSource, timeout_s: float, cookies: Cookies) -> str:
    boundary = secrets.token_hex(16)
    parts, end = parts_of(clip.file, boundary), f"\r\n--{boundary}--\r\n".encode()
    length = len(end) + sum(len(head) + size_of(data) for head, data in parts)
    part = clip.part
    query = {} if part is None else {"begin": part.begin, "end": part.end, "rate": part.rate}
    request = urllib.request.Request(  # noqa: S310 - `dial` has checked that it is an address of the web
        f"{url.rstrip('/')}/api/clips{'?' if query else ''}{urllib.parse.urlencode(query)}",
        data=body_of(parts, end),
        headers={
            "content-type": f"multipart/form-data; boundary={boundary}",
            "content-length": str(length),
            "accept": "application/json",
        },
        method="POST",
    )
    return clip_id_of(answer_to(request, url, _MAX_ANSWER_BYTES, timeout_s, cookies))


def parts_of(file: Path | bytes, boundary: str) -> list[Part]:
    """Return the fields of a form: one for a file, one for each file of a folder.

    Raises:
        OSError: the folder can't be read.
    """
    if isinstance(file, Path) and file.is_dir():
        files: Sequence[Path | bytes] = sorted(each for each in file.iterdir() if each.is_file())
    else:
        files = [file]
    parts = []
    for place, each in enumerate(files):
        name = each.name if isinstance(each, Path) else "clip"
        plain = name.encode("ascii", "replace").decode().replace("\\", "_").replace('"', "_")
        head = (
            f"{chr(13) + chr(10) if place else ''}--{boundary}\r\n"
            f'content-disposition: form-data; name="file"; filename="{plain}"\r\n'
            "content-type: application/octet-stream\r\n\r\n"
        )
        parts.append((head.encode(), each))
    return parts


def size_of(data: Path | bytes) -> int:
    """Return how many bytes a field has."""
    return data.stat().st_size if isinstance(data, Path) else len(data)


def body_of(parts: Sequence[Part], end: bytes) -> Iterator[bytes]:
    """Give a form piece by piece."""
    for head, data in parts:
        yield head
        if isinstance(data, bytes):
            yield data
        else:
            with data.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    yield piece
    yield end


def clip_id_of(content: bytes) -> str:
    """Return the id in the server's answer.

    Raises:
        BadMessageError: there is none.
    """
    try:
        return str(json.loads(content)["clip_id"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadMessageError(f"expected a clip_id after the upload, got {content[:80]!r}") from error
