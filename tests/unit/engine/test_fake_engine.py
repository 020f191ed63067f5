"""The engine without a model: its geometry, its gates and its failures."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from app.engine.contract import Prompt
from app.errors import EngineFailedError
from tests.helpers.checkpoint_factory import picture
from tests.helpers.fake_engine import FakeEngine

CENTRE = Prompt(points_xy=((200.0, 150.0),), labels=(1,))


def mask(prompt: Prompt, candidate: int = 0) -> NDArray[np.bool_]:
    """Return the mask that a picture of 300 x 400 gets on the 64 x 64 grid."""
    engine = FakeEngine()
    [found] = engine.decode(engine.encode(picture(300, 400)), [prompt])
    return np.asarray(found.logits[candidate] > 0)


def test_a_point_gives_a_disc_around_it() -> None:
    found = mask(CENTRE)
    assert found[32, 32]
    assert not found[0].any()


def test_the_candidates_grow_from_part_to_group() -> None:
    areas = [np.count_nonzero(mask(CENTRE, candidate)) for candidate in range(3)]
    assert 0 < areas[0] < areas[1] < areas[2]


def test_a_box_gives_the_box() -> None:
    found = mask(Prompt(box_xyxy=(100.0, 75.0, 200.0, 150.0)))
    assert found[16:32, 16:32].all()
    assert np.count_nonzero(found) == 16 * 16


def test_a_point_off_the_object_cuts_a_disc_out() -> None:
    found = mask(Prompt(points_xy=((200.0, 150.0), (200.0, 150.0)), labels=(1, 0)))
    assert not found[32, 32]
    assert found.any()


def test_a_point_off_the_object_alone_gives_an_empty_mask() -> None:
    assert not mask(Prompt(points_xy=((200.0, 150.0),), labels=(0,))).any()


def test_earlier_logits_are_kept() -> None:
    earlier = np.full((64, 64), -32, np.float32)
    earlier[:5] = 1
    assert mask(Prompt(CENTRE.points_xy, CENTRE.labels, mask_logits=earlier))[:5].all()


def test_two_pictures_get_two_different_masks() -> None:
    engine = FakeEngine()
    first, second = (engine.encode(picture(300, 400, seed)) for seed in (0, 1))
    [one], [other] = engine.decode(first, [CENTRE]), engine.decode(second, [CENTRE])
    assert not np.array_equal(one.logits, other.logits)


def test_the_middle_candidate_is_the_best() -> None:
    engine = FakeEngine()
    [found] = engine.decode(engine.encode(picture()), [CENTRE])
    assert found.best == 1


def test_calls_are_counted() -> None:
    engine = FakeEngine()
    embedding = engine.encode(picture())
    engine.decode(embedding, [CENTRE])
    engine.decode(embedding, [CENTRE, CENTRE])
    assert (engine.encodes, engine.decoded) == (1, [[CENTRE], [CENTRE, CENTRE]])


@pytest.mark.parametrize("call", ["encode", "decode"])
def test_a_shut_gate_holds_a_call_until_it_opens(call: str) -> None:
    engine, gate = FakeEngine(), threading.Event()
    embedding = engine.encode(picture())
    engine.encoding.clear()
    engine.encode_gate = engine.decode_gate = gate
    with ThreadPoolExecutor(1) as pool:
        if call == "encode":
            held, begun = pool.submit(engine.encode, picture()).done, engine.encoding
        else:
            held, begun = pool.submit(engine.decode, embedding, [CENTRE]).done, engine.decoding
        assert begun.wait(10)
        assert not held()
        gate.set()
    assert held()


def test_a_planned_failure_is_raised_once() -> None:
    engine = FakeEngine(failures=[EngineFailedError("as planned")])
    with pytest.raises(EngineFailedError, match="as planned"):
        engine.encode(picture())
    assert engine.encode(picture()).size_hw == (300, 400)
