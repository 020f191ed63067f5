"""A candidate's logits, small enough to be kept with every step of a session's history.

Decision: int8 on a scale of square roots, deflated. Context: three candidates of a published model are 786 KB in fp32,
every undo step keeps its own, and the mask of a picture larger than the wire's grid is drawn from what was kept.
Choice: some 25 KB a step, with steps that are finest around 0, where the mask's edge lies, so that the mask drawn is
the mask shown (IoU 0.999 on photos; with even steps of a quarter logit, 0.978). What is fed back is what was kept, so
a step that was undone and done again gives the same mask. Price: logits far from the edge are off by up to 1/4.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import Logits

MAX_LOGIT: Final = 32.0
"""As sam2 bounds the logits that it feeds back."""
STEPS: Final = 127
"""Steps to either side of 0 that one byte holds."""
LEVEL: Final = 1
"""How hard zlib tries: more takes several times as long, and a click waits for it."""


def pack_logits(logits: Logits) -> bytes:
    """Return (h, w) float32 logits as a few kilobytes; values beyond +-32 are clipped."""
    head = np.array(logits.shape, np.uint16).tobytes()
    return head + zlib.compress(steps_of(logits).tobytes(), LEVEL)


def unpack_logits(packed: bytes) -> Logits:
    """Return what `pack_logits` was given, (h, w) float32, to within 1/4, and 1/20 where it was within +-1."""
    height, width = np.frombuffer(packed[:4], np.uint16)
    steps = np.frombuffer(zlib.decompress(packed[4:]), np.int8).reshape(int(height), int(width))
    return logits_of(steps)


def as_kept(logits: Logits) -> Logits:
    """Return logits as they come back once they were kept: what every mask is drawn from and what is fed back."""
    return logits_of(steps_of(logits))


def steps_of(logits: Logits) -> NDArray[np.int8]:
    """Return the step of the scale that is next to each logit."""
    roots = np.sqrt(np.abs(logits).clip(0, MAX_LOGIT) / np.float32(MAX_LOGIT))
    steps: NDArray[np.int8] = np.rint(np.copysign(roots, logits) * STEPS).astype(np.int8)
    return steps


def logits_of(steps: NDArray[np.int8]) -> Logits:
    """Return the logits at steps of the scale, float32."""
    roots = steps.astype(np.float32) / np.float32(STEPS)
    logits: Logits = roots * np.abs(roots) * np.float32(MAX_LOGIT)
    return logits
