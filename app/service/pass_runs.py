"""One object on its way through a pass of a clip, frame by frame, with one model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.clips import frame_source
from app.engine.memory_bank import FAST, FULL
from app.errors import EmbeddingLostError, EngineFailedError, MemoryLostError, WorkerLostError
from app.protocol.recipe import Step
from app.protocol.values import Mask
from app.service.predictor import Predictor
from app.service.tracking import FollowStep, PromptedFrame
from app.session.objects import Answer, SessionObject
from app.session.passes import Pass
from app.session.values import OpenClip, OpenImage

Known = Callable[[int, tuple[Step, ...]], Mask | None]
"""Returns the mask of a prompted frame with some steps, where it is known."""
TRIES: Final = 3
"""So often a pass begins anew without a new mask."""


class PassRun:
    """Follows an object through one pass; what is remembered of it lies with the models."""

    def __init__(self, predictor: Predictor, clip: OpenClip, one: Pass, model: str, *, owner: str, frame: int) -> None:
        """Begin.

        Args:
            predictor: what is asked.
            clip: the clip.
            one: the pass.
            model: name of the model.
            owner: names who asks among all of all sessions.
            frame: number of the first frame without a mask; those before it may be remembered.
        """
        self._predictor, self._clip, self._one, self._model = predictor, clip, one, model
        self._pass_id = f"{owner}/{clip.clip_id}/{one.key}"
        self._prompted: tuple[PromptedFrame, ...] = ()
        self._at, self._lost = one.frames.index(frame), 0

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames of the pass."""
        return self._one.frames

    @property
    def at(self) -> int:
        """How many frames of the pass it has come through."""
        return self._at

    def back_to(self, frame: int) -> None:
        """Come to a frame again, where it is behind."""
        self._at = min(self._at, self._one.frames.index(frame))

    async def follow(self, known: Known) -> tuple[int, Mask]:
        """Return the number of the next frame and the object's mask there, an empty one where it isn't to be seen.

        Args:
            known: what has been answered already.

        Raises:
            MemoryLostError, WorkerLostError, EmbeddingLostError: what was remembered is gone; it may be asked again.
            HoverError: see `Backend.follow`.
        """
        if not self._prompted:
            self._prompted = tuple(
                [await self._prompted_frame(frame, steps, known) for frame, steps in self._one.prompts.items()]
            )
        clip, one, frame = self._clip, self._one, self._one.frames[self._at]
        step = FollowStep(
            pass_id=self._pass_id,
            frame=frame,
            frames=clip.count,
            start=one.start,
            backward=one.is_backward,
            prompted=self._prompted,
            reach=FAST if one.is_fast else FULL,
        )
        key = self._predictor.key(frame_source(clip.clip_id, frame), self._model)
        await self._predictor.backend.encode_behind(key)
        try:
            followed = await self._predictor.backend.follow(key, clip.size_hw, step)
        except (WorkerLostError, EmbeddingLostError) as error:
            self._lose(error)
            raise
        except MemoryLostError as error:
            self._at = 0
            self._lose(error)
            raise
        self._at += 1
        answer = followed.answer
        return frame, (answer.fine[0] if answer.fine else None) or answer.masks[0]

    def went_on(self) -> None:
        """Take note that a new mask was found."""
        self._lost = 0

    def _lose(self, error: EngineFailedError) -> None:
        self._lost += 1
        if self._lost > TRIES:
            raise EngineFailedError(
                "what is remembered of an object is lost again and again; track it again later"
            ) from error

    async def _prompted_frame(self, frame: int, steps: tuple[Step, ...], known: Known) -> PromptedFrame:
        mask = known(frame, steps)
        if mask is None:
            view = SessionObject(0, "", 0, steps)
            mask = view.predicted(await answer_on(self._predictor, self._clip, frame, view, self._model)).mask
        if mask is None:
            raise AssertionError("what was answered has a mask")
        return PromptedFrame(frame, frame_source(self._clip.clip_id, frame), mask)


async def answer_on(predictor: Predictor, clip: OpenClip, frame: int, view: SessionObject, model: str) -> Answer:
    """Return the answer to an object as it was prompted on a frame; raises as `Predictor.replayed`."""
    image = OpenImage(frame_source(clip.clip_id, frame), clip.width, clip.height)
    await predictor.backend.encode_behind(predictor.key(image.image_id, model))
    return await predictor.replayed(image, view, model)
