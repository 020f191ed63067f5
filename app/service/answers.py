"""From prompts to masks: the one way, for the page, HTTP, exports, the command and recipes. Pure but for the engine.

Decision: every mask is drawn from logits as they are kept. Context: a session keeps logits rounded, in a few
kilobytes. From them it draws what is chosen later and what is exported larger than it was shown, and from them the next
step goes on; a mask drawn before they were rounded differs from that in single pixels of its rim. Choice: logits are
rounded as soon as an object is answered, so that the same trail gives the same mask to the bit, whoever asks. Price:
the rim is off by what the rounding is (IoU 0.999 on photos).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from app.arrays import Logits, MaskArray
from app.engine.contract import Candidates, Embedding, Engine, Prompt
from app.errors import Reason, UnknownObjectError
from app.exports.selection import ExportObject
from app.masks.cleaning import clicked_cells, smoothed, without_specks
from app.masks.given import box_around, heart_of, logits_of
from app.masks.layers import finished
from app.masks.packing import as_kept, pack_logits, unpack_logits
from app.masks.upsampling import area_px, drawn_in, grid_of, object_mask, preview_mask
from app.protocol.counts import mask_of
from app.protocol.fields import BoxXyxy
from app.protocol.frames import over_picture
from app.protocol.recipe import BoxStep, PointStep, Step
from app.protocol.run_lengths import decode_mask, encode_mask
from app.protocol.values import Mask
from app.protocol.windows import size_of, whole
from app.session.objects import Answer, PointXyl, SessionObject, is_asked
from app.session.query import Query
from app.session.values import OpenImage

WORTH_CLEANING: Final = range(100, 1500)
"""Bytes of run lengths of a preview's candidate that specks may have made many; beyond, it is noise."""
NOISE: Final = 6000
"""Bytes of run lengths from which on even the shown candidate of a preview is noise: no shape is under its specks,
and to find that out takes a fifth of a decode."""


class Replay:
    """A query on its way through the engine: one decode for each step of the trail that it isn't asked about yet.

    A box, or the first point where there is none, is asked alone; each point after it together with all before it and
    with the logits that these led to. A lone point on the object is ambiguous and gets three candidates. An object that
    begins with a given mask is asked about with that mask's heart and box besides, and first with the mask as logits.

    Attributes:
        left: decodes that are still to be made; 0 where the mask is made by hand alone, see `by_hand`.
    """

    def __init__(
        self, query: Query, size_hw: tuple[int, int], engine: Engine, embedding: Embedding, *, three: bool = False
    ) -> None:
        """Begin.

        Args:
            query: what is asked.
            size_hw: height and width of the picture, in whose pixels the trail is.
            engine: what is asked.
            embedding: the picture, as the engine saw it: perhaps smaller than it is.
            three: True has the last step answered by three candidates too.
        """
        self._prompts, self._three = query.subject.prompts, three
        self._engine, self._embedding = engine, embedding
        seen_hw = embedding.size_hw
        self._scale_xy = seen_hw[1] / size_hw[1], seen_hw[0] / size_hw[0]
        self.left = decodes_left(query)
        self._feedback = None if query.feedback is None else unpack_logits(query.feedback)
        self._given = None
        given = query.subject.given
        if given is not None and self.left:
            mask_hw = mask_of(given.counts, given.size)
            self._given = GivenPrompt(heart_of(mask_hw), box_around(mask_hw))
            if self._feedback is None:
                self._feedback = as_kept(logits_of(mask_hw, engine.logits_hw))

    def once(self) -> Candidates:
        """Ask about the next step and return what the engine found; one that failed may be asked again.

        Raises:
            UnknownObjectError: a step goes on from a candidate that there isn't.
        """
        asked = self._prompts[: len(self._prompts) - self.left + 1]
        last = self._three and self.left == 1
        ambiguous = last or (self._given is None and is_ambiguous(asked))
        prompt = prompt_of(asked, self._scale_xy, self._feedback, self._given, multimask=ambiguous)
        [found] = self._engine.decode(self._embedding, [prompt])
        self.left -= 1
        if self.left:
            self._feedback = as_kept(found.logits[taken(found, asked[-1].pick)])
        return found

    def all(self) -> Candidates:
        """Ask about every step that is left and return what the engine found for the last; raises as `once`."""
        while self.left > 1:
            self.once()
        return self.once()


class GivenPrompt(NamedTuple):
    """What a model is told of a given mask besides its logits, in pixels of the picture: where it is thickest, its box.

    Attributes:
        heart: `(x, y)`, None where the mask is empty.
        box: `(x0, y0, x1, y1)`.
    """

    heart: tuple[float, float] | None
    box: BoxXyxy


def decodes_left(query: Query) -> int:
    """Return how many steps of a query the engine is to be asked about."""
    return sum(map(is_asked, query.subject.trail[query.known :]))


def is_ambiguous(prompts: Sequence[Step]) -> bool:
    """Return whether prompts are a lone point on the object: it may mean a part, the object or a group."""
    return len(prompts) == 1 and isinstance(prompts[0], PointStep) and prompts[0].label == 1


def prompt_of(
    prompts: Sequence[Step],
    scale_xy: tuple[float, float],
    feedback: Logits | None,
    given: GivenPrompt | None = None,
    *,
    multimask: bool,
) -> Prompt:
    """Return the engine's prompt of some steps.

    Args:
        prompts: steps that it is asked about, in pixels of the picture.
        scale_xy: pixels that the model saw for one of the picture, across and down.
        feedback: (h, w) float32, logits to go on from, or None.
        given: what is told of a given mask; a box of one's own goes before the mask's.
        multimask: True asks for three candidates.
    """
    sx, sy = scale_xy
    points = [(step.x, step.y, step.label) for step in prompts if isinstance(step, PointStep)]
    box = next((step.box for step in prompts if isinstance(step, BoxStep)), None)
    if given is not None:
        box = given.box if box is None else box
        points = points if given.heart is None else [(*given.heart, 1), *points]
    return Prompt(
        points_xy=tuple((x * sx, y * sy) for x, y, _ in points),
        labels=tuple(label for _, _, label in points),
        box_xyxy=None if box is None else (box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy),
        mask_logits=feedback,
        multimask=multimask,
    )


def taken(found: Candidates, pick: int | None) -> int:
    """Return the index of the candidate that was picked; the best where none was.

    Raises:
        UnknownObjectError: there is none of this number.
    """
    count = len(found.scores)
    if pick is not None and pick >= count:
        raise UnknownObjectError(f"this prompt has {count} candidates, got candidate {pick}; count from 0")
    return found.best if pick is None else pick


def packed_of(found: Candidates, pick: int | None) -> bytes:
    """Return the packed logits of the candidate that was picked, the best where none was."""
    return pack_logits(found.logits[taken(found, pick)])


def shown(found: Candidates, size_hw: tuple[int, int], speck_share: float, points: Sequence[PointXyl]) -> list[Logits]:
    """Return each candidate's logits as every mask is drawn from them: as they are kept, and without specks.

    Args:
        found: what the engine made of a prompt.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes are left out.
        points: those of the prompt; what they lie on stays.
    """
    return [without_specks(as_kept(logits), speck_share, points, size_hw) for logits in found.logits]


def object_answer(found: Candidates, size_hw: tuple[int, int], speck_share: float, subject: SessionObject) -> Answer:
    """Return candidates with their logits packed for refinement, one of them at the size of the picture.

    Decision: until it is chosen, a candidate stays on the logit grid. Context: run lengths take at least two bytes for
    each row of a mask, so three masks of a small photo take 2.5 KB at the picture's size, half of which nobody looks
    at, and drawing them takes as long as a decode. Choice: a click draws and sends one mask in full; choosing draws
    another from the packed logits. Price: choosing waits for the device.

    Args:
        found: what the engine made of the prompt.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes are left out.
        subject: the object that is answered: what its points lie on stays, and its pick is drawn in full, the best
            where it has none.

    Raises:
        UnknownObjectError: it is to show a candidate that there isn't.
    """
    index = taken(found, subject.pick)
    scores = tuple(map(float, found.scores))
    clean = shown(found, size_hw, speck_share, subject.points)
    memory = tuple(pack_logits(logits) for logits in found.logits)

    def in_full(number: int) -> Mask:
        return touched(object_mask(clean[number], size_hw, scores[number]), subject, size_hw)

    if not all(cells < pixels for cells, pixels in zip(found.logits.shape[1:], grid_of(size_hw), strict=True)):
        return Answer(tuple(map(in_full, range(len(scores)))), memory, found.best)
    coarse = (preview_mask(logits, size_hw, score) for logits, score in zip(clean, scores, strict=True))
    masks = tuple(touched(mask, subject, size_hw) for mask in coarse)
    return Answer(masks, memory, found.best, (None,) * len(masks)).with_fine(index, in_full(index))


def given_mask(subject: SessionObject, size_hw: tuple[int, int]) -> MaskArray:
    """Return what an object begins with, (H, W) bool at the picture's size: nothing where it wasn't given a mask."""
    given = subject.given
    return np.zeros(size_hw, np.bool_) if given is None else mask_of(given.counts, given.size)


def hand_made(subject: SessionObject, size_hw: tuple[int, int]) -> MaskArray:
    """Return the mask of an object that the model is asked nothing about, (H, W) bool at the picture's size."""
    return finished(given_mask(subject, size_hw), subject.layers, size_hw)


def touched(mask: Mask, subject: SessionObject, size_hw: tuple[int, int]) -> Mask:
    """Return a mask with all that was done to its object by hand.

    Args:
        mask: as the model or a file has it, on a grid over the picture.
        subject: the object.
        size_hw: height and width of the picture.
    """
    if not subject.layers:
        return mask
    done = finished(decode_mask(mask), subject.layers, size_hw)
    return encode_mask(done, score=mask.score, area=area_px(done, size_hw))


def drawn(item: SessionObject, answer: Answer, index: int, size_hw: tuple[int, int], speck_share: float) -> Answer:
    """Return an object's answer with one more candidate at the size of the picture, from the logits that were kept.

    Args:
        item: the object.
        answer: its answer.
        index: of the candidate.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes are left out.
    """
    logits = without_specks(unpack_logits(answer.memory[index]), speck_share, item.points, size_hw)
    return answer.with_fine(index, touched(object_mask(logits, size_hw, answer.masks[index].score), item, size_hw))


def preview_answer(found: Candidates, size_hw: tuple[int, int], speck_share: float, subject: SessionObject) -> Answer:
    """Return candidates on the logit grid, nothing kept for refinement.

    The one that is shown at once is without specks, unless it is noise. So is another, with a smoother rim besides,
    where that is worth a tenth of a decode: where the wire would feel it, and where it is a shape at all and no noise,
    which takes milliseconds to sort. Whoever chooses it gets it drawn from the logits as they are.

    Args:
        found: what the engine made of the prompt.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes are left out.
        subject: the object as it would be: what its points, the pointer's own among them, lie on stays, and so does
            what was done by hand.
    """
    masks, best, points = [], found.best, subject.points
    for index, (logits, score) in enumerate(zip(found.logits, map(float, found.scores), strict=True)):
        mask, is_shown = preview_mask(logits, size_hw, score), index == best
        if len(mask.runs) in (range(NOISE) if is_shown else WORTH_CLEANING):
            clean = without_specks(logits, speck_share, points, size_hw)
            clean = clean if is_shown else smoothed(clean, clicked_cells(clean, points, size_hw))
            mask = mask if clean is logits else preview_mask(clean, size_hw, score)
        masks.append(touched(mask, subject, size_hw))
    return Answer(tuple(masks), (), best)


def export_object(item: SessionObject, image: OpenImage, speck_share: float) -> ExportObject:
    """Return an object that was answered, to be written at the picture's own size.

    Raises:
        UnknownObjectError: it has no mask.
    """
    answer = item.answer
    if answer is None:
        raise UnknownObjectError(Reason("object_bare", "object {id} has no mask; click it again", id=item.id))
    score = answer.masks[item.chosen].score
    return ExportObject(item, score, lambda: native_mask(item, answer, image.size_hw, speck_share))


def native_mask(item: SessionObject, answer: Answer, size_hw: tuple[int, int], speck_share: float) -> MaskArray:
    """Return an object's mask at the picture's native size, (H, W) bool: what was shown, where that is of this size.

    Args:
        item: the object.
        answer: its answer.
        size_hw: height and width of the picture.
        speck_share: specks and holes up to this share of the picture are left out, as in every mask that is shown.
    """
    seen = item.shown[item.chosen]
    own_hw = size_of(seen.window or whole(size_hw))
    if seen.size == own_hw:  # as it was shown
        return over_picture(seen, size_hw)
    if not item.prompts:
        return hand_made(item, size_hw)
    kept, window = unpack_logits(answer.memory[item.chosen]), item.window or whole(size_hw)
    points = [(x - window[0], y - window[1], label) for x, y, label in item.points]
    mask_hw = drawn_in(without_specks(kept, speck_share, points, size_of(window)), window, size_hw)
    return finished(mask_hw, item.layers, size_hw)
