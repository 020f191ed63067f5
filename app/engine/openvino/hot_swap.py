"""A model that begins on torch and goes over to compiled graphs as soon as they are there.

Decision: nobody waits for a compiler. Context: converting a model takes up to a minute, torch serves at once. Choice:
torch answers until the graphs are ready; then embeddings that torch made are cast, not computed again, when they are
next touched, and torch's weights are let go. Price: the first minute is slower, and its masks differ in the last bits.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from app.arrays import ImageArray, MaskArray
from app.engine.contract import Candidates, Embedding, Prompt, Tracked, TrackingEngine
from app.engine.memory_bank import Memory, MemoryBank
from app.engine.openvino.engine import OpenVinoEmbedding, OpenVinoEngine
from app.errors import HoverError

if TYPE_CHECKING:
    from app.engine.openvino.graph_store import GraphKey
    from app.engine.sam2.engine import TorchEmbedding

ROOT: Final = Path(__file__).parent.parent.parent.parent
LAST_WORDS: Final = 300
"""Characters of a failed conversion's own words that go into the log."""

log = structlog.get_logger(__name__)


class ConversionFailedError(Exception):
    """No graphs were made; the text says why."""


class Conversion:
    """Another process that converts a checkpoint; see `convert`."""

    def __init__(self, checkpoint: Path, key: GraphKey, directory: Path, timeout_s: float) -> None:
        """Args: the weights, what the graphs are for, where they are kept, and how long it may take."""
        self._key, self._timeout_s = key, timeout_s
        self._command = [sys.executable, "-m", "app.engine.openvino.convert", "--checkpoint", str(checkpoint)]
        self._command += ["--directory", str(directory), "--model", key.model, "--sha256", key.weights_sha256]
        self._command += [
            "--precision",
            key.precision,
            "--version",
            key.version,
            "--processor",
            key.processor,
            "--part",
            key.part,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        """Return when the graphs are on disk.

        Raises:
            ConversionFailedError: they aren't.
        """
        with subprocess.Popen(  # noqa: S603 - our own program
            self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            self._process = process
            if self._stopped.is_set():
                process.kill()
            try:
                _, words = process.communicate(timeout=self._timeout_s)
            except subprocess.TimeoutExpired as error:
                process.kill()
                raise ConversionFailedError(f"it took longer than {self._timeout_s:g} s") from error
        if process.returncode:
            told = words.decode(errors="replace").strip()[-LAST_WORDS:] or "it was killed, perhaps for want of memory"
            raise ConversionFailedError(f"exit code {process.returncode}: {told}")

    def stop(self) -> None:
        """End the process, if it runs."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()


class UpgradableEmbedding:
    """An embedding of whichever engine made it; becomes the other's when it is next touched after the change-over."""

    def __init__(self, inner: TorchEmbedding | OpenVinoEmbedding) -> None:
        self.inner = inner

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.inner.size_hw

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory now."""
        return self.inner.nbytes


class HotSwapEngine:
    """Fulfils `contract.Engine` with torch at first and with compiled graphs later.

    Attributes:
        settled: set once the engine will not change any more: it went over, or can't.
    """

    def __init__(self, reference: TrackingEngine, conversion: Conversion, load: Callable[[], OpenVinoEngine]) -> None:
        """Begin the conversion.

        Args:
            reference: the model on torch.
            conversion: makes the graphs.
            load: loads them once they are there.
        """
        self.model, self.device = reference.model, reference.device
        self.settled = threading.Event()
        self._now: TrackingEngine = reference
        self._tracks = False
        self._conversion, self._load = conversion, load
        self._closed = False
        threading.Thread(target=self._go_over, name=f"convert {self.model}", daemon=True).start()

    @property
    def runtime(self) -> str:
        """What computes now; see `contract.Engine.runtime`."""
        return self._now.runtime

    @property
    def logits_hw(self) -> tuple[int, int]:
        """The grid of its logits; see `contract.Engine.logits_hw`."""
        return self._now.logits_hw

    def encode(self, image: ImageArray) -> UpgradableEmbedding:
        """Return the embedding of a picture; see `contract.Engine.encode`."""
        return UpgradableEmbedding(self._now.encode(image))  # type: ignore[arg-type]

    def encode_while(self, image: ImageArray, is_free: Callable[[], bool]) -> UpgradableEmbedding | None:
        """Return the embedding of a picture that nobody waits for, or None; see `contract.Engine.encode_while`."""
        made = self._now.encode_while(image, is_free)
        return None if made is None else UpgradableEmbedding(made)  # type: ignore[arg-type]

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return one `Candidates` per prompt, in order; see `contract.Engine.decode`."""
        now, inner = self._at_hand(embedding)
        return now.decode(inner, prompts)

    @property
    def is_rough_tracker(self) -> bool:
        """Whether it follows objects by likeness alone; see `contract.TrackingEngine`."""
        return self._now.is_rough_tracker

    @property
    def can_track(self) -> bool:
        """Whether objects can be followed now; see `contract.TrackingEngine`."""
        return self._now.can_track

    def prepare_tracking(self) -> None:
        """Begin to make what follows objects, for the graphs too; see `contract.TrackingEngine.prepare_tracking`."""
        self._tracks = True
        self._now.prepare_tracking()

    def track(
        self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None = None, pick: int | None = None
    ) -> Tracked:
        """Return one object on one frame of a clip; memories of torch are those of the graphs too."""
        now, inner = self._at_hand(embedding)
        return now.track(inner, bank, prompt, pick)

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> Memory:
        """Return what to remember of an object; see `contract.TrackingEngine.remember`."""
        now, inner = self._at_hand(embedding)
        return now.remember(inner, mask_hw)

    def close(self) -> None:
        """Stop the conversion, if it runs; see `contract.Engine.close`."""
        self._closed = True
        self._conversion.stop()
        self._now.close()

    def _at_hand(self, embedding: Embedding) -> tuple[TrackingEngine, TorchEmbedding | OpenVinoEmbedding]:
        """Return who computes now, and an embedding as that one reads it."""
        if not isinstance(embedding, UpgradableEmbedding):
            raise TypeError(f"this engine decodes an UpgradableEmbedding, got {type(embedding).__name__}")
        inner = embedding.inner  # read first: what the graphs made is here only once they answer
        now = self._now
        if isinstance(now, OpenVinoEngine) and not isinstance(inner, OpenVinoEmbedding):
            inner = embedding.inner = now.adopt(inner)
        return now, inner

    def _go_over(self) -> None:
        try:
            self._conversion.run()
            fast = self._load()
        except (ConversionFailedError, HoverError, OSError) as error:
            if not self._closed:
                log.warning("engine_stays_on_torch", model=self.model, why=str(error))
        else:
            if self._tracks:
                fast.prepare_tracking()
            self._now = fast
            log.info("engine_compiled", model=self.model, precision=fast.precision)
        finally:
            self.settled.set()
