"""Every architecture answers as sam2's own `SAM2ImagePredictor` does, on the same weights, picture and prompts.

Only that the rims of nano, whose grid is coarse, then follow the picture's edges.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from PIL import Image as Pil
from PIL import ImageDraw
from sam2.build_sam import build_sam2
from sam2.sam2_image_predictor import SAM2ImagePredictor

from app.cli.local import LocalPicture
from app.engine.contract import Candidates, Prompt
from app.engine.openvino.engine import OpenVinoEmbedding, OpenVinoEngine
from app.engine.sam2.edges import along_edges
from app.engine.sam2.engine import TorchEmbedding, TorchEngine
from app.engine.sam2.loader import load_model
from app.engine.sam2.selection import MIN_STABILITY, STABILITY_DELTA
from app.pictures import PictureLimits
from app.protocol.run_lengths import iou
from app.session.limits import SessionLimits
from app.settings import Settings
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.checkpoint_factory import enliven, picture, sized_model
from tests.helpers.graph_factory import compiled, compiled_nano
from tests.helpers.image_files import file_of
from tests.helpers.load import SOAKS

TOLERANCE = 1e-3
IMAGE = picture(450, 700)
POINT = Prompt(points_xy=((350.0, 200.0),), labels=(1,))
POINTS = Prompt(points_xy=((350.5, 200.25), (10.0, 440.0), (699.0, 0.0)), labels=(1, 0, 1))
BOX = Prompt(box_xyxy=(100.0, 50.0, 400.0, 300.0))
BOX_AND_POINTS = Prompt(points_xy=((200.0, 100.0), (390.0, 290.0)), labels=(1, 0), box_xyxy=(100.0, 50.0, 400.0, 300.0))
PROMPTS = {"point": POINT, "points": POINTS, "box": BOX, "box and points": BOX_AND_POINTS}


class Pair(NamedTuple):
    predictor: SAM2ImagePredictor
    engine: TorchEngine
    embedding: TorchEmbedding
    compiled: OpenVinoEngine
    compiled_embedding: OpenVinoEmbedding


ALWAYS = ("nano", "tiny")
LARGER = ("small", "base_plus", "large")
"""The same modules in other sizes, which take minutes to compile: compared in the long tests."""
SIDE = 1024 if SOAKS else 512
"""Of a published model's input: its own in the long tests. The smaller one has windows that need padding too."""


@pytest.fixture(scope="module", params=(*ALWAYS, *LARGER) if SOAKS else ALWAYS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """sam2's predictor on a model that sam2 built, and our engine on a model that we built, with one set of weights."""
    entry = load_manifest().entry(request.param)
    if entry.bundled:  # which has weights of its own here
        theirs = load_model(entry, BUNDLED_DIR / entry.file)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            theirs = build_sam2(entry.config, device="cpu", hydra_overrides_extra=[f"++model.image_size={SIDE}"])
        enliven(theirs)
    ours = sized_model(entry, SIDE)
    ours.load_state_dict(theirs.state_dict(), assign=True)
    predictor = SAM2ImagePredictor(theirs)
    grid = theirs.image_size // 4
    predictor._bb_feat_sizes = [(grid // scale, grid // scale) for scale in (1, 2, 4)]
    predictor.set_image(IMAGE)
    engine = TorchEngine(entry.name, ours, "cpu")
    directory = tmp_path_factory.mktemp("graphs")
    fast = compiled_nano("fp32") if entry.bundled else compiled(entry.name, ours, "fp32", directory)
    with pytest.MonkeyPatch.context() as patch:
        if not entry.bundled:  # at its own size its grid is fine
            patch.setattr("app.engine.sam2.edges.FINE_SIDE", grid)
        yield Pair(predictor, engine, engine.encode(IMAGE), fast, fast.encode(IMAGE))
    del theirs, ours, predictor, engine, fast
    shutil.rmtree(directory)
    gc.collect()


def predicted(pair: Pair, prompt: Prompt) -> Candidates:
    """Return what sam2 answers, its rims along the edges of the picture where the model's grid is coarse."""
    _, scores, logits = pair.predictor.predict(
        point_coords=np.array(prompt.points_xy) if prompt.points_xy else None,
        point_labels=np.array(prompt.labels) if prompt.labels else None,
        box=None if prompt.box_xyxy is None else np.array(prompt.box_xyxy),
        mask_input=None if prompt.mask_logits is None else prompt.mask_logits[None],
        multimask_output=prompt.multimask,
    )
    return along_edges(Candidates(logits, scores), pair.embedding.guide)


def test_only_a_model_of_a_coarse_grid_is_helped_with_its_rims(pair: Pair) -> None:
    is_coarse = pair.engine.model == "nano"
    assert (pair.embedding.guide is not None) == (pair.compiled_embedding.guide is not None) == is_coarse


def assert_same(found: Candidates, expected: Candidates) -> None:
    assert found.logits.shape == expected.logits.shape
    assert np.ptp(expected.logits) > 1, "a flat answer would agree with anything"
    assert_allclose(found.logits, expected.logits, atol=TOLERANCE, rtol=0)
    assert_allclose(found.scores, expected.scores, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", PROMPTS)
def test_three_candidates_equal_those_of_the_predictor(pair: Pair, name: str) -> None:
    [found] = pair.engine.decode(pair.embedding, [PROMPTS[name]])
    assert_same(found, predicted(pair, PROMPTS[name]))


def test_prompts_decoded_in_one_batch_equal_the_predictor_one_by_one(pair: Pair) -> None:
    prompts = [POINT, BOX, Prompt(points_xy=((20.0, 30.0),), labels=(1,)), BOX_AND_POINTS]
    for prompt, found in zip(prompts, pair.engine.decode(pair.embedding, prompts), strict=True):
        assert_same(found, predicted(pair, prompt))


def test_refinement_of_an_earlier_candidate_equals_that_of_the_predictor(pair: Pair) -> None:
    [first] = pair.engine.decode(pair.embedding, [POINT])
    refined = Prompt(POINTS.points_xy, POINTS.labels, mask_logits=first.logits[first.best], multimask=False)
    [found] = pair.engine.decode(pair.embedding, [refined])
    assert_same(found, predicted(pair, refined))


@pytest.mark.parametrize("threshold", [0.0, 1.1], ids=["stable", "unstable"])
def test_the_single_mask_follows_the_stability_rule(
    pair: Pair, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = pair.predictor.model.sam_mask_decoder
    assert decoder.dynamic_multimask_via_stability
    assert decoder.dynamic_multimask_stability_delta == STABILITY_DELTA
    assert decoder.dynamic_multimask_stability_thresh == MIN_STABILITY
    monkeypatch.setattr(decoder, "dynamic_multimask_stability_thresh", threshold)
    monkeypatch.setattr("app.engine.sam2.selection.MIN_STABILITY", threshold)
    single = Prompt(POINT.points_xy, POINT.labels, multimask=False)
    [found], [three] = pair.engine.decode(pair.embedding, [single]), pair.engine.decode(pair.embedding, [POINT])
    assert_same(found, predicted(pair, single))
    is_the_best_of_three = np.allclose(found.logits[0], three.logits[three.best], atol=TOLERANCE)
    assert is_the_best_of_three == (threshold > 1)


@pytest.mark.parametrize("name", PROMPTS)
def test_compiled_candidates_equal_those_of_the_predictor(pair: Pair, name: str) -> None:
    [found] = pair.compiled.decode(pair.compiled_embedding, [PROMPTS[name]])
    assert_same(found, predicted(pair, PROMPTS[name]))


def test_compiled_refinement_equals_that_of_the_predictor(pair: Pair) -> None:
    [first] = pair.engine.decode(pair.embedding, [POINT])
    refined = Prompt(POINTS.points_xy, POINTS.labels, mask_logits=first.logits[first.best], multimask=False)
    [found] = pair.compiled.decode(pair.compiled_embedding, [refined])
    assert_same(found, predicted(pair, refined))


def test_a_compiled_prompt_of_many_points_equals_that_of_the_predictor(pair: Pair) -> None:
    points_xy = tuple((float(11 * number), float(7 * number)) for number in range(20))
    many = Prompt(points_xy, (1, 0) * 10, multimask=False)
    [found] = pair.compiled.decode(pair.compiled_embedding, [many])
    assert_same(found, predicted(pair, many))


def test_a_window_is_answered_as_the_predictor_answers_the_same_crop(pair: Pair) -> None:
    if pair.engine.model != "nano":
        pytest.skip("a crop is but a picture: one architecture shows that it is the same")
    x0, y0, x1, y1 = window = (256, 64, 512, 320)
    theirs = SAM2ImagePredictor(pair.predictor.model)
    theirs._bb_feat_sizes = pair.predictor._bb_feat_sizes
    plate = Pil.new("RGB", (700, 450), (60, 70, 90))
    ImageDraw.Draw(plate).ellipse((340, 150, 420, 230), fill=(220, 180, 60))
    theirs.set_image(np.array(plate)[y0:y1, x0:x1])
    limits = PictureLimits.of(Settings())
    picture = LocalPicture(pair.engine, file_of(plate, "PNG"), limits, speck_share=0)
    item = picture.prompted([(380, 190, 1)], None, None, SessionLimits(), window=window)
    masks, scores, _ = theirs.predict(np.array([[380 - x0, 190 - y0]]), np.array([1]))
    best = int(scores.argmax())
    assert (item.window, item.chosen) == (window, best)
    [shown] = picture.selection([item], "a.png").objects
    assert shown.score == pytest.approx(float(scores[best]), abs=TOLERANCE)
    assert iou(shown.draw()[y0:y1, x0:x1], masks[best] > 0) > 0.99
