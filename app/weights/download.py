"""Fetching a checkpoint: the right file or none.

Bytes go to `<file>.part`, which a later call resumes. The file gets its name only after its hash is right.
Which model to fetch is decided elsewhere (`checkpoints.choose_model`).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from app.errors import DownloadError, ModelUnavailableError
from app.weights.checkpoints import cure, file_sha256
from app.weights.manifest import ModelEntry

OnBytes = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes of the whole; what it raises stops the fetch."""

MAX_ATTEMPTS = 8
"""Requests to one address, as long as each brings the file further."""
SPARE_BYTES = 64 * 2**20
"""Room that a fetch leaves on the disk."""
CONNECT_TIMEOUT_S = 10.0
"""An address that hasn't answered by then is taken for down, and the next one is tried."""
READ_TIMEOUT_S = 30.0
"""How long an address may say nothing in the middle of a file."""
MIN_BYTES_PER_S = 1024
"""An address that sends less, over the time in which it may say nothing, is given up like one that stalls."""
LOCK_POLL_S = 0.5
"""How often it is looked whether another process has finished the same file."""


class _TransferError(Exception):
    """One request didn't bring the file to its end; another request or address may."""


def fetch(
    entry: ModelEntry,
    directory: Path,
    *,
    progress: OnBytes,
    client: httpx.Client | None = None,
    lock_timeout_s: float = 3600.0,
) -> Path:
    """Return the path of a model's checkpoint, fetched unless it is there already.

    Blocking. Two processes that ask together fetch once. What came before a failure is kept and resumed.

    Args:
        entry: the model.
        directory: the checkpoints folder, made where it is missing.
        progress: told of every piece; an exception that it raises cancels the fetch.
        client: the HTTP client; None makes one with finite timeouts that follows redirects.
        lock_timeout_s: how long to wait for another process that fetches the same file.

    Raises:
        ModelUnavailableError: every address failed, the disk is full, the folder can't be written, or the model
            has no address; the text says which, and the cure.
    """
    if not entry.urls:
        raise ModelUnavailableError(f"{entry.name} can't be fetched; {cure(entry)}")
    target = directory / entry.file
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with only_one(entry, directory, progress, lock_timeout_s):
            if not is_right(entry, target):
                _fetch_part(entry, target, progress, client)
    except OSError as error:
        raise ModelUnavailableError(
            f"{entry.file} can't be written to {directory} ({error}); free or permit it, or name another folder"
        ) from error
    return target


@contextmanager
def only_one(entry: ModelEntry, directory: Path, progress: OnBytes, timeout_s: float) -> Iterator[None]:
    """Hold the lock of the file; while another process holds it, report that process's progress."""
    lock = FileLock(directory / f".{entry.file}.lock")
    for _ in range(max(1, round(timeout_s / LOCK_POLL_S))):
        try:
            lock.acquire(timeout=LOCK_POLL_S)
            break
        except Timeout:
            progress(size_of(part_path(directory / entry.file)), entry.bytes)
    else:
        raise ModelUnavailableError(
            f"another process has been fetching {entry.file} for {timeout_s:.0f} s; wait for it, or end it"
        )
    try:
        yield
    finally:
        lock.release()


def _fetch_part(entry: ModelEntry, target: Path, progress: OnBytes, client: httpx.Client | None) -> None:
    """Bring the part to its end, and give it its name."""
    part = part_path(target)
    check_space(entry, part)
    if client is not None:
        _from_any_address(client, entry, part, progress)
    else:
        timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        with httpx.Client(timeout=timeout, follow_redirects=True) as own:
            _from_any_address(own, entry, part, progress)
    part.replace(target)


def _from_any_address(client: httpx.Client, entry: ModelEntry, part: Path, progress: OnBytes) -> None:
    """Bring the part to its end, with the right hash, from the first address that can."""
    reasons = []
    for url in entry.urls:
        reason = _from_address(client, url, entry, part, progress)
        if reason is None:
            return
        reasons.append((url, reason))
    told = "; ".join(f"{url} {reason}" for url, reason in reasons)
    raise DownloadError(
        f"{entry.name} could not be fetched: {told}. Check the network and try again, what came is "
        f"kept; or save the file by other means as {part.with_suffix('')}",
        cause=reasons[-1][1],
    )


def _from_address(client: httpx.Client, url: str, entry: ModelEntry, part: Path, progress: OnBytes) -> str | None:
    """Ask one address until the part is right (None) or a request changes nothing (the reason)."""
    reason = None
    for _ in range(MAX_ATTEMPTS):
        before = size_of(part)
        try:
            if before < entry.bytes:
                _request_rest(client, url, entry, part, progress)
            if is_right(entry, part):
                return None
            part.unlink()
            reason = "sent a file with another hash"
        except (httpx.HTTPError, _TransferError) as error:
            reason = str(error) or type(error).__name__
        if size_of(part) == before:
            break
    return reason


def _request_rest(client: httpx.Client, url: str, entry: ModelEntry, part: Path, progress: OnBytes) -> None:
    """Ask one address once for what the part lacks, and write what comes.

    Raises:
        _TransferError: the answer is of no use or stopped early.
    """
    start = size_of(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with client.stream("GET", url, headers=headers) as response:
        resumes = _check_answer(response, start, entry, part)
        with part.open("ab" if resumes else "wb") as file:
            for chunk in in_good_time(response.iter_raw(), client.timeout.read or READ_TIMEOUT_S):
                if file.tell() + len(chunk) > entry.bytes:
                    file.truncate(0)
                    raise _TransferError(f"sends more than the {entry.bytes} bytes that {entry.name} has")
                file.write(chunk)
                progress(file.tell(), entry.bytes)
            file.flush()
            os.fsync(file.fileno())
    if size_of(part) < entry.bytes:
        raise _TransferError(f"stopped after {size_of(part)} of {entry.bytes} bytes")


def in_good_time(chunks: Iterator[bytes], window_s: float) -> Iterator[bytes]:
    """Yield the chunks of an answer while each stretch of `window_s` brings enough of them.

    Raises:
        _TransferError: one brought less than `MIN_BYTES_PER_S`.
    """
    began, came = time.monotonic(), 0
    for chunk in chunks:
        yield chunk
        came += len(chunk)
        took_s = time.monotonic() - began
        if took_s >= window_s:
            if came < MIN_BYTES_PER_S * took_s:
                raise _TransferError(f"sends {came / took_s:.0f} bytes a second, less than {MIN_BYTES_PER_S}")
            began, came = time.monotonic(), 0


def _check_answer(response: httpx.Response, start: int, entry: ModelEntry, part: Path) -> bool:
    """Return True where the answer goes on at `start`, False where it begins the file again.

    Raises:
        _TransferError: it does neither, or is of another size than the checkpoint.
    """
    if response.status_code == httpx.codes.PARTIAL_CONTENT and start:
        content_range = response.headers.get("Content-Range", "")
        if content_range == f"bytes {start}-{entry.bytes - 1}/{entry.bytes}":
            return True
        part.unlink()
        raise _TransferError(f"answered with {content_range!r} where bytes {start} to {entry.bytes - 1} were asked for")
    if response.status_code == httpx.codes.OK:
        length = response.headers.get("Content-Length", str(entry.bytes))
        if length != str(entry.bytes):
            raise _TransferError(f"has a file of {length} bytes where {entry.name} has {entry.bytes}")
        return False
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)
    raise _TransferError(f"answered {response.status_code} {response.reason_phrase}")


def check_space(entry: ModelEntry, part: Path) -> None:
    """Raise `ModelUnavailableError` where the disk has no room for what the part lacks."""
    needed = entry.bytes - size_of(part) + SPARE_BYTES
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise ModelUnavailableError(
            f"{entry.name} needs {needed // 2**20} MiB in {part.parent}, {free // 2**20} MiB are free; make room, "
            "or name another folder"
        )


def part_path(target: Path) -> Path:
    """Return where the bytes of a checkpoint go before it has its name."""
    return target.with_name(f"{target.name}.part")


def size_of(path: Path) -> int:
    """Return a file's bytes, 0 where it isn't there."""
    return path.stat().st_size if path.exists() else 0


def is_right(entry: ModelEntry, path: Path) -> bool:
    """Return whether a file is a model's checkpoint, by size and hash."""
    return size_of(path) == entry.bytes and file_sha256(path) == entry.sha256
