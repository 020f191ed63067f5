"""A deterministic engine without a model, for tests of everything that is not the model.

Masks are plain geometry: a point gives a disc around it, whose radius depends on the picture and the candidate; a
box gives the box; a point off the object cuts a disc out. No user is ever offered this engine.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.arrays import ImageArray, Logits, MaskArray
from app.engine.contract import Candidates, Embedding, Prompt, Tracked
from app.engine.memory_bank import MemoryBank
from app.engine.sam2.prompts import shape_of, stacked_mask_logits
from app.errors import EngineFailedError, HoverError

GRID = 64
EMBEDDING_BYTES = 1000
MAX_LOGIT = 32.0
SCORES = (0.8, 0.9, 0.7)
"""Scores of the three candidates, part, object and group; the middle one is the best."""
BEST = 1
GATE_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class FakeEmbedding:
    """All that the fake engine remembers of a picture: its size and a number made from its bytes, in [0, 1)."""

    size_hw: tuple[int, int]
    fingerprint: float
    nbytes: int = EMBEDDING_BYTES
    grid: int = GRID


@dataclass(frozen=True)
class FakeMemory:
    """All that the fake engine remembers of an object: its logits, on the grid."""

    logits: Logits

    @property
    def nbytes(self) -> int:
        """Bytes of the logits."""
        return int(self.logits.nbytes)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on the object."""
        return not bool((self.logits > 0).any())


@dataclass
class FakeEngine:
    """Fulfils `contract.Engine` with geometry.

    Attributes:
        model: the name that it goes by.
        device: the device that it says it is on.
        runtime: what it says that it computes with.
        encode_gate: where given, `encode` waits until it is set.
        decode_gate: where given, `decode` waits until it is set.
        track_gate: where given, `track` waits until it is set.
        failures: errors that the next calls raise, one each, in order.
        encoding: set once an `encode` has begun; tests clear it.
        decoding: set once a `decode` has begun; tests clear it.
        tracking: the same of a `track`.
        encoded: height and width of the picture of every `encode` call so far.
        decoded: the prompts of every `decode` call so far.
        grid: side of its logit grid; another model has another.
        closed: True once `close` was called.
        is_rough_tracker: what it says of itself.
        can_track: False until `prepare_tracking`, where it is made so.
        tracked: the distances of the memories of every `track` call so far.
    """

    model: str = "tiny"
    device: str = "cpu"
    runtime: str = "geometry"
    encode_gate: threading.Event | None = None
    decode_gate: threading.Event | None = None
    track_gate: threading.Event | None = None
    failures: list[HoverError] = field(default_factory=list)
    encoding: threading.Event = field(default_factory=threading.Event)
    decoding: threading.Event = field(default_factory=threading.Event)
    tracking: threading.Event = field(default_factory=threading.Event)
    encoded: list[tuple[int, int]] = field(default_factory=list)
    decoded: list[list[Prompt]] = field(default_factory=list)
    grid: int = GRID
    closed: bool = False
    is_rough_tracker: bool = False
    can_track: bool = True
    tracked: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def encodes(self) -> int:
        """Number of `encode` calls so far."""
        return len(self.encoded)

    @property
    def logits_hw(self) -> tuple[int, int]:
        """The grid of its logits; see `contract.Engine.logits_hw`."""
        return self.grid, self.grid

    def encode(self, image: ImageArray) -> FakeEmbedding:
        """Return the embedding of a picture; see `contract.Engine.encode`."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise ValueError(f"a picture must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
        self.encoded.append((image.shape[0], image.shape[1]))
        self._pass(self.encoding, self.encode_gate)
        digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
        return FakeEmbedding((image.shape[0], image.shape[1]), digest[0] / 256, grid=self.grid)

    def encode_while(self, image: ImageArray, is_free: Callable[[], bool]) -> FakeEmbedding | None:
        """Return the embedding of a picture that nobody waits for, or None; see `contract.Engine.encode_while`."""
        return self.encode(image) if is_free() else None

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return one `Candidates` per prompt, in order; see `contract.Engine.decode`."""
        if not isinstance(embedding, FakeEmbedding):
            raise TypeError(f"this engine decodes a FakeEmbedding, got {type(embedding).__name__}")
        if not prompts:
            raise ValueError("decode needs at least one prompt, got none")
        for prompt in prompts:
            shape_of(prompt)
            stacked_mask_logits([prompt], (self.grid, self.grid))
        self.decoded.append(prompts)
        self._pass(self.decoding, self.decode_gate)
        return [candidates(embedding, prompt) for prompt in prompts]

    def prepare_tracking(self) -> None:
        """Be ready from now on; see `contract.Engine.prepare_tracking`."""
        self.can_track = True

    def track(
        self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None = None, pick: int | None = None
    ) -> Tracked:
        """Return the object where the nearest frame before had it, or where a prompt has it; see `contract.Engine`.

        Masks stay where they are: objects of the stand-in's clips don't move.
        """
        if not isinstance(embedding, FakeEmbedding):
            raise TypeError(f"this engine tracks on a FakeEmbedding, got {type(embedding).__name__}")
        if prompt is None and not bank.memories:
            raise ValueError("track needs a memory or a prompt, got neither")
        self.tracked.append(tuple(placed.distance for placed in bank.memories))
        self._pass(self.tracking, self.track_gate)
        if prompt is not None:
            found = candidates(embedding, prompt)
        else:
            last = min(bank.memories, key=lambda placed: abs(placed.distance)).memory
            if not isinstance(last, FakeMemory):
                raise TypeError(f"this engine remembers a FakeMemory, got {type(last).__name__}")
            found = Candidates(np.stack([last.logits] * len(SCORES)), np.array(SCORES, np.float32))
        index = found.best if pick is None else pick
        memory = FakeMemory(found.logits[index])
        return Tracked(found, index, -MAX_LOGIT if memory.is_empty else MAX_LOGIT, memory)

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> FakeMemory:
        """Return the mask on the grid; see `contract.Engine.remember`."""
        rows, columns = (np.arange(self.grid) * side // self.grid for side in mask_hw.shape)
        return FakeMemory(np.where(mask_hw[np.ix_(rows, columns)], MAX_LOGIT, -MAX_LOGIT).astype(np.float32))

    def close(self) -> None:
        """Take note; see `contract.Engine.close`."""
        self.closed = True

    def _pass(self, begun: threading.Event, gate: threading.Event | None) -> None:
        begun.set()
        if gate is not None and not gate.wait(GATE_TIMEOUT_S):
            raise EngineFailedError(f"the test's gate stayed shut for {GATE_TIMEOUT_S:.0f} s; set it")
        if self.failures:
            raise self.failures.pop(0)


def candidates(embedding: FakeEmbedding, prompt: Prompt) -> Candidates:
    """Return the discs and boxes that answer a prompt."""
    chosen = range(len(SCORES)) if prompt.multimask else (BEST,)
    logits = np.stack([geometry(embedding, prompt, radius_px(embedding, index)) for index in chosen])
    scores = np.array([SCORES[index] for index in chosen], np.float32)
    return Candidates(logits, scores)


def radius_px(embedding: FakeEmbedding, candidate: int) -> float:
    """Return the radius of a candidate's discs in pixels of the image.

    Between 1/16 and 1/8 of the shorter side for the part, twice that for the object, three times for the group.
    """
    return min(embedding.size_hw) * (1 + embedding.fingerprint) / 16 * (candidate + 1)


def geometry(embedding: FakeEmbedding, prompt: Prompt, radius: float) -> Logits:
    """Return the signed distance to the shape's edge, (grid, grid) float32 in grid cells, clipped like logits."""
    (height, width), grid = embedding.size_hw, embedding.grid
    y = (np.arange(grid)[:, None] + 0.5) * height / grid
    x = (np.arange(grid)[None, :] + 0.5) * width / grid
    cell_px = max(height, width) / grid

    def disc(point_xy: tuple[float, float], radius: float) -> NDArray[np.float64]:
        return (radius - np.hypot(x - point_xy[0], y - point_xy[1])) / cell_px

    points = list(zip(prompt.points_xy, prompt.labels, strict=True))
    logits = np.full((grid, grid), -MAX_LOGIT)
    for point_xy in (point_xy for point_xy, label in points if label == 1):
        logits = np.maximum(logits, disc(point_xy, radius))
    if prompt.box_xyxy is not None:
        x0, y0, x1, y1 = prompt.box_xyxy
        inside = np.minimum(np.minimum(x - x0, x1 - x), np.minimum(y - y0, y1 - y)) / cell_px
        logits = np.maximum(logits, inside)
    if prompt.mask_logits is not None:
        logits = np.maximum(logits, prompt.mask_logits)
    for point_xy in (point_xy for point_xy, label in points if label == 0):
        logits = np.minimum(logits, -disc(point_xy, radius / 2))
    return logits.clip(-MAX_LOGIT, MAX_LOGIT).astype(np.float32)
