from __future__ import annotations

import contextlib

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from app.errors import BadMessageError
from app.protocol.messages import Mask
from app.protocol.run_lengths import decode_mask, decode_runs, encode_mask, encode_runs, run_lengths

unhurried = settings(suppress_health_check=[HealthCheck.too_slow])
masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


@unhurried
@given(masks)
def test_a_mask_survives_the_wire(mask_hw: NDArray[np.bool_]) -> None:
    np.testing.assert_array_equal(decode_mask(encode_mask(mask_hw, score=0.5)), mask_hw)


@unhurried
@given(st.lists(st.integers(0, 2**28 - 1), max_size=50))
def test_run_lengths_survive_the_wire(lengths: list[int]) -> None:
    assert decode_runs(encode_runs(np.array(lengths, dtype=np.int64))).tolist() == lengths


@unhurried
@given(masks)
def test_the_box_is_the_tightest(mask_hw: NDArray[np.bool_]) -> None:
    x0, y0, x1, y1 = encode_mask(mask_hw, score=0.5).box
    crop = mask_hw[y0:y1, x0:x1]
    assert crop.sum() == mask_hw.sum()
    assert all(edge.any() for edge in (crop[:1], crop[-1:], crop[:, :1], crop[:, -1:]) if mask_hw.any())


@unhurried
@given(masks)
def test_run_lengths_fill_the_array(mask_hw: NDArray[np.bool_]) -> None:
    lengths = run_lengths(mask_hw)
    assert lengths.sum() == mask_hw.size
    assert lengths[1::2].sum() == mask_hw.sum()
    assert (lengths[1:] > 0).all()


@unhurried
@given(
    st.tuples(st.integers(-2, 9), st.integers(-2, 9)),
    st.tuples(*[st.integers(-2, 9)] * 4),
    st.binary(max_size=12),
)
def test_no_bytes_make_a_mask_off_its_grid(size: tuple[int, int], box: tuple[int, int, int, int], runs: bytes) -> None:
    with contextlib.suppress(BadMessageError):
        assert decode_mask(Mask(size, box, runs, 0.5, 0)).shape == size
