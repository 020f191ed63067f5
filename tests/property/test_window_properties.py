"""Windows hold what is seen, wherever that is, and masks and logits come back from them where they were."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.masks.resampling import OUTSIDE, resampled
from app.protocol.counts import box_of_counts, counts_of
from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.frames import in_frame, over_picture
from app.protocol.run_lengths import box_of, encode_mask
from app.protocol.windows import (
    FINER,
    around,
    box_in_picture,
    check_window,
    has,
    holding,
    is_cut,
    larger,
    part_of,
    size_of,
    source_of,
    whole,
)

sides = st.integers(1, 6000)


@st.composite
def looks(draw: st.DrawFn) -> tuple[tuple[int, int], BoxXyxy]:
    """Return a picture's height and width, and a view of it."""
    height, width = draw(sides), draw(sides)
    x0, x1 = sorted(draw(st.lists(st.floats(0, width), min_size=2, max_size=2)))
    y0, y1 = sorted(draw(st.lists(st.floats(0, height), min_size=2, max_size=2)))
    return (height, width), (x0, y0, x1, y1)


@given(looks())
def test_a_window_lies_on_the_picture_and_has_all_that_is_seen(look: tuple[tuple[int, int], BoxXyxy]) -> None:
    size_hw, view = look
    window = around(view, size_hw)
    if window is None:
        return
    check_window(window, size_hw)
    assert has(window, view)
    side = max(size_of(window))
    assert side <= FINER * max(size_hw)
    assert side & (side - 1) == 0
    for start, length, seen in zip(window[:2], size_of(window)[::-1], size_hw[::-1], strict=True):
        assert start % (side // 8) == 0 or start + length == seen
    assert part_of(source_of("a", window)) == ("a", window)
    wider = larger(window, size_hw)
    assert wider is None or (has(wider, (*map(float, window),)) and max(size_of(wider)) == 2 * side)  # type: ignore[arg-type]


def test_who_looks_a_little_further_gets_the_same_window() -> None:
    views = [(1000.0 + step, 700.0, 1200.0 + step, 830.0) for step in range(16)]
    assert len({around(view, (3000, 4000)) for view in views}) == 2
    assert around((0, 0, 150, 100), (3000, 4000)) == (0, 0, 256, 256)
    assert around((0, 0, 2600, 1800), (3000, 4000)) is None


@given(looks(), looks())
def test_what_a_window_has_not_is_asked_in_one_no_smaller_that_has_it(
    look: tuple[tuple[int, int], BoxXyxy], other: tuple[tuple[int, int], BoxXyxy]
) -> None:
    size_hw, view = look
    window = around(view, size_hw)
    box = tuple(min(value, size_hw[1 - place % 2]) for place, value in enumerate(other[1]))
    held = holding(window, box, size_hw)  # type: ignore[arg-type]
    assert window is not None or held is None
    if window is not None and held is not None:
        assert has(held, box)  # type: ignore[arg-type]
        assert max(size_of(held)) >= max(size_of(window))


@given(st.data())
def test_a_mask_of_a_window_comes_back_where_it_is(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(2, 24)), data.draw(st.integers(2, 24))
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    window = (x0, y0, data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height)))
    part = np.array(data.draw(st.lists(st.booleans(), min_size=(n := int(np.prod(size_of(window)))), max_size=n)))
    wanted = np.zeros((height, width), np.bool_)
    wanted[y0 : window[3], x0 : window[2]] = part.reshape(size_of(window))
    mask = encode_mask(part.reshape(size_of(window)), score=0.5)
    mask = type(mask)(mask.size, mask.box, mask.runs, mask.score, mask.area, window)
    assert np.array_equal(over_picture(mask, (height, width)), wanted)
    assert np.array_equal(
        in_frame(wanted, whole((height, width)), window, size_of(window)), part.reshape(size_of(window))
    )
    box = box_in_picture(mask, (height, width))
    assert (box or (0, 0, 0, 0)) == box_of(wanted)
    assert (box_of_counts(counts_of(wanted), (height, width)) or (0, 0, 0, 0)) == box_of(wanted)
    edge = np.zeros_like(wanted)
    edge[max(0, y0 - 1) : window[3] + 1, max(0, x0 - 1) : window[2] + 1] = True
    edge[y0 : window[3], x0 : window[2]] = False  # what lies around the window
    near = wanted.copy()
    near[1:] |= wanted[:-1]
    near[:-1] |= wanted[1:]
    near[:, 1:] |= wanted[:, :-1]
    near[:, :-1] |= wanted[:, 1:]
    assert is_cut(mask, (height, width)) == bool((near & edge).any())


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-20, 20))
def test_logits_are_the_same_in_another_window_and_nothing_where_there_are_none(
    column: int, row: int, level: int
) -> None:
    own: WindowXyxy = (64 * column, 64 * row, 64 * column + 256, 64 * row + 256)
    flat = np.full((32, 32), level, np.float32)
    assert np.allclose(resampled(flat, own, own), flat, atol=1e-4)
    over = resampled(flat, own, (0, 0, 1024, 1024))
    cells = np.full((32, 32), OUTSIDE, np.float32)
    cells[2 * row : 2 * row + 8, 2 * column : 2 * column + 8] = level
    assert np.allclose(over, cells, atol=1e-4)
    assert np.allclose(resampled(over, (0, 0, 1024, 1024), own)[4:-4, 4:-4], level, atol=1e-4)
