"""304 for whoever has the file already: conditional requests, RFC 9110 section 13.

Decision: a hook on what is sent. Context: Litestar names the version of a file (`ETag`) and never compares it.
Choice: every answer that names its version is compared as it leaves, whichever route it is from. Price: the file is
read for nothing; the page's files are small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, Final

from litestar import Response
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.types import Message, Scope

ANY: Final = "*"
"""An `If-None-Match` that fits every version."""
ENTITY_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
WEAK: Final = "W/"
"""Marks the tag of a compressed file: the same in meaning as the file itself, not in its bytes."""
OK, NOT_MODIFIED = 200, 304
OF_THE_BODY: Final = ("content-length", "content-type", "content-encoding", "content-disposition")
"""Headers that describe a body, which a 304 hasn't."""
REVALIDATED: Final = "no-cache"
"""Browsers keep it, and ask each time whether it is new."""
ETAG_DIGITS: Final = 32
"""Hexadecimal, so 128 bits of the hash: no two bodies have the same by chance."""


async def answer_not_modified(message: Message, scope: Scope) -> None:
    """Leave the body out of an answer that the client has already; a hook before anything is sent."""
    if message["type"] == "http.response.start" and message["status"] == OK and scope.get("method") in ("GET", "HEAD"):
        outgoing, asked = MutableScopeHeaders.from_message(message), Headers.from_scope(scope)
        etag = outgoing.get("etag")
        if etag and "content-encoding" in outgoing and not etag.startswith(WEAK):
            outgoing["etag"] = WEAK + etag  # the same in meaning as the file that isn't compressed, not in its bytes
        if not is_known(asked.getall("if-none-match", []), asked.getall("if-modified-since", []), outgoing):
            return
        scope["state"]["not_modified"] = True
        message["status"] = NOT_MODIFIED
        for name in OF_THE_BODY:
            if name in outgoing:
                del outgoing[name]
    elif message["type"] == "http.response.body" and scope["state"].get("not_modified"):
        message["body"] = b""


def is_known(if_none_match: list[str], if_modified_since: list[str], answer: MutableScopeHeaders) -> bool:
    """Return whether a client has the version that an answer would give it.

    Args:
        if_none_match: the values of that header, each a list of versions or `*`; where there is one, dates don't count.
        if_modified_since: the values of that header, of which one counts only alone.
        answer: its headers; without `etag` or `last-modified` nothing can be known.
    """
    etag, changed = answer.get("etag"), answer.get("last-modified")
    if if_none_match:
        return etag is not None and matches(etag, if_none_match)
    if changed is None or len(if_modified_since) != 1:
        return False
    had, now = date_of(if_modified_since[0]), date_of(changed)
    return had is not None and now is not None and now <= had


def matches(etag: str, wanted: Iterable[str]) -> bool:
    """Return whether a version is among those of some `If-None-Match`; weak ones count as strong ones do."""
    ours = etag.removeprefix(WEAK)
    return any(value.strip() == ANY or ours in ENTITY_TAG.findall(value) for value in wanted)


def date_of(text: str) -> datetime | None:
    """Return a date of HTTP, None where it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


async def name_version(response: Response[Any]) -> Response[Any]:
    """Name the version of a text that seldom changes, so that it is sent once; a hook after a route of such a text."""
    content = response.content
    data = content.encode() if isinstance(content, str) else bytes(content)
    response.headers["etag"] = f'"{sha256(data).hexdigest()[:ETAG_DIGITS]}"'
    response.headers["cache-control"] = REVALIDATED
    return response
