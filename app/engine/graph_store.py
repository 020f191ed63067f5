"""Where converted and compiled graphs are kept on disk, so that a second start needs neither torch's model nor time.

One folder per model, weights, precision, package version and processor. It appears under its name when it is
complete. Not covered: what is in the files (`convert`) and running them (`openvino_cpu`).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.engine.variants import Variant

ENCODER: Final = "encoder.xml"
TABLE: Final = "prompt_table.npz"
COMPILED: Final = "compiled"
FORM: Final = 3
"""Raised when the files change their meaning, so that older ones are not read."""


@dataclass(frozen=True)
class GraphKey:
    """What graphs are good for.

    Attributes:
        model: name of the model.
        weights_sha256: hash of its checkpoint.
        precision: bf16 or fp32.
        version: of OpenVINO.
        processor: the CPU's name and what it can do.
    """

    model: str
    weights_sha256: str
    precision: str
    version: str
    processor: str

    @property
    def folder(self) -> str:
        """Name of the folder: the model for people, a hash for the rest."""
        rest = "\n".join([str(FORM), self.weights_sha256, self.precision, self.version, self.processor])
        return f"{self.model}-{self.precision}-{hashlib.sha256(rest.encode()).hexdigest()[:16]}"


class GraphStore:
    """A directory of graphs, of at most `keep` folders for each model; the oldest go first."""

    def __init__(self, directory: Path, keep: int = 2) -> None:
        self._directory, self._keep = directory, keep

    def find(self, key: GraphKey) -> Path | None:
        """Return the folder of complete graphs, or None."""
        folder = self._directory / key.folder
        return folder if (folder / ENCODER).is_file() and (folder / TABLE).is_file() else None

    @contextmanager
    def writing(self, key: GraphKey) -> Iterator[Path]:
        """Give a folder to write into; it takes its place at the end of the `with`, and goes away on an error.

        Of two processes that write the same graphs, the first to finish wins.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{key.folder}-", dir=self._directory))
        try:
            yield partial
            if self.find(key) is None:
                shutil.rmtree(self._directory / key.folder, ignore_errors=True)
                partial.rename(self._directory / key.folder)
            self._forget_old(key)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def discard(self, key: GraphKey) -> None:
        """Take graphs away that turned out to be damaged."""
        shutil.rmtree(self._directory / key.folder, ignore_errors=True)

    def _forget_old(self, key: GraphKey) -> None:
        alike = sorted(self._directory.glob(f"{key.model}-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in alike[self._keep :]:
            shutil.rmtree(folder, ignore_errors=True)


def decoder_file(variant: Variant) -> str:
    """Return the name of the file of a variant's graph, which is the same for every number of tokens."""
    return f"decoder{'_refine' if variant.refines else ''}{'_candidates' if variant.first_mask else ''}.xml"
