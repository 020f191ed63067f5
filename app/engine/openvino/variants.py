"""Which compiled decoder answers a prompt. Pure; shapes alone.

Decision: a few decoders of fixed size. Context: OpenVINO runs fixed shapes 1.6 to 3 times sooner than free ones, and
prompts have 1 to 66 points and corners. Choice: prompts are padded to the next of these sizes, padding masked out of
every softmax, so that logits stay the same. Price: each size is compiled once, in a fraction of a second.
"""

from __future__ import annotations

from typing import Final, NamedTuple

TOKEN_COUNTS: Final = (8, 9, 12, 24, 80)
"""8 is a click, 9 a box or two points; 64 points and a box are 73."""
PUBLISHED_INPUT_SIZE: Final = 1024


class Variant(NamedTuple):
    """A compiled decoder's shape.

    Attributes:
        tokens: prompt tokens, padding included.
        refines: it reads logits to refine.
        first_mask: 1 where it computes the three candidates alone, 0 for the single mask before them too.
    """

    tokens: int
    refines: bool
    first_mask: int


HOVER: Final = Variant(TOKEN_COUNTS[0], refines=False, first_mask=1)
"""One point, three candidates: what a moving pointer asks for."""


def decoder_precision(precision: str, input_size: int) -> str:
    """Return the precision of a model's decoders and of what is kept of a picture.

    Decision: models with a smaller input than the published ones decode in fp32. Context: wholly in bf16 the masks
    of an earlier `nano` kept a mean IoU of 0.988 to 0.993 with those in fp32, and of 0.995 where only its encoder was
    bf16; with a trunk that filters each channel for itself the latter is 0.982. Choice: its decoder costs a
    millisecond more. Price: two precisions in one engine.

    Args:
        precision: of the encoder, bf16 or fp32.
        input_size: side of the model's square input in pixels.
    """
    return precision if input_size >= PUBLISHED_INPUT_SIZE else "fp32"


def variant_for(tokens: int, *, refines: bool, multimask: bool) -> Variant:
    """Return the variant for a prompt.

    Raises:
        ValueError: the prompt has more tokens than the largest variant.
    """
    size = next((count for count in TOKEN_COUNTS if count >= tokens), None)
    if size is None:
        raise ValueError(f"expected at most {TOKEN_COUNTS[-1]} prompt tokens, got {tokens}")
    wanted = Variant(size, refines, 0)
    return HOVER if multimask and not refines and size == HOVER.tokens else wanted
