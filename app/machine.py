"""What this machine computes with: its processor, and the cores and memory that we may use. Imports nothing large."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final, NamedTuple

CPUINFO: Final = Path("/proc/cpuinfo")
ABILITIES: Final = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI",
    "avx512_bf16": "bf16 (AVX-512)",
    "amx_bf16": "bf16 (AMX)",
    "asimd": "NEON",
    "i8mm": "i8mm",
    "bf16": "bf16",
}
"""What Linux calls an instruction set that speed depends on, and what people call it."""


class Processor(NamedTuple):
    """A kind of CPU.

    Attributes:
        name: as its maker calls it.
        abilities: instruction sets that speed depends on; None where the system doesn't tell.
    """

    name: str
    abilities: tuple[str, ...] | None

    def __str__(self) -> str:
        """Return the name and the abilities in one line."""
        if self.abilities is None:
            return self.name
        return f"{self.name} ({', '.join(self.abilities) or 'without AVX2'})"


def processor(cpuinfo: Path = CPUINFO) -> Processor:
    """Return the kind of this machine's CPU.

    Args:
        cpuinfo: what Linux tells of it; other systems have no such file, and only a name is known.
    """
    told = facts_of(cpuinfo)
    name = told.get("model name") or platform.processor() or platform.machine() or "unknown"
    flags = told.get("flags") or told.get("Features")
    if flags is None:
        return Processor(name, None)
    has = set(flags.split())
    return Processor(name, tuple(ability for flag, ability in ABILITIES.items() if flag in has))


def facts_of(cpuinfo: Path) -> dict[str, str]:
    """Return what is told of the first core, by name; nothing where there is no such file."""
    try:
        first = cpuinfo.read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


MAX_EMBEDDING_BYTES: Final = 2 * 2**30
"""Of the usual budget: more than 180 pictures of the smallest published model in bf16, which few people go back to."""


def available_cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Return the machine's memory, or that of the container where it is less; None where the system doesn't tell."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = int(CONTAINER_LIMIT.read_text())
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return machine
    return min(machine, limit)


def embedding_budget(memory: int | None) -> int:
    """Return how many bytes of embeddings to keep on a machine: a quarter of its memory, at most 2 GiB."""
    return MAX_EMBEDDING_BYTES if memory is None else min(MAX_EMBEDDING_BYTES, memory // 4)
