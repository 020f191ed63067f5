"""A candidate's logits, small enough to be kept with every step of a session's history.

Decision: quarter-logit steps in int8, deflated. Context: three candidates of a published model are 786 KB in fp32,
and every undo step keeps its own. Choice: some 20 KB a step; what is fed back is what was kept, so a step that was
undone and done again gives the same mask. Price: logits fed back are off by at most 1/8.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from app.engine.contract import Logits

STEPS_PER_LOGIT: Final = 4
LEVEL: Final = 1


def pack_logits(logits: Logits) -> bytes:
    """Return (h, w) float32 logits in [-32, 32] as a few kilobytes; values beyond +-31.75 are clipped."""
    steps = np.clip(np.rint(logits * STEPS_PER_LOGIT), -127, 127).astype(np.int8)
    head = np.array(logits.shape, np.uint16).tobytes()
    return head + zlib.compress(steps.tobytes(), LEVEL)


def unpack_logits(packed: bytes) -> Logits:
    """Return what `pack_logits` was given, (h, w) float32, to within 1/8."""
    height, width = np.frombuffer(packed[:4], np.uint16)
    steps = np.frombuffer(zlib.decompress(packed[4:]), np.int8).reshape(int(height), int(width))
    logits: Logits = steps.astype(np.float32) / np.float32(STEPS_PER_LOGIT)
    return logits
