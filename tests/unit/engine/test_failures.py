"""A device without memory left is told apart from one that fails: the words are torch's own."""

from __future__ import annotations

import pytest
import torch

from app.engine.failures import is_out_of_memory


@pytest.mark.parametrize(
    ("error", "exhausted"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.06 GB)"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
    ],
    ids=["python", "cuda", "mps", "other"],
)
def test_exhaustion_is_known_by_its_type_or_its_words(error: Exception, exhausted: bool) -> None:
    assert is_out_of_memory(error) == exhausted


def test_more_than_this_machine_has_is_exhaustion() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
