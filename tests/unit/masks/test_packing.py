from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.masks.packing import pack_logits, unpack_logits


@given(arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(-32, 32, width=32)))
def test_logits_come_back_to_within_a_quarter_and_closer_beside_the_edge(
    logits: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    back = unpack_logits(pack_logits(logits))
    assert back.shape == logits.shape
    assert back.dtype == np.float32
    off = np.abs(back - logits)
    assert off.max() <= 0.2501
    assert off[np.abs(logits) <= 1].max(initial=0) <= 0.05
    assert not (np.sign(back) * np.sign(logits) < 0).any()


def test_what_was_unpacked_packs_to_the_same_again() -> None:
    packed = pack_logits(np.random.default_rng(0).uniform(-32, 32, (256, 256)).astype(np.float32))
    assert pack_logits(unpack_logits(packed)) == packed


@pytest.mark.parametrize(("value", "kept"), [(32.0, 32.0), (-32.0, -32.0), (1000.0, 32.0), (-0.0, 0.0)])
def test_values_beyond_the_range_are_clipped(value: float, kept: float) -> None:
    assert unpack_logits(pack_logits(np.full((2, 3), value, np.float32))).tolist() == [[kept] * 3] * 2


def test_the_smooth_logits_of_a_mask_are_a_few_kilobytes() -> None:
    y, x = np.mgrid[:256, :256]
    logits = (60 - np.hypot(x - 128, y - 128)).clip(-32, 32).astype(np.float32) / 2
    assert len(pack_logits(logits)) < 20_000
