"""What a session has of a clip beside its history: which frame is shown, and the masks of followed objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from cachetools import LRUCache
from msgspec import structs

from app.errors import BadCoordError, BadMessageError, Reason, TooManyObjectsError
from app.protocol.counts import counts_of
from app.protocol.frames import over_picture
from app.protocol.messages import Track
from app.protocol.recipe import MaskStep
from app.protocol.values import Mask
from app.session.clip_objects import ClipObject, as_clip_object, clip_object
from app.session.following import FrameMask, track_steps, tracked_mask, unfollowed, with_tracks
from app.session.history import Objects
from app.session.objects import Answer, SessionObject
from app.session.tracked_masks import TrackedMasks
from app.session.values import OpenClip

GIVEN_SCORE = 1.0
"""Of a mask that no model has judged, as that of every given one."""
GIVEN_KEPT = 16
"""Masks of followed objects that are kept as given ones: those that a pointer is on."""


class Views(Mapping[int, SessionObject]):
    """Objects as they are on one frame, each made when it is looked at."""

    def __init__(self, items: Objects, view: Callable[[SessionObject], SessionObject]) -> None:
        """Args: the objects over all frames, and what makes one as of a picture."""
        self._items, self._view = items, view

    def __getitem__(self, id_: int) -> SessionObject:
        """Return an object as it is on the frame."""
        return self._view(self._items[id_])

    def __iter__(self) -> Iterator[int]:
        """Yield the objects' numbers."""
        return iter(self._items)

    def __len__(self) -> int:
        """Return how many objects there are, on this frame or others."""
        return len(self._items)


@dataclass
class ClipState:
    """A clip that is worked on.

    Attributes:
        clip: its frames.
        frame: number of the one that is shown.
        tracked: masks of objects that were followed, of the model that answers.
        loads: how often `tracked` was emptied, since another model makes other masks.
    """

    clip: OpenClip
    frame: int
    tracked: TrackedMasks
    loads: int = 0

    def __post_init__(self) -> None:
        self._given: LRUCache[tuple[str, int, int], MaskStep] = LRUCache(GIVEN_KEPT)

    def forget(self, max_bytes: int) -> None:
        """Forget what was found: another model answers from now on."""
        self.tracked, self.loads = TrackedMasks(max_bytes), self.loads + 1

    def prompted(self, item: SessionObject) -> SessionObject:
        """Return an object as it was prompted on the frame that is shown, without a step where it wasn't."""
        return as_clip_object(item).on(self.frame)

    def shown(self, item: SessionObject) -> SessionObject:
        """Return an object as it is seen on the frame that is shown, to which it may have been followed."""
        here = self.prompted(item)
        found = None if here.trail else self._tracked(item)
        return here if found is None else replace(here, answer=Answer((found.mask,), (b"",), 0))

    def view(self, item: SessionObject) -> SessionObject:
        """Return an object to be prompted on the frame that is shown: one that was followed begins with its mask."""
        here = self.prompted(item)
        found = None if here.trail else self._tracked(item)
        if found is None:
            return here
        mask = structs.replace(found.mask, score=GIVEN_SCORE)
        return replace(here, trail=(self._given_of(found.made_from, mask),), answer=Answer((mask,), (b"",), 0))

    def merged(self, view: SessionObject, objects: Objects) -> ClipObject:
        """Return an object over all frames with what was changed on the one that is shown."""
        whole = objects.get(view.id)
        return clip_object(view, self.frame) if whole is None else as_clip_object(whole).with_view(self.frame, view)

    def followed(self, message: Track, objects: Objects, max_objects: int) -> list[ClipObject]:
        """Return the objects of a message with the steps that it asks for, those alone that change.

        Raises:
            BadMessageError: an object isn't on the frame that is shown, none is, or there is nowhere to follow it to.
            TooManyObjectsError: too many objects are followed at once.
        """
        steps = track_steps(message, self.frame, self.clip.count)
        ids = tuple(objects) if message.objects is None else message.objects
        begun = [self.merged(view, objects) for id_ in ids for view in [self.view(objects[id_])] if view.trail]
        if message.objects is None and not begun:
            raise BadMessageError(
                Reason("track_nothing", "expected an object on this frame, to follow it; click one first")
            )
        if missing := set(ids) - {item.id for item in begun} if message.objects is not None else set():
            raise BadMessageError(
                Reason(
                    "track_prompt", "expected object {id} on this frame, to follow it; click it first", id=min(missing)
                )
            )
        items = [with_tracks(item, steps, self.tracked) for item in begun]
        at_work = {id_ for id_, item in objects.items() if self._is_unfollowed(item)}
        if len(at_work | {item.id for item in items if self._is_unfollowed(item)}) > max_objects:
            raise TooManyObjectsError(
                Reason(
                    "track_objects",
                    "at most {most} objects are followed at once; wait for the others, or stop them",
                    most=max_objects,
                )
            )
        return [item for item in items if item != objects[item.id]]

    def _tracked(self, item: SessionObject) -> FrameMask | None:
        found = tracked_mask(as_clip_object(item), self.frame, self.tracked)
        return found if found is not None and found.mask.area else None

    def _is_unfollowed(self, item: SessionObject) -> bool:
        return bool(unfollowed(as_clip_object(item), self.tracked))

    def _given_of(self, made_from: str, mask: Mask) -> MaskStep:
        key = (made_from, self.frame, self.loads)
        if key not in self._given:
            size_hw = self.clip.size_hw
            self._given[key] = MaskStep(size=size_hw, counts=counts_of(over_picture(mask, size_hw)))
        return self._given[key]


def check_frame(clip: OpenClip, index: int) -> None:
    """Refuse a frame that isn't there.

    Raises:
        BadCoordError: so it is.
    """
    if index >= clip.count:
        text = "this clip has the frames 0 to {end}, got frame {index}; name one of them"
        raise BadCoordError(Reason("frame_outside", text, end=clip.count - 1, count=clip.count, index=index))
