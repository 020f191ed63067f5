"""From start to ready, cold and warm, and what a model, pictures and a session cost in memory."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from app.bench.first import new_picture
from app.bench.server import running_server
from app.bench.subjects import Subject
from app.client.session import connect

SESSIONS: Final = 32
ENCODES: Final = 10
"""Pictures encoded before memory is looked at."""
TORCH: Final = ("torch", "hydra")
"""What a server with torch's own models has loaded."""


@dataclass
class Warm:
    """Starts of a server whose model was compiled before.

    Attributes:
        ready_s: seconds from start to ready, of each.
        resident_mib: resident memory after `ENCODES` pictures, of each; nothing where the system doesn't tell.
    """

    ready_s: list[float] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Starts:
    """What starts take.

    Attributes:
        cold_s: seconds from start to ready where nothing was compiled before; torch answers.
        warm: starts where everything was.
        with_torch: the same with torch loaded before anything else, in turns with `warm`.
        session_kib: resident memory of one more session with a picture open that others have open too; None where
            the system doesn't tell.
    """

    cold_s: float
    warm: Warm
    with_torch: Warm
    session_kib: float | None


def measure_starts(subject: Subject, engine: str, empty: Path, picture: Path, rounds: int) -> Starts:
    """Return how soon a server answers, with an empty folder for compiled graphs and with the subject's.

    Args:
        subject: the model, compiled for the engine before.
        engine: of the server.
        empty: the empty folder.
        picture: what sessions open.
        rounds: warm starts of each kind.
    """
    options = subject.options(engine)
    began = time.perf_counter()
    with running_server(options, cache_dir=empty):
        cold_s = time.perf_counter() - began
    warm, with_torch = Warm(), Warm()
    for _ in range(rounds):
        start_once(subject, options, picture, (), warm)
        start_once(subject, options, picture, TORCH, with_torch)
    with running_server(options, cache_dir=subject.cache_dir) as server:
        before, after = asyncio.run(memory_of_sessions(server.url, server.pid, picture))
    each = (after - before) / SESSIONS if before is not None and after is not None else None
    return Starts(cold_s, warm, with_torch, each)


def start_once(subject: Subject, options: list[str], picture: Path, beside: tuple[str, ...], found: Warm) -> None:
    """Start a server on compiled graphs, have it encode pictures, and note what that took."""
    began = time.perf_counter()
    with running_server(options, cache_dir=subject.cache_dir, beside=beside) as server:
        found.ready_s.append(time.perf_counter() - began)
        asyncio.run(encode_many(server.url, picture))
        resident = resident_kib(server.pid)
    if resident is not None:
        found.resident_mib.append(resident / 1024)


async def encode_many(url: str, picture: Path) -> None:
    """Open `ENCODES` pictures one after the other, each encoded by the server's own model."""
    async with connect(url) as session:
        for number in range(ENCODES):
            await session.open(new_picture(picture, number))


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
    lines = ["| start | | with torch loaded first | ratio |", "|---|---|---|---|"]
    lines.append(f"| to ready, nothing compiled yet | {found.cold_s:.1f} s | | |")
    ready, burdened = median(found.warm.ready_s), median(found.with_torch.ready_s)
    lines.append(f"| to ready, compiled before | {ready:.1f} s | {burdened:.1f} s | {ready / burdened:.2f} |")
    if found.warm.resident_mib and found.with_torch.resident_mib:
        resident, burdened = median(found.warm.resident_mib), median(found.with_torch.resident_mib)
        ratio = resident / burdened
        lines.append(f"| memory after {ENCODES} pictures | {resident:.0f} MiB | {burdened:.0f} MiB | {ratio:.2f} |")
    if found.session_kib is not None:
        lines.append(f"| one more session, picture open | {found.session_kib:.0f} KiB | | |")
    return "\n".join(lines)


def as_json(found: Starts) -> dict[str, object]:
    """Return the figures for a file."""
    return asdict(found)
