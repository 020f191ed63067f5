"""A process and all that it has started: what each takes, where they listen, what is left of them. On Linux alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LISTENING: Final = "0A"
EVERYBODY: Final = 1
"""The process that has started all others."""
SHARED_MEMORY: Final = Path("/dev/shm")
RAYS: Final = "plasma*"
"""Files of Ray's in shared memory."""


@dataclass(frozen=True)
class Relative:
    """A process, which no later one is taken for that gets its number.

    Attributes:
        pid: its number.
        began: when, in the kernel's ticks.
        name: what it is, in a word.
    """

    pid: int
    began: str
    name: str

    @property
    def lives(self) -> bool:
        """Whether it runs; one that has ended and that nobody has asked after doesn't."""
        with suppress(OSError):
            state, began = stat_of(self.pid)
            return began == self.began and state not in "ZX"
        return False


def stat_of(pid: int) -> tuple[str, str]:
    """Return the state of a process and when it began."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return words[0], words[19]


def pids_of(pid: int) -> Iterator[int]:
    """Yield a process and all that it has started."""
    yield pid
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task").glob("*/children"):
            for word in child.read_text().split():
                yield from pids_of(int(word))


def words_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def family(pid: int) -> list[Relative]:
    """Return a process and all that it has started, as they are now."""
    found = []
    for each in pids_of(pid):
        with suppress(OSError):
            found.append(Relative(each, stat_of(each)[1], "the server" if each == pid else name_of(each)))
    return found


def name_of(pid: int) -> str:
    """Return what a process of Ray is: its program, its script or its actor."""
    words = [word for word in words_of(pid) if word]
    scripts = (word for word in words[1:] if word.endswith(".py"))
    name = next(scripts, words[0]) if words and "python" in words[0] else "".join(words[:1])
    return name.split(" ")[0].split(".__")[0] if name.startswith("ray::") else Path(name).name


def workers_of(pid: int) -> list[Relative]:
    """Return the workers that a process has started."""
    return [each for each in family(pid) if each.name.startswith("ray::ModelWorker")]


def anonymous_bytes(pid: int) -> Counter[str]:
    """Return what a process and all that it has started take for themselves alone, by their names."""
    taken: Counter[str] = Counter()
    for each in family(pid):
        with suppress(OSError):
            rows = Path(f"/proc/{each.pid}/smaps_rollup").read_text().splitlines()
            taken[each.name] += 1024 * next(int(row.split()[1]) for row in rows if row.startswith("Anonymous:"))
    return taken


def ports_of(pid: int) -> dict[int, str]:
    """Return the ports of TCP that a process and all that it has started listen on, and who does."""
    owners = {}
    for each in family(pid):
        with suppress(OSError):
            for link in Path(f"/proc/{each.pid}/fd").iterdir():
                with suppress(OSError):
                    owners[str(link.readlink())] = each.name
    rows = [row.split() for kind in ("tcp", "tcp6") for row in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    open_ones = {f"socket:[{row[9]}]": int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING}
    return {port: owners[link] for link, port in open_ones.items() if link in owners}


class Estate:
    """What a server and all that it has started have, to be looked for when they have ended.

    Attributes:
        folder: where its files of the moment are; nobody else has any there.
    """

    def __init__(self, folder: Path) -> None:
        """Look before it begins."""
        self.folder = folder
        self._files, self._memory = set(folder.iterdir()), set(SHARED_MEMORY.glob(RAYS))
        self._family: list[Relative] = []
        self._ports: set[int] = set()

    def take_down(self, pid: int) -> None:
        """Look before it ends."""
        self._family, self._ports = family(pid), set(ports_of(pid))

    def left(self) -> list[str]:
        """Return what is left: processes, open ports, files and shared memory."""
        files = {*self.folder.iterdir()} - self._files | {*SHARED_MEMORY.glob(RAYS)} - self._memory
        ports = self._ports.intersection(ports_of(EVERYBODY))
        return [*(each.name for each in self._family if each.lives), *map(str, sorted(ports)), *map(str, sorted(files))]
