"""What half precision costs on a trained model, and that the same picture gives the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from app.arrays import ImageArray
from app.engine.contract import Prompt
from app.engine.openvino.engine import OpenVinoEngine
from app.engine.openvino.runtime import detect
from app.engine.openvino.variants import HOVER
from app.engine.sam2.engine import TorchEngine
from app.pictures import PictureLimits, read_picture
from app.protocol.run_lengths import box_of
from app.settings import Settings
from app.weights.manifest import load_manifest
from tests.helpers.checkpoint_factory import picture, random_model
from tests.helpers.graph_factory import compiled, compiled_nano
from tests.helpers.thorough import examples

SAMPLES = Path(__file__).parent.parent.parent / "static" / "samples"
PROMPTS = examples(80, 200)
MIN_MEAN_IOU = 0.98
MIN_CELLS = 20
SIDE = 256
"""Of the input of a published model here, whose own takes 16 times as long."""


@pytest.fixture(scope="module")
def engines() -> dict[str, OpenVinoEngine]:
    return {precision: compiled_nano(precision) for precision in ("fp32", "bf16")}


@pytest.fixture(scope="module")
def photos() -> list[ImageArray]:
    limits = PictureLimits.of(Settings())
    return [read_picture(path.read_bytes(), limits).working for path in sorted(SAMPLES.glob("*.jpg"))]


def clicks_on(photo: ImageArray, count: int, seed: int) -> list[Prompt]:
    """Clicks anywhere on a picture."""
    rng, (height, width) = np.random.default_rng(seed), photo.shape[:2]
    return [Prompt(((float(rng.uniform(0, width)), float(rng.uniform(0, height))),), (1,)) for _ in range(count)]


def boxes_on(engine: OpenVinoEngine, photo: ImageArray, count: int, seed: int) -> list[Prompt]:
    """Boxes around things, as people draw them: around what clicks find."""
    boxes: list[Prompt] = []
    for found in engine.decode(engine.encode(photo), clicks_on(photo, 4 * count, seed)):
        mask_hw = found.logits[found.best] > 0
        x0, y0, x1, y1 = box_of(mask_hw)
        if mask_hw.sum() >= MIN_CELLS:
            sy, sx = photo.shape[0] / mask_hw.shape[0], photo.shape[1] / mask_hw.shape[1]
            boxes.append(Prompt(box_xyxy=(x0 * sx, y0 * sy, x1 * sx, y1 * sy), multimask=False))
    return boxes[:count]


def prompts_on(engine: OpenVinoEngine, photo: ImageArray, count: int, seed: int) -> list[Prompt]:
    """Half clicks, half boxes."""
    return clicks_on(photo, count // 2, seed) + boxes_on(engine, photo, count // 2, seed + 1000)


def test_masks_in_bf16_are_those_in_fp32(engines: dict[str, OpenVinoEngine], photos: list[ImageArray]) -> None:
    if detect(None).precision != "bf16":
        return  # nobody runs bf16 on this CPU
    overlaps = []
    for number, photo in enumerate(photos):
        prompts = prompts_on(engines["fp32"], photo, PROMPTS // len(photos), number)
        answers = {name: engine.decode(engine.encode(photo), prompts) for name, engine in engines.items()}
        for one, other in zip(answers["fp32"], answers["bf16"], strict=True):
            a, b = one.logits[one.best] > 0, other.logits[one.best] > 0
            overlaps.append((a & b).sum() / max(1, (a | b).sum()) if (a | b).any() else 1.0)
    assert len(overlaps) >= PROMPTS
    assert np.mean(overlaps) >= MIN_MEAN_IOU, f"mean IoU {np.mean(overlaps):.4f}"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_picture_that_is_encoded_again_gives_the_same_bits(
    engines: dict[str, OpenVinoEngine], photos: list[ImageArray], precision: str
) -> None:
    engine, prompts = engines[precision], prompts_on(engines[precision], photos[0], 20, 0)
    first, second = (engine.decode(engine.encode(photos[0]), prompts) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert_array_equal(one.logits, other.logits)
        assert_array_equal(one.scores, other.scores)


def test_a_picture_of_a_published_model_takes_half_the_memory_in_bf16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.openvino.variants.PUBLISHED_INPUT_SIZE", SIDE)
    monkeypatch.setattr("app.engine.openvino.convert.TRACED", (HOVER,))  # what embeddings take, no decoder changes
    monkeypatch.setattr("app.engine.openvino.engine.COMMON", (HOVER,))
    monkeypatch.setattr("app.engine.sam2.edges.FINE_SIDE", SIDE // 4)  # and no guide, as with every published model
    sam = random_model(load_manifest().entry("tiny"), side=SIDE)
    fast = compiled("tiny", sam, "bf16", tmp_path)
    reference = TorchEngine("tiny", sam, "cpu").encode(picture())
    assert fast.encode(picture()).nbytes * 2 == reference.nbytes == fast.adopt(reference).nbytes * 2
