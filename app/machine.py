"""What this machine computes with: the kind of its processor. Imports nothing large."""

from __future__ import annotations

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

    @property
    def computes_bf16(self) -> bool:
        """True where it is known to multiply matrices in bf16."""
        return any(ability.startswith("bf16") for ability in self.abilities or ())

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
