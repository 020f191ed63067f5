"""Which compiled decoder answers a prompt."""

from __future__ import annotations

import pytest

from app.engine.openvino.variants import HOVER, TOKEN_COUNTS, Variant, decoder_precision, variant_for


def test_a_lone_point_on_the_object_gets_the_decoder_of_three_candidates() -> None:
    assert variant_for(8, refines=False, multimask=True) == HOVER


@pytest.mark.parametrize(
    ("tokens", "size"), [(8, 8), (9, 9), (10, 12), (12, 12), (13, 24), (24, 24), (25, 80), (80, 80)]
)
def test_a_prompt_gets_the_smallest_decoder_that_holds_it(tokens: int, size: int) -> None:
    assert variant_for(tokens, refines=False, multimask=False) == Variant(size, refines=False, first_mask=0)


def test_refining_takes_a_decoder_that_reads_logits() -> None:
    assert variant_for(8, refines=True, multimask=True) == Variant(8, refines=True, first_mask=0)


def test_64_points_and_a_box_fit_the_largest_decoder() -> None:
    assert variant_for(6 + 64 + 2 + 1, refines=False, multimask=False).tokens == TOKEN_COUNTS[-1]


def test_more_tokens_than_the_largest_decoder_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 80 prompt tokens, got 81"):
        variant_for(81, refines=False, multimask=False)


@pytest.mark.parametrize(
    ("precision", "input_size", "expected"),
    [("bf16", 1024, "bf16"), ("fp32", 1024, "fp32"), ("bf16", 512, "fp32"), ("fp32", 512, "fp32")],
)
def test_a_published_model_decodes_as_it_encodes_and_a_smaller_one_in_fp32(
    precision: str, input_size: int, expected: str
) -> None:
    assert decoder_precision(precision, input_size) == expected
