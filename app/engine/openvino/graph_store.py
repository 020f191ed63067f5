"""Where converted and compiled graphs are kept on disk, so that a second start needs neither torch's model nor time.

One folder per model, weights, precision, package version and processor. It counts once it is sealed: the checksums of
its files are written last. Not covered: what is in the files (`convert`) and running them (`openvino_cpu`).

Decision: graphs are written where they stay, by one process at a time. Context: whoever converts may be killed at any
moment, and OpenVINO finds its compiled forms again by their path. Choice: a lock that dies with its holder, and a seal;
what was left without one is written anew. Price: two servers that begin together convert one after the other.
"""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec
from filelock import FileLock

from app.engine.openvino.variants import Variant
from app.errors import ModelUnavailableError
from app.weights.checkpoints import CHUNK_BYTES

ENCODER: Final = "encoder.xml"
TABLE: Final = "prompt_table.npz"
READER: Final = "memory_reader.xml"
MEMORY_TABLE: Final = "memory_table.npz"
COMPILED: Final = "compiled"
SEAL: Final = "checksums.json"
"""CRC-32 of every other file by its path in the folder. Tells a damaged disk, not an enemy, who could write it too."""
LOCK: Final = ".lock"
FORM: Final = 6
"""Raised when the files change their meaning, so that older ones are not read."""

Part = Literal["picture", "memory"]


@dataclass(frozen=True)
class GraphKey:
    """What graphs are good for.

    Attributes:
        model: name of the model.
        weights_sha256: hash of its checkpoint.
        precision: bf16 or fp32.
        version: of OpenVINO.
        processor: the CPU's name and what it can do.
        part: of the model: what a picture needs, or its memory, which clips need besides.
    """

    model: str
    weights_sha256: str
    precision: str
    version: str
    processor: str
    part: Part = "picture"

    @property
    def folder(self) -> str:
        """Name of the folder: the model for people, a hash for the rest."""
        rest = "\n".join([str(FORM), self.weights_sha256, self.precision, self.version, self.processor])
        name = self.model if self.part == "picture" else f"{self.model}.{self.part}"
        return f"{name}-{self.precision}-{hashlib.sha256(rest.encode()).hexdigest()[:16]}"


class GraphStore:
    """A directory of graphs, of at most `keep` folders for each model; the oldest go first."""

    def __init__(self, directory: Path, keep: int = 2) -> None:
        self._directory, self._keep = directory, keep

    def find(self, key: GraphKey) -> Path | None:
        """Return the folder of complete graphs, or None."""
        folder = self._directory / key.folder
        return folder if (folder / SEAL).is_file() else None

    @contextmanager
    def writing(self, key: GraphKey) -> Iterator[Path | None]:
        """Give an empty folder to write into, or None where another process has written it meanwhile.

        It is sealed at the end of the `with`, and goes away on an error.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self._directory / LOCK):
            if self.find(key) is not None:
                yield None
                return
            self.discard(key)  # what a process left that was killed
            folder = self._directory / key.folder
            folder.mkdir()
            try:
                yield folder
                seal(folder)
            except BaseException:
                self.discard(key)
                raise
            self._forget_old(key)

    def discard(self, key: GraphKey) -> None:
        """Take graphs away that turned out to be damaged."""
        shutil.rmtree(self._directory / key.folder, ignore_errors=True)

    def _forget_old(self, key: GraphKey) -> None:
        name = key.folder.partition("-")[0]
        alike = sorted(self._directory.glob(f"{name}-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in alike[self._keep :]:
            shutil.rmtree(folder, ignore_errors=True)


def seal(folder: Path) -> None:
    """Declare a folder complete; all at once, whenever the process ends."""
    sums = {path.relative_to(folder).as_posix(): crc32_of(path) for path in folder.rglob("*") if path.is_file()}
    part = folder / f"{SEAL}.part"
    part.write_bytes(msgspec.json.encode(sums))
    part.replace(folder / SEAL)


def check_seal(folder: Path) -> None:
    """Check that a sealed folder is as it was written.

    OpenVINO notices compiled graphs that were cut; of those whose weights were changed it makes wrong masks.

    Raises:
        ModelUnavailableError: a file is missing or damaged.
    """
    try:
        sums = msgspec.json.decode((folder / SEAL).read_bytes(), type=dict[str, int])
        damaged = [name for name, crc32 in sums.items() if crc32_of(folder / name) != crc32]
    except (OSError, msgspec.DecodeError) as error:
        raise ModelUnavailableError(f"the compiled graphs in {folder} can't be read ({error})") from error
    if damaged:
        raise ModelUnavailableError(f"the compiled graphs in {folder} are damaged: {', '.join(damaged[:3])}")


def crc32_of(path: Path) -> int:
    """Return the CRC-32 of a file, which is read at several gigabytes a second where it is in memory."""
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            value = zlib.crc32(chunk, value)
    return value


def decoder_file(variant: Variant) -> str:
    """Return the name of the file of a variant's graph, which is the same for every number of tokens."""
    return f"decoder{'_refine' if variant.refines else ''}{'_candidates' if variant.first_mask else ''}.xml"


def head_file(variant: Variant) -> str:
    """Return the name of the file of a memory's head, which is the same for every number of tokens."""
    return f"memory_{decoder_file(variant).replace('decoder', 'head')}"


def writer_file(*, from_logits: bool) -> str:
    """Return the name of the file of what writes a memory, from logits or from a mask that a person made."""
    return f"memory_writer{'_logits' if from_logits else ''}.xml"
