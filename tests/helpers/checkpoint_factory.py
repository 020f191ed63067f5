"""Full-size checkpoints of the true architectures with random weights, for tests.

They exercise every key, shape and the true speed; their masks mean nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from app.engine.openvino.variants import PUBLISHED_INPUT_SIZE
from app.engine.sam2 import loader
from app.weights.checkpoints import file_sha256
from app.weights.manifest import ModelEntry

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

LIVELINESS = 40.0
"""Random weights give logits of about 0.1; this brings them to the few units that trained ones have."""


def random_model(entry: ModelEntry, seed: int = 0, side: int = PUBLISHED_INPUT_SIZE) -> SAM2Base:
    """Return a model of an entry's architecture whose weights depend on the seed alone.

    Args:
        entry: the architecture.
        seed: of the weights.
        side: of the square input of a published architecture in pixels. A smaller one goes through the same modules.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = sized_model(entry, side)
    enliven(model)
    return model


def sized_model(entry: ModelEntry, side: int) -> SAM2Base:
    """Return what the product builds of an entry, for an input of another side where it is a published one's."""
    text = loader.config_text(entry).replace(f"image_size: {PUBLISHED_INPUT_SIZE}", f"image_size: {side}")
    with mock.patch.object(loader, "config_text", return_value=text):
        return loader.build_model(entry)


def enliven(model: SAM2Base, liveliness: float = LIVELINESS) -> None:
    """Scale a random model's mask heads in place, so that masks, signs and clipping have something to do."""
    with torch.no_grad():
        for network in model.sam_mask_decoder.output_hypernetworks_mlps:
            network.layers[-1].weight.mul_(liveliness)


def write_checkpoint(entry: ModelEntry, directory: Path, seed: int = 0) -> ModelEntry:
    """Write a random checkpoint where the entry's file belongs, and return the entry with its size and hash."""
    path = directory / entry.file
    torch.save({"model": random_model(entry, seed).state_dict()}, path)
    return described(entry, path)


def described(entry: ModelEntry, path: Path) -> ModelEntry:
    """Return the entry with the size and hash of a file."""
    return msgspec.structs.replace(entry, bytes=path.stat().st_size, sha256=file_sha256(path))


def picture(height: int = 300, width: int = 400, seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture of smooth blobs and noise, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x * fx / width + y * fy / height) for fx, fy in rng.uniform(5, 30, (3, 2))]
    image = 128 + 90 * np.stack(waves, axis=-1) + rng.normal(0, 10, (height, width, 3))
    return image.clip(0, 255).astype(np.uint8)
