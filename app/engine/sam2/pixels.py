"""From a picture to what SAM 2.1 reads. NumPy and Pillow only, so that compiled graphs need no torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from app.arrays import ImageArray

PIXEL_MEAN: Final = (0.485, 0.456, 0.406)
PIXEL_STD: Final = (0.229, 0.224, 0.225)


def check_image(image: ImageArray) -> None:
    """Check that a picture is what an engine encodes.

    Raises:
        ValueError: it isn't (H, W, 3) uint8, or is empty.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"a picture must be (H, W, 3) uint8, got {image.shape} {image.dtype}")


def model_input(image: ImageArray, input_size: int) -> NDArray[np.float32]:
    """Return a picture as the model reads it: (1, 3, S, S) float32, stretched to the square and normalised.

    Decision: Pillow stretches, a channel at a time in floats. Context: sam2 does it by torch's antialiased bilinear
    filter, which is Pillow's own. Choice: Pillow, whose floats differ from torch's by 1e-6, each channel in a thread;
    of its bytes, which are rounded, the model would see a difference of 0.02. Price: three threads for some
    milliseconds.

    Args:
        image: (H, W, 3) uint8 RGB.
        input_size: S, side of the model's square input in pixels.
    """
    square = np.empty((1, 3, input_size, input_size), np.float32)
    with ThreadPoolExecutor(len(PIXEL_MEAN)) as threads:
        list(threads.map(fill, square[0], Pil.fromarray(image).split(), PIXEL_MEAN, PIXEL_STD))
    return square


def fill(plane: NDArray[np.float32], channel: Pil.Image, mean: float, std: float) -> None:
    """Write a channel, stretched to the size of a plane (S, S) and normalised, into it."""
    stretched = channel.convert("F").resize(plane.shape, Pil.Resampling.BILINEAR)
    np.multiply(np.asarray(stretched), np.float32(1 / (255 * std)), out=plane)
    np.subtract(plane, np.float32(mean / std), out=plane)
