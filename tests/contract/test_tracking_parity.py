"""Objects are followed through clips as sam2's own `SAM2VideoPredictor` follows them, on the same weights and prompts.

The bundled model's architecture and pictures' weights, with a random memory and an object head that always sees the
object: two objects, one that comes late, a correction, and back to the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from app.arrays import ImageArray, Logits
from app.engine.contract import Embedding, Prompt, Tracked, TrackingEngine
from app.engine.memory_bank import EMPTY_BANK, FrameMemory, attended
from app.engine.openvino.runtime import detect
from app.engine.sam2.engine import TorchEngine
from app.engine.sam2.memory import SpatialMemory, bits_of, floats_of
from app.weights.manifest import load_manifest
from tests.helpers.checkpoint_factory import enliven
from tests.helpers.graph_factory import compiled_with_memory
from tests.helpers.load import SOAKS
from tests.helpers.moving_scene import moving_scene
from tests.helpers.video_reference import Reference, always, video_predictor

if TYPE_CHECKING:
    from sam2.sam2_video_predictor import SAM2VideoPredictor

FRAMES = 30
SIDE = 512 if SOAKS else 128
"""Of the model's input: its own in the long tests."""
TOLERANCE = 1e-3
CALM = 10.0
"""Logits of a random published model are within 5 with it; larger ones magnify the steps of a memory in bf16."""
MIN_IOU = 0.98
"""Of a mask in bf16 and the predictor's."""
START, LATE, CORRECTED, BACK = 0, 20, 24, 4
CUP, BALL, LEAF = 1, 2, 3
CLICKS = {BALL: (150.0, 60.0), LEAF: (100.0, 150.0)}
CUP_BOX = (30.0, 40.0, 86.0, 96.0)
CORRECTION = (75.0, 90.0)


@dataclass
class Follower:
    """Follows objects with an engine as the tests' reference does."""

    engine: TrackingEngine
    embeddings: list[Embedding]
    remembered: dict[int, dict[int, FrameMemory]] = field(default_factory=dict)
    found: dict[tuple[int, int], Tracked] = field(default_factory=dict)

    def prompt(self, frame: int, item: int, prompt: Prompt, *, corrects: bool = False) -> None:
        kept = self.remembered.setdefault(item, {})
        bank = attended(kept, frame, frames=FRAMES) if corrects else EMPTY_BANK
        self._keep(frame, item, self.engine.track(self.embeddings[frame], bank, prompt), conditioning=True)

    def track(self, frames: range) -> None:
        for frame in frames:
            for item, kept in self.remembered.items():
                if frame in kept and kept[frame].conditioning:
                    continue
                bank = attended(kept, frame, frames=FRAMES, backward=frames.step < 0)
                self._keep(frame, item, self.engine.track(self.embeddings[frame], bank), conditioning=False)

    def _keep(self, frame: int, item: int, tracked: Tracked, *, conditioning: bool) -> None:
        self.remembered[item][frame] = FrameMemory(tracked.memory, conditioning)
        self.found[frame, item] = tracked


class Step(NamedTuple):
    """What sam2 found of an object on a frame, and what it remembered there."""

    logits: Logits
    memory: SpatialMemory


class Clip(NamedTuple):
    """A clip that sam2 has tracked: what it found of each object on each frame, by frame and object.

    Attributes:
        first: before anything was corrected.
        logits: in the end.
    """

    frames: list[ImageArray]
    model: SAM2VideoPredictor
    first: dict[tuple[int, int], Step]
    logits: dict[tuple[int, int], Logits]


@pytest.fixture(scope="module")
def clip() -> Clip:
    frames = moving_scene(FRAMES)
    model = video_predictor(load_manifest().entry("nano"), SIDE)
    reference = Reference(model, frames)
    reference.box(START, CUP, CUP_BOX)
    reference.click(START, BALL, CLICKS[BALL])
    reference.track(START)
    first = {(frame, item): step_of(reference, frame, item) for item in (CUP, BALL) for frame in range(FRAMES)}
    reference.click(CORRECTED, CUP, CORRECTION)
    reference.click(LATE, LEAF, CLICKS[LEAF])
    reference.track(LATE)
    reference.track(LATE, backward=True, count=BACK)
    shown = [(frame, item) for item in (CUP, BALL) for frame in range(FRAMES)]
    shown += [(frame, LEAF) for frame in range(LATE - BACK, FRAMES)]
    return Clip(frames, model, first, {key: reference.logits(*key) for key in shown})


def step_of(reference: Reference, frame: int, item: int) -> Step:
    kept = reference.kept(frame, item)
    features = kept["maskmem_features"][0].flatten(1).T.float().numpy()
    return Step(reference.logits(frame, item), SpatialMemory(bits_of(features), kept["obj_ptr"][0].numpy(), False))


def followed(engine: TrackingEngine, clip: Clip) -> Follower:
    follower = Follower(engine, [engine.encode(frame) for frame in clip.frames])
    follower.prompt(START, CUP, Prompt(box_xyxy=CUP_BOX, multimask=False))
    follower.prompt(START, BALL, Prompt((CLICKS[BALL],), (1,)))
    follower.track(range(START, FRAMES))
    before = follower.found[CORRECTED, CUP].logits
    assert_allclose(before, clip.first[CORRECTED, CUP].logits, atol=TOLERANCE, rtol=0)
    follower.prompt(CORRECTED, CUP, Prompt((CORRECTION,), (1,), mask_logits=before), corrects=True)
    follower.prompt(LATE, LEAF, Prompt((CLICKS[LEAF],), (1,)))
    follower.track(range(LATE, FRAMES))
    follower.track(range(LATE, LATE - BACK - 1, -1))
    return follower


def on_torch(name: str, model: SAM2VideoPredictor, _: Path) -> TrackingEngine:
    return TorchEngine(name, model, "cpu")


def on_openvino(name: str, model: SAM2VideoPredictor, folder: Path) -> TrackingEngine:
    return compiled_with_memory(name, model, "fp32", folder)


RUNTIMES: dict[str, Callable[[str, SAM2VideoPredictor, Path], TrackingEngine]] = {
    "torch": on_torch,
    "openvino fp32": on_openvino,
}


def test_the_masks_of_the_reference_are_worth_comparing(clip: Clip) -> None:
    shares = [float((logits > 0).mean()) for logits in clip.logits.values()]
    assert min(shares) >= 0.01
    assert max(shares) <= 0.6
    assert np.abs(clip.logits[CORRECTED, CUP] - clip.first[CORRECTED, CUP].logits).max() > 1, (
        "the correction changes something"
    )


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module", params=RUNTIMES)
def engine(request: pytest.FixtureRequest, clip: Clip, graphs: Path) -> TrackingEngine:
    return RUNTIMES[request.param]("nano", clip.model, graphs)


def test_objects_are_followed_as_the_predictor_follows_them(clip: Clip, engine: TrackingEngine) -> None:
    found = followed(engine, clip).found
    for key, expected in clip.logits.items():
        assert_allclose(found[key].logits, expected, atol=TOLERANCE, rtol=0, err_msg=f"frame and object {key}")
        assert_array_equal(found[key].logits > 0, expected > 0, err_msg=f"frame and object {key}")


def test_each_step_in_bf16_finds_and_remembers_what_the_predictor_does(clip: Clip, graphs: Path) -> None:
    if detect(None).precision != "bf16":
        return  # nobody runs bf16 on this CPU
    engines = {kind: compiled_with_memory("nano", clip.model, kind, graphs) for kind in ("fp32", "bf16")}
    engine, sees = engines["bf16"], engines["bf16" if SOAKS else "fp32"]  # of small masks, bf16 of a frame takes cells
    assert (engine.precision, engine.is_rough_tracker) == ("bf16", False)
    for frame in range(START + 1, FRAMES):
        embedding = sees.encode(clip.frames[frame])
        for item in (CUP, BALL):
            before = {number: FrameMemory(clip.first[number, item].memory, number == START) for number in range(frame)}
            tracked, expected = engine.track(embedding, attended(before, frame, frames=FRAMES)), clip.first[frame, item]
            found, shown = tracked.logits > 0, expected.logits > 0
            differ, both = (found != shown).sum(), (found | shown).sum()
            assert differ <= max(1, (1 - MIN_IOU) * both), f"frame {frame}, object {item}"  # a cell may be over 2 %
            assert isinstance(tracked.memory, SpatialMemory)
            assert alike(floats_of(tracked.memory.features), floats_of(expected.memory.features)) > MIN_IOU
            assert alike(tracked.memory.pointer, expected.memory.pointer) > MIN_IOU


def alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the cosine of the angle between two sets of numbers, each around its mean."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.skipif(not SOAKS, reason="four frames of a published model take a minute, compiling it some more")
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_published_model_at_its_own_size_follows_as_the_predictor_does(runtime: str, tmp_path: Path) -> None:
    model, frames = video_predictor(load_manifest().entry("tiny"), 1024, seed=2), moving_scene(4)
    enliven(model, CALM)
    reference = Reference(model, frames)
    reference.click(START, BALL, CLICKS[BALL])
    reference.track(START)
    engine = RUNTIMES[runtime]("tiny", model, tmp_path)
    follower = Follower(engine, [engine.encode(frame) for frame in frames])
    follower.prompt(START, BALL, Prompt((CLICKS[BALL],), (1,)))
    follower.track(range(START, len(frames)))
    for frame in range(len(frames)):
        found, expected = follower.found[frame, BALL].logits, reference.logits(frame, BALL)
        assert 0.01 <= (expected > 0).mean() <= 0.6
        assert_allclose(found, expected, atol=TOLERANCE, rtol=0, err_msg=f"frame {frame}")
        assert_array_equal(found > 0, expected > 0, err_msg=f"frame {frame}")


def test_a_mask_that_a_person_made_is_remembered_as_by_the_predictor(clip: Clip, engine: TrackingEngine) -> None:
    mask = np.zeros(clip.frames[0].shape[:2], np.bool_)
    mask[40:120, 30:110] = True
    reference = Reference(clip.model, clip.frames[:2])
    reference.mask(0, CUP, mask)
    reference.track(0)
    memory = engine.remember(engine.encode(clip.frames[0]), mask)
    assert_remembered(memory, reference, 0)
    bank = attended({0: FrameMemory(memory, conditioning=True)}, 1, frames=2)
    assert_allclose(engine.track(engine.encode(clip.frames[1]), bank).logits, reference.logits(1, CUP), atol=TOLERANCE)


def test_an_object_that_is_gone_is_remembered_as_by_the_predictor(clip: Clip) -> None:
    model = video_predictor(load_manifest().entry("nano"), SIDE)
    always(model, present=False)
    engine, mask = TorchEngine("nano", model, "cpu"), np.zeros(clip.frames[0].shape[:2], np.bool_)
    mask[40:120, 30:110] = True
    reference = Reference(model, clip.frames[:3])
    reference.mask(0, CUP, mask)
    reference.track(0)
    start = FrameMemory(engine.remember(engine.encode(clip.frames[0]), mask), conditioning=True)
    assert_remembered(start.memory, reference, 0)
    tracked = engine.track(engine.encode(clip.frames[1]), attended({0: start}, 1, frames=3))
    assert tracked.object_logit < 0
    assert (tracked.candidates.logits == -32).all()
    assert tracked.memory.is_empty
    assert_remembered(tracked.memory, reference, 1)


def assert_remembered(memory: object, reference: Reference, frame: int) -> None:
    assert isinstance(memory, SpatialMemory)
    kept = reference.kept(frame, CUP)
    features = kept["maskmem_features"][0].flatten(1).T.float().numpy()
    assert_allclose(floats_of(memory.features), features, atol=2e-2, rtol=1e-2, err_msg="a step of bf16")
    assert_allclose(memory.pointer, kept["obj_ptr"][0].numpy(), atol=TOLERANCE)
