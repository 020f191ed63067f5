"""Which masks a client has of the frames of a clip, and which it is to be told. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.protocol.messages import ObjectMask
from app.session.clip_objects import ClipObject
from app.session.clip_state import ClipState
from app.session.following import frame_masks


@dataclass
class ToldObject:
    """What was told of an object.

    Attributes:
        item: the object as it was then.
        kept: how many masks there were of its passes.
        made_from: by frame, what its mask was made from.
    """

    item: ClipObject | None = None
    kept: int = -1
    made_from: dict[int, tuple[int, str]] = field(default_factory=dict)


class ToldMasks:
    """Takes note of what one client was told of one clip."""

    def __init__(self) -> None:
        """Begin with a client that knows nothing."""
        self._told: dict[int, ToldObject] = {}

    def untold(self, items: Iterable[ClipObject], clip: ClipState) -> list[tuple[int, tuple[ObjectMask, ...]]]:
        """Return the masks that are new, and the frames that have none any more, by frame; they count as told.

        What was told stays where it isn't found again yet. A prompted mask on the frame that is shown is told with its
        object.

        Args:
            items: the objects as they are now.
            clip: what is shown, and the masks that are kept.
        """
        by_frame: dict[int, list[ObjectMask]] = {}
        now = {item.id: item for item in items}
        self._told = {id_: told for id_, told in self._told.items() if id_ in now}
        for id_, item in now.items():
            told = self._told.setdefault(id_, ToldObject())
            kept = sum(len(clip.tracked.of(one.key)) for one in item.passes)
            if told.item is not item or told.kept != kept:
                told.item, told.kept = item, kept
                for frame, mask in changed(item, clip, told.made_from):
                    by_frame.setdefault(frame, []).append(mask)
        return [(frame, tuple(masks)) for frame, masks in sorted(by_frame.items())]


def changed(item: ClipObject, clip: ClipState, made_from: dict[int, tuple[int, str]]) -> list[tuple[int, ObjectMask]]:
    """Return what is to be told of an object, by frame, and take note of it in `made_from`."""
    found = []
    masks = frame_masks(item, clip.tracked)
    for frame, one in masks.items():
        name = clip.loads, one.made_from
        if made_from.get(frame) != name:
            made_from[frame] = name
            if not (frame == clip.frame and frame in item.prompted):
                found.append((frame, ObjectMask(item.id, one.mask)))
    for frame in [frame for frame in made_from if frame not in item.prompted and frame not in item.owned]:
        del made_from[frame]
        found.append((frame, ObjectMask(item.id, None)))
    return found
