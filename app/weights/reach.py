"""Is a model's file within reach? Asked before a download that nobody asked for: no start waits for a missing network.

Decision: one short look, and none for an hour after one that failed. Context: a name server that doesn't answer, a
route that swallows packets or a dead proxy each make a connection wait for ten seconds or more, at every start.
Choice: all addresses are asked at once, in threads that may be left behind, and a failure is remembered. Price: over
a very slow line the small model runs until somebody fetches a better one.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from app.errors import ModelUnavailableError
from app.weights.cache_file import read_cache, write_cache
from app.weights.manifest import ModelEntry

LOOK_S: Final = 1.8
"""A start waits so long at most to learn whether better weights are within reach."""
AGAIN_S: Final = 3600.0
"""So long after a look that failed, starts don't wait for another."""


class FailedLook(msgspec.Struct, frozen=True):
    """Nobody had a model's file: when that was, in seconds since 1970, and who was asked."""

    at_s: Annotated[float, Meta(ge=0, le=1e11)]
    urls: tuple[str, ...]


def looked_in_vain(cache_file: Path, *, now_s: Callable[[], float] = time.time) -> bool:
    """Return whether a look less than an hour ago found no way out, for whichever model; see `within_reach`."""
    return any(0 <= now_s() - look.at_s < AGAIN_S for look in read_cache(cache_file, FailedLook).values())


def within_reach(
    entry: ModelEntry, cache_file: Path, *, look_s: float = LOOK_S, now_s: Callable[[], float] = time.time
) -> ModelEntry:
    """Return a model whose first address has its file: the first that answers, of those that it has.

    Args:
        entry: the model; it has addresses.
        cache_file: where looks that failed are remembered between starts.
        look_s: how long to look, whatever hangs.
        now_s: the system's clock, in seconds since 1970. It may have been set back.

    Raises:
        ModelUnavailableError: nobody answered with the file, now or less than an hour ago; the text names the cure.
    """
    failed = read_cache(cache_file, FailedLook)
    last, now = failed.get(entry.name), now_s()
    if last is not None and last.urls == entry.urls and 0 <= now - last.at_s < AGAIN_S:
        raise ModelUnavailableError(f"{entry.name} was out of reach at {clock_time(last.at_s)}; {cure(entry, last)}")
    reasons = []
    for url, answer in zip(entry.urls, answers(entry, look_s), strict=True):
        if answer is None:
            rest = tuple(other for other in entry.urls if other != url)
            return msgspec.structs.replace(entry, urls=(url, *rest))
        reasons.append(f"{url} {answer}")
    last = FailedLook(now, entry.urls)
    write_cache(cache_file, {**failed, entry.name: last})
    raise ModelUnavailableError(f"{entry.name} is out of reach: {'; '.join(reasons)}; {cure(entry, last)}")


def answers(entry: ModelEntry, look_s: float) -> Iterator[str | None]:
    """Yield what each address of a model says, asked all at once: None where it has the file, else why it is no use.

    After `look_s` those that still hang are left to themselves: the look-up of a name can't be stopped.
    """
    end = time.monotonic() + look_s
    boxes: list[queue.SimpleQueue[str | None]] = []
    for url in entry.urls:
        box: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        boxes.append(box)
        Thread(target=lambda url=url, box=box: box.put(look_at(url, entry, look_s)), name="look", daemon=True).start()
    for box in boxes:
        try:
            yield box.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            yield f"gave no answer within {look_s:g} s"


def look_at(url: str, entry: ModelEntry, look_s: float) -> str | None:
    """Return None where an address has a model's file, else why it is no use. Only the headers are waited for.

    The page of a hotel's network that answers for every address is no file of the right size.
    """
    import httpx  # most starts look at nothing

    try:
        with (
            httpx.Client(timeout=look_s, follow_redirects=True) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response,
        ):
            status, length = response.status_code, response.headers.get("Content-Length")
    except Exception as error:  # a name, a proxy or a certificate can be wrong in many ways, and all mean the same
        return str(error) or type(error).__name__
    if status != httpx.codes.OK:
        return f"answered {status}"
    return None if length == str(entry.bytes) else f"has another file, of {length or 'unknown'} bytes"


def cure(entry: ModelEntry, last: FailedLook) -> str:
    """Return how to get a model all the same, as the end of a sentence."""
    again = clock_time(last.at_s + AGAIN_S)
    return f"'python -m app weights fetch {entry.name}' tries at once, a start not before {again}"


def clock_time(at_s: float) -> str:
    """Return the hour and minute, here, of some seconds since 1970."""
    return time.strftime("%H:%M", time.localtime(at_s))
