from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import BadMessageError
from app.protocol.messages import MAX_MASK_SIDE, Mask
from app.protocol.run_lengths import decode_mask, decode_runs, encode_mask, encode_runs, iou, run_lengths

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent.parent / "golden" / "masks.json").read_text(encoding="utf-8")
)


def drawn(rows: list[str]) -> NDArray[np.bool_]:
    return np.array([[digit == "1" for digit in row] for row in rows])


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_a_mask_becomes_its_golden_runs(case: dict[str, Any]) -> None:
    height, width = case["size"]
    x0, y0, x1, y1 = case["box"]
    expected = Mask((height, width), (x0, y0, x1, y1), bytes.fromhex(case["runs"]), 0.5, case["area"])
    assert encode_mask(drawn(case["rows"]), score=0.5) == expected


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_golden_runs_become_their_mask(case: dict[str, Any]) -> None:
    height, width = case["size"]
    x0, y0, x1, y1 = case["box"]
    mask = Mask((height, width), (x0, y0, x1, y1), bytes.fromhex(case["runs"]), 0.5, case["area"])
    np.testing.assert_array_equal(decode_mask(mask), drawn(case["rows"]))


@pytest.mark.parametrize(
    ("length", "varint"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (2**21, "80808001"),
     (2**28 - 1, "ffffff7f")],
)  # fmt: skip
def test_run_lengths_are_leb128(length: int, varint: str) -> None:
    assert encode_runs(np.array([length])).hex() == varint
    assert decode_runs(bytes.fromhex(varint)).tolist() == [length]


def test_the_area_may_count_the_pictures_pixels() -> None:
    assert encode_mask(drawn(["11"]), score=1.0, area=800).area == 800


def test_a_mask_that_is_a_view_of_another_array_is_read_right() -> None:
    whole = drawn(["0110", "0100", "0111"])
    np.testing.assert_array_equal(decode_mask(encode_mask(whole[::2, ::-1], score=0.5)), whole[::2, ::-1])


def test_the_largest_grid_fits() -> None:
    full = np.ones((MAX_MASK_SIDE, MAX_MASK_SIDE), dtype=np.bool_)
    assert decode_mask(encode_mask(full, score=1.0)).all()


@pytest.mark.parametrize(
    "mask_hw",
    [np.zeros((MAX_MASK_SIDE + 1, 1), dtype=np.bool_), np.zeros((1, 2, 2), dtype=np.bool_), np.zeros((2, 2))],
    ids=["too tall", "three dimensions", "floats"],
)
def test_what_is_no_mask_of_the_protocol_is_not_encoded(mask_hw: Any) -> None:
    with pytest.raises(ValueError, match="expected an"):
        encode_mask(mask_hw, score=0.5)


@pytest.mark.parametrize(
    ("size", "box", "runs"),
    [
        ((2, 2), (0, 0, 2, 2), b"\x00\x03"),
        ((2, 2), (0, 0, 2, 2), b"\x00\x05"),
        ((2, 2), (0, 0, 2, 2), b""),
        ((2, 2), (0, 0, 0, 0), b"\x00\x01"),
        ((2, 2), (0, 0, 3, 2), b"\x00\x06"),
        ((2, 2), (0, 0, 2, 3), b"\x00\x06"),
        ((2, 2), (1, 0, 0, 1), b""),
        ((2, 2), (-1, 0, 1, 1), b"\x00\x02"),
        ((2, 2), (0, 0, 2, 2), b"\x00\x84"),
        ((2, 2), (0, 0, 2, 2), b"\x00\x84\x80\x80\x80\x00"),
        ((2, 2), (0, 0, 2, 2), b"\x00\xff\xff\xff\x7f"),
        ((10**9, 10**9), (0, 0, 0, 0), b""),
    ],
    ids=["too few", "too many", "no runs", "runs without a box", "box too wide", "box too tall", "box inside out",
         "box left of the grid", "cut varint", "endless varint", "giant run", "giant grid"],
)  # fmt: skip
def test_a_mask_that_contradicts_itself_is_refused(
    size: tuple[int, int], box: tuple[int, int, int, int], runs: bytes
) -> None:
    with pytest.raises(BadMessageError, match="expected"):
        decode_mask(Mask(size, box, runs, 0.5, 0))


def test_run_lengths_begin_with_background() -> None:
    assert run_lengths(drawn(["0110"])).tolist() == [1, 2, 1]
    assert run_lengths(drawn(["1100"])).tolist() == [0, 2, 2]
    assert run_lengths(drawn(["0000"])).tolist() == [4]


def test_iou_of_halves_is_a_third() -> None:
    assert iou(drawn(["110"]), drawn(["011"])) == pytest.approx(1 / 3)


def test_two_empty_masks_agree() -> None:
    assert iou(drawn(["00"]), drawn(["00"])) == 1.0
