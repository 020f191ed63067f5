"""The arrays that travel between packages: what is in them, and in which order. Anyone may import it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ImageArray = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB, upright."""


Logits = NDArray[np.float32]
"""(K, h, w) or (h, w) float32 on the logit grid, foreground where > 0. The grid spans the whole image."""


MaskArray = NDArray[np.bool_]
"""(H, W) bool, True on the object."""
