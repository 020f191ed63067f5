"""Follows the objects of one session's clip while its hovers and clicks go on, and tells the masks of every frame.

Decision: what is to be followed is looked up and not asked for. Context: a track step comes by a `track`, an undo, a
recipe after the server has died, and needs its masks again under another model. Choice: after each change the trails
are compared with the masks that are kept, and those with what the client was told; what is missing is followed and
told. Price: all objects are looked at after each change.

One frame of one object is followed at a time, objects in turn, so that all of them come to a frame together. Sessions
take turns in the queue of the model, in which each has one frame at most.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from app.errors import BusyError, EmbeddingLostError, HoverError, MemoryLostError, WorkerLostError
from app.protocol.messages import Masks
from app.protocol.recipe import Step
from app.protocol.values import Mask
from app.realtime.closing import error_message
from app.realtime.flag import Flag
from app.realtime.outbox import Outbox
from app.realtime.track_requests import TrackRequests
from app.service.pass_runs import PassRun, answer_on
from app.service.predictor import Predictor
from app.session.clip_objects import ClipObject, as_clip_object
from app.session.clip_state import ClipState
from app.session.following import unfollowed
from app.session.objects import SessionObject
from app.session.session import Session
from app.session.told_masks import ToldMasks

RETRY_S: Final = 0.5
"""Until what nobody had time for is tried again, where the refusal doesn't say."""
LOST: Final = (MemoryLostError, WorkerLostError, EmbeddingLostError)
"""After these a pass begins anew, or goes on with another worker."""
TOLD_AT_ONCE: Final = 32
"""Replies that may wait for the client before it is told of more frames, or has more followed."""


@dataclass
class Stretch:
    """Frames of a pass that an object hasn't been followed to yet.

    Attributes:
        id: of the object.
        key: of the pass.
        frames: their numbers, in the order of the pass.
        run: where it has come to.
    """

    id: int
    key: str
    frames: list[int]
    run: PassRun


class TrackWorker:
    """Follows and tells what is missing of one session's clip."""

    def __init__(self, session: Session, outbox: Outbox, predictor: Predictor, owner: str) -> None:
        """Begin with nothing to do.

        Args:
            session: whose objects.
            outbox: where masks go.
            predictor: what follows them.
            owner: names the session among all that the models work for.
        """
        self._session, self._outbox, self._predictor = session, outbox, predictor
        self._owner = owner
        self._came = Flag()
        self._task: asyncio.Task[None] | None = None
        self._halts = self._seq = 0
        self._has_failed = False
        self._clip: ClipState | None = None
        self._loads = 0
        self._told, self._requests = ToldMasks(), TrackRequests()
        self._runs: dict[str, PassRun] = {}
        self._stretches: dict[int, deque[Stretch]] = {}
        self._unanswered: deque[tuple[int, SessionObject]] = deque()
        self._looked: deque[int] = deque()

    def look(self, seq: int, *, is_track: bool = False, again: bool = False, is_answered: bool = False) -> None:
        """See what a change has left to be told and followed.

        Args:
            seq: of the change.
            is_track: whether it is a `track`, which is answered in any case.
            again: what has failed before is tried again.
            is_answered: how far it has come is told also where nothing is missing, as after a resume.
        """
        clip = self._session.clip
        if clip is not self._clip:
            self.end()
            self._told = ToldMasks()
        if clip is None or clip is not self._clip or clip.loads != self._loads:
            self._give_up()
            for kept in (self._runs, self._stretches, self._unanswered, self._looked):
                kept.clear()
        self._clip = clip
        if clip is None:
            return
        self._seq, self._loads, self._has_failed = seq, clip.loads, self._has_failed and not again
        self._plan(clip)
        missing = ((each.key, frame) for own in self._stretches.values() for each in own for frame in each.frames)
        self._requests.look(seq, missing, is_track=is_track, is_answered=is_answered)
        self._looked.append(seq)
        self._came.set()

    def halt(self) -> None:
        """Follow nothing until `go_on`, from this moment."""
        self._halts += 1
        self._give_up()

    def go_on(self) -> None:
        """Follow what is missing by now."""
        self._halts -= 1
        self._came.set()

    def end(self) -> None:
        """Tell all that wait that no more is followed for them."""
        for told in self._requests.end():
            self._outbox.put(told)

    async def run(self) -> None:
        """Work until the task is cancelled."""
        while True:
            if self._looked:
                await self._tell(self._looked.popleft())
            elif self._halts or self._has_failed or not (self._unanswered or self._stretches):
                self._came.clear()
                await self._came.wait()
            else:
                await self._do()

    def _plan(self, clip: ClipState) -> None:
        """Find what is missing: answers of prompted frames, then the frames of passes, in their order."""
        before, self._runs = self._runs, {}
        self._unanswered.clear()
        self._stretches.clear()
        for item in self._items():
            views = ((frame, item.on(frame)) for frame in item.prompted)
            self._unanswered += [(frame, view) for frame, view in views if view.answer is None]
            for one, frames in unfollowed(item, clip.tracked):
                run = before.get(one.key)
                if run is None or run.frames != one.frames:
                    run = PassRun(
                        self._predictor, clip.clip, one, self._session.answering, owner=self._owner, frame=frames[0]
                    )
                self._runs[one.key] = run
                run.back_to(frames[0])
                self._stretches.setdefault(item.id, deque()).append(Stretch(item.id, one.key, [*frames], run))

    async def _do(self) -> None:
        """Have one object answered or followed on one frame; what goes wrong is tried again, or told."""
        clip = self._session.require_clip()
        work = self._answer(clip, *self._unanswered[0]) if self._unanswered else self._follow(clip, self._next())
        again = (BusyError,) if self._unanswered else (BusyError, *LOST)
        self._task = asyncio.create_task(work)
        try:
            await asyncio.wait([self._task])
        finally:
            self._give_up()
        error = None if self._task.cancelled() else self._task.exception()
        if isinstance(error, again):
            await asyncio.sleep(error.retry_after_s or (RETRY_S if isinstance(error, BusyError) else 0))
        elif isinstance(error, HoverError):
            if self._session.clip is clip:
                self._fail(error)
        elif error is not None:
            raise error

    def _next(self) -> Stretch:
        """Return the one that has come least far on its way, of the objects that are followed at once."""
        at_once = [own[0] for own in self._stretches.values()][: self._session.limits.max_tracked_objects]
        return min(at_once, key=lambda each: each.run.at)

    async def _answer(self, clip: ClipState, frame: int, view: SessionObject) -> None:
        """Have a prompted frame answered by the model that answers now."""
        tracked = clip.tracked
        answer = await answer_on(self._predictor, clip.clip, frame, view, self._session.answering)
        if clip.tracked is tracked and self._session.clip is clip:
            self._session.renew([(view, answer)], frame)
            self._plan(clip)
            self._looked.append(self._seq)

    async def _follow(self, clip: ClipState, stretch: Stretch) -> None:
        """Follow an object to one more frame."""
        tracked = clip.tracked
        frame, mask = await stretch.run.follow(lambda at, steps: self._known(stretch.id, at, steps))
        missing = stretch.key, frame
        if clip.tracked is not tracked or self._session.clip is not clip:
            return
        if frame in tracked.of(stretch.key):  # it was followed again, to be remembered
            return
        tracked.put(*missing, mask, {one.key for item in self._items() for one in item.passes})
        stretch.run.went_on()
        self._looked.append(self._requests.found(missing, self._seq))
        for own in list(self._stretches.values()):
            for each in own:
                if each.key == stretch.key and frame in each.frames:
                    each.frames.remove(frame)
        self._stretches = {
            id_: left for id_, own in self._stretches.items() if (left := deque(s for s in own if s.frames))
        }

    async def _tell(self, seq: int) -> None:
        """Tell the masks that the client hasn't got, and how far those have come that wait for some."""
        clip = self._session.clip
        if clip is None:
            return
        for frame, masks in self._told.untold(self._items(), clip):
            self._outbox.put(Masks(seq=seq, frame=frame, objects=masks))
            if self._outbox.waiting >= TOLD_AT_ONCE:  # a client on a slow line has objects followed as slowly
                await self._outbox.sent()
                if self._session.clip is not clip:
                    return
        for told in self._requests.progress():
            self._outbox.put(told)

    def _fail(self, error: HoverError) -> None:
        """Say what went wrong; what was asked for ends where it has come to, what came back waits to be asked again."""
        self._has_failed = True
        seqs, keys = self._requests.fail()
        if keys:
            self._outbox.put_answer(self._session.cut_short(seqs[0], keys))
            self._plan(self._session.require_clip())
            self._looked.append(seqs[0])
        for seq in seqs or [self._seq]:
            self._outbox.put(error_message(error, seq))

    def _known(self, id_: int, frame: int, steps: tuple[Step, ...]) -> Mask | None:
        """Return what is shown of an object on a frame, where it is prompted by these steps now."""
        item = self._session.objects.get(id_)
        if item is None or as_clip_object(item).prompted.get(frame) != steps:
            return None
        return as_clip_object(item).on(frame).mask

    def _items(self) -> list[ClipObject]:
        return [as_clip_object(item) for item in self._session.objects.values()]

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
