"""sam2's own `SAM2VideoPredictor` on frames in memory, as the yardstick of what follows objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf

from app.arrays import ImageArray, Logits
from app.engine.sam2 import loader
from app.engine.sam2.pixels import model_input
from app.weights.manifest import BUNDLED_DIR, ModelEntry

if TYPE_CHECKING:
    from sam2.sam2_base import SAM2Base
    from sam2.sam2_video_predictor import SAM2VideoPredictor

LIVELY = 0.2
"""Of the memory's gains and codes, which are next to nothing before they are trained."""

SHARP = 3.0
"""Random queries and keys agree with nothing in particular; so many times larger they choose."""


def video_predictor(entry: ModelEntry, side: int, seed: int = 1) -> SAM2VideoPredictor:
    """Return sam2's predictor of an entry's architecture, its memory random, its object head sure that it sees one.

    Args:
        entry: the model; of a bundled one all but the memory has the weights of its file.
        side: of the model's input in pixels.
        seed: of the random weights.
    """
    config = OmegaConf.create(loader.config_text(entry))
    config.model._target_ = "sam2.sam2_video_predictor.SAM2VideoPredictor"
    settings = {
        "image_size": side,
        "binarize_mask_from_pts_for_mem_enc": True,
        "add_all_frames_to_correct_as_cond": True,
        "sam_mask_decoder_extra_args": loader.STABILITY_RULE,
    }
    for name, value in settings.items():
        OmegaConf.update(config, f"model.{name}", value, force_add=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = instantiate(config.model, _recursive_=True).eval().requires_grad_(False)
        if entry.bundled:
            state = loader.read_checkpoint(BUNDLED_DIR / entry.file)
            kept = {name: value for name, value in state.items() if not of_memory(name)}
            model.load_state_dict(kept, strict=False)
        enliven_memory(model)
    return model


def of_memory(name: str) -> bool:
    """Return whether a weight is one that pictures don't need."""
    return name.startswith(("memory_", "maskmem_", "obj_ptr_", "no_obj_", "mask_downsample"))


def enliven_memory(model: SAM2Base) -> None:
    """Give a random memory a say, in place, and have the object head see the object always."""
    with torch.no_grad():
        for layer in model.memory_encoder.fuser.layers:
            layer.gamma.fill_(LIVELY)
        for codes in (model.maskmem_tpos_enc, model.no_obj_ptr, model.no_obj_embed_spatial):
            codes.copy_(LIVELY * torch.randn_like(codes))
        for layer in model.memory_attention.layers:
            attention = layer.cross_attn_image
            for projection in (attention.q_proj, attention.k_proj):
                projection.weight.mul_(SHARP)  # or every memory would look alike
    always(model, present=True)


def always(model: SAM2Base, *, present: bool) -> None:
    """Have the object head say the same of every frame."""
    with torch.no_grad():
        last = model.sam_mask_decoder.pred_obj_score_head.layers[-1]
        last.weight.zero_()
        last.bias.fill_(5.0 if present else -5.0)


class Reference:
    """A clip as sam2's predictor sees it."""

    def __init__(self, model: SAM2VideoPredictor, frames: Sequence[ImageArray]) -> None:
        self._model = model
        images = torch.from_numpy(np.concatenate([model_input(frame, model.image_size) for frame in frames]))
        loaded = (images, *frames[0].shape[:2])
        with mock.patch("sam2.sam2_video_predictor.load_video_frames", return_value=loaded):
            self.state: dict[str, Any] = model.init_state("memory")

    def click(self, frame: int, item: int, point_xy: tuple[float, float], label: int = 1) -> None:
        self._model.add_new_points_or_box(self.state, frame, item, points=[list(point_xy)], labels=[label])

    def box(self, frame: int, item: int, box_xyxy: tuple[float, float, float, float]) -> None:
        self._model.add_new_points_or_box(self.state, frame, item, box=list(box_xyxy))

    def mask(self, frame: int, item: int, mask_hw: NDArray[np.bool_]) -> None:
        self._model.add_new_mask(self.state, frame, item, torch.from_numpy(mask_hw))

    def track(self, start: int, *, backward: bool = False, count: int | None = None) -> None:
        """Track every object from a frame to an end of the clip, or over so many frames more."""
        with mock.patch("sam2.sam2_video_predictor.tqdm", side_effect=lambda frames, desc: frames):
            for _ in self._model.propagate_in_video(self.state, start, count, reverse=backward):
                pass

    def kept(self, frame: int, item: int) -> dict[str, Any]:
        """Return what sam2 keeps of an object on a frame."""
        outputs = self.state["output_dict_per_obj"][self.state["obj_id_to_idx"][item]]
        found: dict[str, Any] = outputs["cond_frame_outputs"].get(frame) or outputs["non_cond_frame_outputs"][frame]
        return found

    def logits(self, frame: int, item: int) -> Logits:
        """Return the logits (h, w) of an object on a frame, clipped as ours are."""
        found: Logits = self.kept(frame, item)["pred_masks"][0, 0].clamp(-32, 32).numpy()
        return found
