"""The bundled model is the one that the manifest describes, and still segments scenes it has never seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageDraw

from app.cli.local import LocalPicture
from app.engine.contract import Engine
from app.engine.sam2.engine import load_torch_engine
from app.nano.judge import judge
from app.nano.other import other_scene
from app.nano.scenes import Scene, material, scene
from app.pictures import PictureLimits
from app.session.limits import SessionLimits
from app.settings import Settings
from app.weights.checkpoints import file_sha256
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.image_files import file_of
from tests.helpers.thorough import examples

SCENES = examples(8, 20)
SEED = 4711
MAX_BYTES = 20_000_000


@pytest.fixture(scope="module")
def nano() -> Engine:
    entry = load_manifest().entry("nano")
    return load_torch_engine(entry, BUNDLED_DIR / entry.file)


def drawn() -> Iterator[Scene]:
    """Scenes of the training generator, of a seed that was not trained on, without ready-made objects."""
    made_of = material(None, held_out=True)
    return (scene(np.random.default_rng((SEED, i)), made_of, photo_share=0.0) for i in range(SCENES))


def drawn_otherwise() -> Iterator[Scene]:
    """Scenes of the generator that nothing was trained on."""
    return (other_scene(np.random.default_rng((SEED, i))) for i in range(SCENES))


def test_the_manifest_describes_the_bundled_file() -> None:
    entry = load_manifest().entry("nano")
    path = BUNDLED_DIR / entry.file
    assert (path.stat().st_size, file_sha256(path)) == (entry.bytes, entry.sha256)
    assert entry.bytes <= MAX_BYTES


@pytest.mark.parametrize(
    ("scenes", "floors"),
    [(drawn, (0.76, 0.82, 0.86)), (drawn_otherwise, (0.61, 0.71, 0.76))],
    ids=["training generator", "other generator"],
)
def test_masks_are_about_as_good_as_the_model_card_says(
    nano: Engine, scenes: Callable[[], Iterator[Scene]], floors: tuple[float, float, float]
) -> None:
    means = judge(nano, scenes(), SEED, grabcut=False).means()
    kinds = ("click at the heart", "box", "after 2 correction clicks")
    assert [kind for kind, floor in zip(kinds, floors, strict=True) if means[kind] <= floor] == []


def test_each_of_two_small_discs_that_were_clicked_is_in_the_mask(nano: Engine) -> None:
    picture = Pil.new("RGB", (2000, 1500), (92, 108, 120))
    for x in (930, 1070):
        ImageDraw.Draw(picture).ellipse((x - 20, 730, x + 20, 770), fill=(240, 206, 80))
    data, settings = file_of(picture, "PNG"), Settings()
    local = LocalPicture(nano, data, PictureLimits.of(settings), speck_share=settings.speck_share)
    item = local.prompted([(930, 750, 1), (1070, 750, 1)], None, None, SessionLimits())
    mask_hw = local.selection([item], "discs.png").objects[0].draw()
    assert [bool(mask_hw[750, x]) for x in (930, 1070)] == [True, True]
