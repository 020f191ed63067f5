"""From start to ready, cold and warm, and what a session costs in memory."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.bench.server import running_server
from app.bench.subjects import Subject
from app.client.session import connect

SESSIONS: Final = 32


@dataclass(frozen=True)
class Starts:
    """Seconds from start to ready.

    Attributes:
        cold_s: nothing was compiled before; torch answers.
        warm_s: everything was.
        session_kib: resident memory of one more session with a picture open that others have open too; None where
            the system doesn't tell.
        resident_mib: of the server before.
    """

    cold_s: float
    warm_s: float
    session_kib: float | None
    resident_mib: float | None


def measure_starts(subject: Subject, engine: str, empty: Path, picture: Path) -> Starts:
    """Return how soon a server answers, with an empty folder for compiled graphs and with the subject's.

    Args:
        subject: the model, compiled for the engine before.
        engine: of the server.
        empty: the empty folder.
        picture: what sessions open.
    """
    options = subject.options(engine)
    began = time.perf_counter()
    with running_server(options, cache_dir=empty):
        cold_s = time.perf_counter() - began
    began = time.perf_counter()
    with running_server(options, cache_dir=subject.cache_dir) as server:
        warm_s = time.perf_counter() - began
        before, after = asyncio.run(memory_of_sessions(server.url, server.pid, picture))
    known = before is not None and after is not None
    each = (after - before) / SESSIONS if before is not None and after is not None else None
    return Starts(cold_s, warm_s, each, before / 1024 if known and before is not None else None)


async def memory_of_sessions(url: str, pid: int, picture: Path) -> tuple[int | None, int | None]:
    """Return the server's resident KiB with a few sessions, and with `SESSIONS` more."""
    async with AsyncExitStack() as stack:
        for _ in range(4):  # the first ones warm up what all share
            session = await stack.enter_async_context(connect(url))
            await session.open(picture)
        before = resident_kib(pid)
        for _ in range(SESSIONS):
            session = await stack.enter_async_context(connect(url))
            await session.open(picture)
        return before, resident_kib(pid)


def resident_kib(pid: int) -> int | None:
    """Return the resident memory of a process, or None where the system has no /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), None)


def starts_table(found: Starts) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| start | |", "|---|---|"]
    lines.append(f"| to ready, nothing compiled yet | {found.cold_s:.1f} s |")
    lines.append(f"| to ready, compiled before | {found.warm_s:.1f} s |")
    if found.session_kib is not None and found.resident_mib is not None:
        lines.append(f"| memory of the server | {found.resident_mib:.0f} MiB |")
        lines.append(f"| one more session, picture open | {found.session_kib:.0f} KiB |")
    return "\n".join(lines)
