"""What every engine promises: a picture becomes an embedding once, an embedding and prompts become logits often.

Values only; no torch here. Anyone may import it. Engines are called from one thread at a time; they keep no
picture between calls, so that any number of sessions can share one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.arrays import ImageArray, Logits, MaskArray
from app.engine.memory_bank import Memory, MemoryBank


@dataclass(frozen=True)
class Prompt:
    """What a person pointed at, in pixels of the upright image, origin top-left.

    Attributes:
        points_xy: N points `(x, y)`.
        labels: N labels, 1 for a point on the object, 0 for a point off it.
        box_xyxy: `(x0, y0, x1, y1)` with x0 < x1 and y0 < y1, or None.
        mask_logits: (h, w) float32 logits of an earlier candidate to refine, or None.
        multimask: True asks for three candidates of an ambiguous prompt (part, object, group);
            False for the one best mask, chosen by SAM 2.1's stability rule.
    """

    points_xy: tuple[tuple[float, float], ...] = ()
    labels: tuple[int, ...] = ()
    box_xyxy: tuple[float, float, float, float] | None = None
    mask_logits: Logits | None = field(default=None, compare=False)
    multimask: bool = True


@dataclass(frozen=True)
class Candidates:
    """The masks that answer one prompt, in the model's own order.

    Attributes:
        logits: (K, h, w) float32, K is 3 for a multimask prompt and 1 otherwise; clipped to [-32, 32].
        scores: (K,) float32 in [0, 1], the model's own predicted IoU.
    """

    logits: Logits
    scores: NDArray[np.float32]

    @property
    def best(self) -> int:
        """Index of the candidate with the highest score."""
        return int(self.scores.argmax())


@dataclass(frozen=True)
class Tracked:
    """An object on a frame of a clip, found by what is remembered of it on others.

    Attributes:
        candidates: the masks; where the object isn't to be seen, of logits that are all at their lowest.
        index: of the candidate that was taken.
        object_logit: how sure the model is that the object is to be seen: above 0 it is.
        memory: what to remember of the object on this frame.
    """

    candidates: Candidates
    index: int
    object_logit: float
    memory: Memory

    @property
    def logits(self) -> Logits:
        """(h, w) float32, those of the mask that was taken."""
        taken: Logits = self.candidates.logits[self.index]
        return taken


class Embedding(Protocol):
    """What a model remembers of one picture. Opaque to everyone but the engine that made it."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes that the embedding holds in memory."""
        ...


class Engine(Protocol):
    """A loaded model on a device. Blocking: call it from the one thread that owns the device."""

    @property
    def model(self) -> str:
        """The model's name: nano, tiny, small, base_plus or large."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: cpu, cuda or mps."""
        ...

    @property
    def runtime(self) -> str:
        """What computes, as people are told it, such as torch or OpenVINO bf16."""
        ...

    @property
    def logits_hw(self) -> tuple[int, int]:
        """Height and width of the grid of its logits, those that it finds and those that a prompt gives it."""
        ...

    def encode(self, image: ImageArray) -> Embedding:
        """Return the embedding of a picture. The expensive call, once per picture.

        Args:
            image: (H, W, 3) uint8 RGB, upright, any size.

        Raises:
            EngineFailedError: the device gave up; nothing of the picture is kept.
        """
        ...

    def encode_while(self, image: ImageArray, is_free: Callable[[], bool]) -> Embedding | None:
        """Return the embedding of a picture that nobody waits for, or None where the device is wanted meanwhile.

        May run beside an `encode`, in another thread.

        Args:
            image: see `encode`.
            is_free: asked again and again, at least as often as a decode takes; False ends the work.

        Raises:
            EngineFailedError: the device gave up; nothing of the picture is kept.
        """
        ...

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return one `Candidates` per prompt, in order. The cheap call, once per pointer move.

        Args:
            embedding: an embedding that this engine made.
            prompts: at least one prompt, each with a point or a box.

        Raises:
            EngineFailedError: the device gave up; the embedding stays usable.
        """
        ...

    def close(self) -> None:
        """Stop what runs beside the calls, such as a conversion. Returns at once; no call begins after it.

        Called in any thread. A call that is under way goes on to its end or fails with `EngineFailedError`; memory
        goes with the last reference to the engine.
        """
        ...


class TrackingEngine(Engine, Protocol):
    """An engine that follows objects through clips."""

    @property
    def is_rough_tracker(self) -> bool:
        """Whether it follows objects by likeness alone, since nobody trained the model's memory: expect mistakes."""
        ...

    @property
    def can_track(self) -> bool:
        """Whether `track` and `remember` may be called; False until what `prepare_tracking` begins has ended."""
        ...

    def prepare_tracking(self) -> None:
        """Begin to make what following an object takes, where it isn't there yet. Returns at once; in any thread.

        Raises:
            ModelUnavailableError: it can't be made, and why; the next call tries again.
        """
        ...

    def track(
        self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None = None, pick: int | None = None
    ) -> Tracked:
        """Return one object on one frame of a clip. Keeps nothing: what is remembered goes in and comes out.

        Args:
            embedding: the frame's, made by this engine.
            bank: what is remembered of the object on other frames, see `memory_bank.attended`; without memories the
                prompt is answered as on a picture.
            prompt: what a person pointed at on this frame, to find or to correct the object; None where nobody did.
                Three candidates are asked for by a lone point, and where there is none.
            pick: the candidate to take, None for the one with the highest score.

        Raises:
            ValueError: neither a memory nor a prompt was given; or the candidate that was picked isn't there.
            EngineFailedError: the device gave up; embedding and memories stay usable.
        """
        ...

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> Memory:
        """Return what to remember of an object whose mask on a frame is known, such as one that a person made.

        Args:
            embedding: the frame's, made by this engine.
            mask_hw: (H, W) bool at any size, over the whole frame.

        Raises:
            EngineFailedError: the device gave up; the embedding stays usable.
        """
        ...
