"""Prompt tokens by NumPy equal those of sam2's own prompt encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from app.engine.sam2.features import prompt_table
from app.engine.sam2.prompt_tokens import PADDING_SCORE, PromptTable, padded
from app.weights.manifest import load_manifest
from tests.helpers.checkpoint_factory import random_model


def test_tokens_equal_those_of_the_prompt_encoder() -> None:
    sam = random_model(load_manifest().entry("nano"))
    rng = np.random.default_rng(0)
    coords_xy = rng.uniform(0, 512, (3, 6, 2)).astype(np.float32)
    labels = np.array([[2, 3, 1, 0, 1, 0]] * 3, np.int32)
    with torch.inference_mode():
        points = (torch.from_numpy(coords_xy), torch.from_numpy(labels))
        expected, _ = sam.sam_prompt_encoder(points=points, boxes=None, masks=None)
    found = prompt_table(sam).tokens(coords_xy, labels)
    assert_allclose(found[:, 6:], expected.numpy(), atol=1e-5)


def test_every_prompt_begins_with_the_output_tokens() -> None:
    sam = random_model(load_manifest().entry("nano"))
    decoder = sam.sam_mask_decoder
    found = prompt_table(sam).tokens(np.zeros((1, 1, 2), np.float32), np.ones((1, 1), np.int32))
    outputs = [decoder.obj_score_token.weight, decoder.iou_token.weight, decoder.mask_tokens.weight]
    assert_array_equal(found[0, :6], torch.cat(outputs).detach().numpy())


def test_a_table_survives_a_trip_to_disk(tmp_path: Path) -> None:
    table = prompt_table(random_model(load_manifest().entry("nano")))
    table.save(tmp_path / "table.npz")
    found = PromptTable.load(tmp_path / "table.npz")
    for name in ("outputs", "labels", "no_point", "frequencies", "input_size"):
        assert_array_equal(getattr(found, name), getattr(table, name))


@given(count=st.integers(1, 20), more=st.integers(0, 20))
def test_padding_is_told_apart_and_changes_no_token(count: int, more: int) -> None:
    tokens = np.random.default_rng(count).normal(size=(1, count, 4)).astype(np.float32)
    filled, score = padded(tokens, count + more)
    assert_array_equal(filled[:, :count], tokens)
    assert score[0, 0].tolist() == [0.0] * count + [PADDING_SCORE] * more


def test_more_tokens_than_room_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 2 tokens, got 3"):
        padded(np.zeros((1, 3, 4), np.float32), 2)
