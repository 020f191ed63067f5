"""SAM 2.1 on torch: embeddings on their way to the disk, and a device that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from numpy.testing import assert_array_equal

from app.engine.contract import Prompt
from app.engine.sam2.engine import TorchEmbedding, TorchEngine
from app.errors import EngineFailedError
from app.weights.manifest import load_manifest
from tests.helpers.checkpoint_factory import picture, random_model

POINT = Prompt(points_xy=((200.0, 150.0),), labels=(1,))


@pytest.fixture(scope="module")
def engine() -> TorchEngine:
    return TorchEngine("nano", random_model(load_manifest().entry("nano")), "cpu")


@pytest.fixture(scope="module")
def embedding(engine: TorchEngine) -> TorchEmbedding:
    return engine.encode(picture())


def out_of_memory(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_device_out_of_memory_while_encoding_is_an_engine_failure(
    engine: TorchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine._sam, "forward_image", out_of_memory)
    with pytest.raises(EngineFailedError, match="failed to encode a picture") as failure:
        engine.encode(picture())
    assert isinstance(failure.value.__cause__, torch.OutOfMemoryError)


def test_an_embedding_stays_usable_after_the_device_failed(
    engine: TorchEngine, embedding: TorchEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine._decoder, "forward", out_of_memory)
        with pytest.raises(EngineFailedError, match="failed to decode a prompt"):
            engine.decode(embedding, [POINT])
    assert len(engine.decode(embedding, [POINT])) == 1


def test_nothing_of_the_model_asks_for_gradients(embedding: TorchEmbedding) -> None:
    assert not any(term.requires_grad for term in embedding.terms)


@pytest.fixture
def any_threads() -> Iterator[None]:
    """Let the test use as many threads as it likes, and put things back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("any_threads")
def test_a_picture_has_the_same_bits_on_any_number_of_threads(engine: TorchEngine) -> None:
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(engine.encode(picture()).terms)
    for one, other in zip(*found, strict=True):
        assert_array_equal(one.numpy(), other.numpy())
