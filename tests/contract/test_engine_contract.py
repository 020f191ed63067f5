"""What every engine promises, whatever computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from app.engine.contract import Candidates, Embedding, Engine, Prompt
from app.engine.sam2.engine import TorchEngine, load_torch_engine
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.checkpoint_factory import picture, random_model
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.graph_factory import compiled_nano
from tests.helpers.load import SOAKS

NANO = BUNDLED_DIR / "nano.pt"
SAME = 1e-3
POINT = Prompt(points_xy=((200.0, 150.0),), labels=(1,))
ELSEWHERE = Prompt(points_xy=((20.0, 280.0),), labels=(1,))
POINTS = Prompt(points_xy=((200.0, 150.0), (380.0, 20.0)), labels=(1, 0))
BOX = Prompt(box_xyxy=(100.0, 50.0, 300.0, 250.0))
SINGLE = replace(POINT, multimask=False)
EVERY_SHAPE = [POINT, BOX, SINGLE, POINTS, ELSEWHERE, replace(BOX, points_xy=((150.0, 60.0),), labels=(0,))]


def tiny() -> Engine:
    return TorchEngine("tiny", random_model(load_manifest().entry("tiny"), side=1024 if SOAKS else 256), "cpu")


def nano() -> Engine:
    return load_torch_engine(load_manifest().entry("nano"), NANO)


ENGINES: dict[str, Callable[[], Engine]] = {
    "fake": FakeEngine,
    "tiny": tiny,
    "nano": nano,
    "openvino fp32": partial(compiled_nano, "fp32"),
    "openvino bf16": partial(compiled_nano, "bf16"),
}
"""The published architecture is tried on a smaller input, through the same modules; in the long tests on its own."""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]()


@pytest.fixture(scope="module")
def embedding(engine: Engine) -> Embedding:
    return engine.encode(picture(300, 400))


def one(engine: Engine, embedding: Embedding, prompt: Prompt) -> Candidates:
    [candidates] = engine.decode(embedding, [prompt])
    return candidates


def assert_same(found: Candidates, expected: Candidates) -> None:
    assert_allclose(found.logits, expected.logits, atol=SAME, rtol=0)
    assert_allclose(found.scores, expected.scores, atol=SAME, rtol=0)


def test_an_engine_names_a_model_of_the_manifest_and_a_device(engine: Engine) -> None:
    assert engine.model in [entry.name for entry in load_manifest().models]
    assert engine.device in ("cpu", "cuda", "mps")


def test_an_embedding_knows_the_size_of_its_picture_and_its_bytes(embedding: Embedding) -> None:
    assert embedding.size_hw == (300, 400)
    assert embedding.nbytes > 0


@pytest.mark.parametrize("prompt", EVERY_SHAPE, ids=["point", "box", "single", "points", "elsewhere", "box+point"])
def test_a_prompt_gets_logits_and_scores_of_the_promised_kind(
    engine: Engine, embedding: Embedding, prompt: Prompt
) -> None:
    found = one(engine, embedding, prompt)
    count = 3 if prompt.multimask else 1
    assert found.logits.dtype == found.scores.dtype == np.float32
    assert found.logits.ndim == 3
    assert found.logits.shape[0] == len(found.scores) == count
    assert found.logits.min() >= -32
    assert found.logits.max() <= 32
    assert found.scores.min() >= 0
    assert found.scores.max() <= 1


def test_prompts_of_any_shape_are_answered_in_order(engine: Engine, embedding: Embedding) -> None:
    together = engine.decode(embedding, EVERY_SHAPE)
    assert len(together) == len(EVERY_SHAPE)
    for prompt, found in zip(EVERY_SHAPE, together, strict=True):
        assert_same(found, one(engine, embedding, prompt))


def test_more_prompts_than_a_batch_holds_are_all_answered(engine: Engine, embedding: Embedding) -> None:
    found = engine.decode(embedding, [ELSEWHERE, *[POINT] * 17])
    assert len(found) == 18
    assert_same(found[0], one(engine, embedding, ELSEWHERE))
    assert_same(found[-1], one(engine, embedding, POINT))


def test_prompts_in_different_places_get_different_answers(engine: Engine, embedding: Embedding) -> None:
    difference = one(engine, embedding, POINT).logits - one(engine, embedding, ELSEWHERE).logits
    assert np.abs(difference).max() > 10 * SAME


def test_no_picture_is_kept_between_calls(engine: Engine, embedding: Embedding) -> None:
    before = one(engine, embedding, POINT)
    other = engine.encode(picture(200, 100, seed=1))
    engine.decode(other, [Prompt(points_xy=((50.0, 100.0),), labels=(1,))])
    assert_same(one(engine, embedding, POINT), before)


def test_an_encode_that_nobody_waits_for_ends_when_the_device_is_wanted_and_spoils_nothing(
    engine: Engine, embedding: Embedding
) -> None:
    image, expected = picture(300, 400), one(engine, embedding, POINT)
    tries = (engine.encode_while(image, lambda: False) for _ in range(20))  # a busy machine may look too late
    assert None in tries
    for made in (engine.encode(image), engine.encode_while(image, lambda: True)):
        assert made is not None
        assert_same(one(engine, made, POINT), expected)


def test_the_logits_of_an_earlier_candidate_change_the_answer(engine: Engine, embedding: Embedding) -> None:
    earlier = one(engine, embedding, ELSEWHERE)
    refined = one(engine, embedding, replace(SINGLE, mask_logits=earlier.logits[earlier.best]))
    assert refined.logits.shape == (1, *earlier.logits.shape[1:])
    assert np.abs(refined.logits - one(engine, embedding, SINGLE).logits).max() > 10 * SAME


def test_what_was_answered_is_not_changed_by_later_calls(engine: Engine, embedding: Embedding) -> None:
    first = one(engine, embedding, POINT)
    copy = first.logits.copy()
    one(engine, embedding, ELSEWHERE)
    assert_array_equal(first.logits, copy)


def test_a_picture_is_read_whatever_its_memory_layout_and_left_alone(engine: Engine, embedding: Embedding) -> None:
    image = np.asfortranarray(picture(300, 400))
    image.flags.writeable = False
    assert_same(one(engine, engine.encode(image), POINT), one(engine, embedding, POINT))
    assert_array_equal(image, picture(300, 400))


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 90), (1200, 12)])
def test_pictures_of_extreme_shape_are_encoded(engine: Engine, size_hw: tuple[int, int]) -> None:
    embedding = engine.encode(picture(*size_hw))
    corner = Prompt(points_xy=((float(size_hw[1]), float(size_hw[0])),), labels=(1,))
    assert embedding.size_hw == size_hw
    assert np.isfinite(one(engine, embedding, corner).logits).all()


@pytest.mark.parametrize(
    ("prompts", "text"),
    [
        ([], "at least one prompt"),
        ([Prompt()], "a point or a box"),
        ([Prompt(points_xy=((1.0, 1.0),), labels=(1, 0))], "one label for each point"),
        ([replace(POINT, mask_logits=np.zeros((3, 3), np.float32))], "logit grid"),
    ],
    ids=["no prompt", "empty prompt", "labels", "foreign logits"],
)
def test_a_malformed_prompt_is_refused(engine: Engine, embedding: Embedding, prompts: list[Prompt], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        engine.decode(embedding, prompts)


def test_what_is_no_picture_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        engine.encode(np.zeros((10, 10), np.uint8))


def test_an_embedding_of_another_engine_is_refused(engine: Engine) -> None:
    class Foreign:
        size_hw = (1, 1)
        nbytes = 1

    with pytest.raises(TypeError, match="got Foreign"):
        engine.decode(Foreign(), [POINT])
