"""The pixels under a stroke of a round brush."""

from __future__ import annotations

import numpy as np
import pytest

from app.masks.strokes import stroke_mask

SIZE_HW = (40, 40)


@pytest.mark.parametrize("end", [(0.0, 1e-308), (1e-308, 1e-308), (1e-12, 0.0), (0.0, 0.0)])
def test_a_stroke_of_almost_no_length_is_a_dab(end: tuple[float, float]) -> None:
    dab = stroke_mask([(0.0, 0.0)], 5.0, SIZE_HW, SIZE_HW)
    assert dab.any()
    assert np.array_equal(stroke_mask([(0.0, 0.0), end], 5.0, SIZE_HW, SIZE_HW), dab)
