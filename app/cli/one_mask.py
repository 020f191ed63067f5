"""One prompt on one picture, answered in this process: no server, no session, no scheduler."""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.contract import Candidates, Engine, Logits
from app.engine.postprocess import upsampled_mask
from app.errors import UnknownObjectError
from app.pictures import PictureLimits, read_picture
from app.protocol.fields import BoxXyxy
from app.protocol.masks import MaskArray
from app.realtime.predictor import prompt_of, shown
from app.session.checks import check_box, check_point
from app.session.objects import PointXyl, SessionObject
from app.session.session import OpenImage, query_of


@dataclass(frozen=True)
class Ask:
    """What is asked.

    Attributes:
        points: `(x, y, label)` in pixels of the picture.
        box: `(x0, y0, x1, y1)` in pixels of the picture, or None.
        candidate: which answer to take, None for the one with the highest score.
    """

    points: tuple[PointXyl, ...]
    box: BoxXyxy | None = None
    candidate: int | None = None


@dataclass(frozen=True)
class OneMask:
    """What a prompt found.

    Attributes:
        data: the picture's file.
        image: its id and size.
        model: who found it.
        item: the prompt as an object.
        logits: (h, w) float32 on the model's own grid, without specks.
        score: the model's own predicted IoU.
        candidates: how many answers there were.
    """

    data: bytes
    image: OpenImage
    model: str
    item: SessionObject
    logits: Logits
    score: float
    candidates: int

    @property
    def multimask(self) -> bool:
        """True where the prompt was a lone point, which is answered by three candidates."""
        return self.candidates > 1

    def draw(self) -> MaskArray:
        """Return the mask, (H, W) bool at the picture's own size."""
        return upsampled_mask(self.logits, self.image.size_hw)


def segment(engine: Engine, data: bytes, limits: PictureLimits, ask: Ask, *, speck_share: float) -> OneMask:
    """Return the mask of a prompt: all points and the box at once.

    Args:
        engine: a loaded model.
        data: the picture's file.
        limits: its bounds.
        ask: the prompt.
        speck_share: specks and holes up to this share of the picture are left out.

    Raises:
        HoverError: the picture is refused, see `read_picture`; a point or the box isn't on it, there is no such
            candidate, or the device gave up.
    """
    picture = read_picture(data, limits)
    for x, y, _ in ask.points:
        check_point(x, y, picture.width, picture.height)
    if ask.box is not None:
        check_box(ask.box, picture.width, picture.height)
    image = OpenImage(picture.image_id, picture.width, picture.height)
    item = SessionObject(id=1, name="Object 1", color=0, points=ask.points, box=ask.box, pick=ask.candidate)
    embedding = engine.encode(picture.working)
    prompt = prompt_of(query_of(0, item, None), image.size_hw, embedding.size_hw)
    found = engine.decode(embedding, [prompt])[0]
    index, count = chosen_of(found, ask.candidate), len(found.scores)
    logits = shown(found, image.size_hw, speck_share, item.points)[index]
    return OneMask(data, image, engine.model, item, logits, float(found.scores[index]), count)


def chosen_of(found: Candidates, candidate: int | None) -> int:
    """Return the index of the candidate to take.

    Raises:
        UnknownObjectError: there is none of this number.
    """
    count = len(found.scores)
    if candidate is not None and candidate >= count:
        raise UnknownObjectError(f"this prompt has {count} candidates, got candidate {candidate}; count from 0")
    return found.best if candidate is None else candidate
