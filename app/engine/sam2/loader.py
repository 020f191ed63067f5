"""From a checkpoint file to a SAM 2.1 model, without trusting the file.

The architecture is sam2's own modules, put together from a YAML file. Hashes are checked by `checkpoints`; here a
file is only ever read as tensors (never as code) and must have exactly the names and shapes of the architecture.
"""

from __future__ import annotations

import importlib.resources
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from app.errors import EngineFailedError, ModelUnavailableError
from app.weights.manifest import BUNDLED_DIR, ModelEntry

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

StateDict = Mapping[str, torch.Tensor]

STABILITY_RULE = {
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}
"""What sam2's `build_sam2` adds to every architecture: an unstable single mask gives way to the best of three."""


def load_model(entry: ModelEntry, path: Path, device: str = "cpu") -> SAM2Base:
    """Return a model with the weights of a checkpoint, ready for inference in float32.

    Args:
        entry: the model, which gives the architecture.
        path: the checkpoint, whatever its hash; half precision is widened.
        device: cpu, cuda or mps.

    Raises:
        ModelUnavailableError: the file is missing, damaged, runs code, belongs to another architecture, or holds a
            weight that is no number.
        EngineFailedError: the device has no room for the model.
    """
    state = read_checkpoint(path)
    model = build_model(entry)
    check_state(entry, path, model.state_dict(), state)
    check_finite(path, state)
    model.load_state_dict(state)
    try:
        return model.to(device)
    except RuntimeError as error:
        raise EngineFailedError(
            f"{entry.name} could not be moved to {device} ({error}); choose a smaller model or another device"
        ) from error


def build_model(entry: ModelEntry) -> SAM2Base:
    """Return a model of an entry's architecture with random weights, on the CPU, in evaluation mode."""
    text = config_text(entry)
    config = OmegaConf.create(text)
    OmegaConf.update(config, "model.sam_mask_decoder_extra_args", STABILITY_RULE, force_add=True)
    OmegaConf.resolve(config)
    model = instantiate(config.model, _recursive_=True)
    return model.eval().requires_grad_(False)


def config_text(entry: ModelEntry) -> str:
    """Return the YAML of an entry's architecture, from this program or from the sam2 package."""
    root = BUNDLED_DIR if entry.bundled else importlib.resources.files("sam2")
    return root.joinpath(entry.config).read_text(encoding="utf-8")


def read_checkpoint(path: Path) -> StateDict:
    """Return the tensors of a checkpoint, `{"model": {name: tensor}}`, without running anything that is in it.

    Raises:
        ModelUnavailableError: the file is missing, damaged, or holds anything but tensors.
    """
    if not path.is_file():
        raise ModelUnavailableError(f"{path} is not a file; name a SAM 2.1 checkpoint")
    try:
        # Mapping a file into memory spares a second copy of the weights; only torch's zip format can be mapped.
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # the unpickler raises whatever the bytes lead it to
        raise ModelUnavailableError(
            f"{path} can't be read as tensors: it is damaged, or no checkpoint, or tries to run code "
            f"({type(error).__name__}); fetch it again from where it was published"
        ) from error
    state = loaded.get("model") if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelUnavailableError(
            f'{path} must hold {{"model": {{name: tensor}}}} as the checkpoints of SAM 2.1 do, and holds something else'
        )
    return state


def check_state(entry: ModelEntry, path: Path, expected: StateDict, found: StateDict) -> None:
    """Check that a checkpoint has the tensors of an architecture, no more and no less.

    Raises:
        ModelUnavailableError: it hasn't; the text says what was expected and what was found.
    """
    wrong = [
        f"{name} {_shape(expected.get(name))} expected, {_shape(found.get(name))} found"
        for name in sorted({*expected, *found}, key=str)
        if _shape(expected.get(name)) != _shape(found.get(name))
    ]
    if wrong:
        raise ModelUnavailableError(
            f"{path} is not a checkpoint of {entry.name}: {len(wrong)} of {len(expected)} tensors differ, such as "
            f"{'; '.join(wrong[:3])}. Name the model that the file belongs to"
        )


def check_finite(path: Path, state: StateDict) -> None:
    """Check that every weight is a number; one that isn't would make every mask empty, and no error.

    Raises:
        ModelUnavailableError: one isn't.
    """
    broken = [name for name, value in state.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise ModelUnavailableError(
            f"{path} holds weights that are no finite numbers, in {len(broken)} tensors, such as {broken[0]}: "
            "its training went astray, or it is damaged; take an earlier checkpoint, or fetch it again"
        )


def _shape(tensor: torch.Tensor | None) -> str:
    return "missing" if tensor is None else " x ".join(map(str, tensor.shape)) or "scalar"
