"""What a session wants in a file of a clip, and its frames one after the other. For a worker thread."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, Final, cast

import numpy as np
from PIL import Image as Pil

from app.arrays import ImageArray
from app.clips import frame_source
from app.errors import BadMessageError, Reason, UnknownObjectError
from app.exports.files import ExportFile
from app.exports.frames import ENDINGS, ClipSelection, FramesFormat, ShownFrame, frame_name, frames_file
from app.exports.options import check_options
from app.exports.selection import ExportObject, Selection
from app.masks.enlarging import enlarged
from app.protocol.fields import ExportFormat
from app.protocol.values import ExportOptions, Mask
from app.service.answers import export_object
from app.session.classes import ClassList
from app.session.clip_objects import as_clip_object
from app.session.following import frame_masks
from app.session.objects import SessionObject
from app.session.session import Session
from app.session.values import OpenClip, OpenImage

OF_OBJECTS: Final[tuple[FramesFormat, ...]] = ("mask", "cutout")
"""Formats that show nothing but objects."""
Natives = Callable[[], Iterator[bytes]]
"""Gives all frames of a clip in their order and at its own size, each a JPEG."""


@dataclass(frozen=True)
class ClipDraft:
    """Objects of a clip as they were when they were asked for.

    Attributes:
        kind: the format.
        clip: the clip.
        name: its file name, or None.
        model: name of the model that made the masks.
        items: in the order in which they were made.
        shown: by frame, the objects that are seen there, in the same order.
        classes: the ordered list, those without an object here too.
        options: how the file is made.
    """

    kind: FramesFormat
    clip: OpenClip
    name: str | None
    model: str
    items: tuple[SessionObject, ...]
    shown: Mapping[int, tuple[ExportObject, ...]]
    classes: ClassList
    options: ExportOptions


def frames_format(kind: ExportFormat, options: ExportOptions) -> FramesFormat:
    """Return a format of whole clips.

    Raises:
        BadMessageError: it is one of pictures alone, or doesn't take an option.
    """
    if kind not in ENDINGS:
        text = "a clip is saved as {formats} or recipe, got {kind}; choose one of them"
        raise BadMessageError(Reason("clip_format", text, formats=", ".join(ENDINGS), kind=kind))
    check_options(kind, options)
    if options.trim:
        raise BadMessageError(Reason("clip_trim", "all frames of a video have one size; leave trim out"))
    return kind


def chosen_items(session: Session, wanted: tuple[int, ...] | None) -> tuple[SessionObject, ...]:
    """Return some objects of a session, or all.

    Raises:
        UnknownObjectError: there is no such object.
    """
    unknown = sorted(set(wanted or ()) - session.objects.keys())
    if unknown:
        raise UnknownObjectError(f"there is no object {unknown[0]} here; it may have been deleted")
    return tuple(item for item in session.objects.values() if wanted is None or item.id in wanted)


def clip_draft(
    session: Session, kind: ExportFormat, wanted: tuple[int, ...] | None, options: ExportOptions, speck_share: float
) -> ClipDraft:
    """Return some objects of a session's clip, or all, on all frames as they are now.

    Raises:
        BadMessageError: no clip is open, the format is one of pictures alone, or doesn't take an option.
        UnknownObjectError: there is no such object, or none at all for a format that shows nothing else.
    """
    state, items = session.require_clip(), chosen_items(session, wanted)
    frames_kind = frames_format(kind, options)
    if frames_kind in OF_OBJECTS and not items:
        told = "there is no object to export; click one first, or name one in objects"
        raise UnknownObjectError(Reason("export_nothing", told))
    image, shown = image_of(state.clip), dict[int, list[ExportObject]]()
    for item in map(as_clip_object, items):
        for frame, found in frame_masks(item, state.tracked).items():
            if found.mask.area:
                shown.setdefault(frame, []).append(shown_on(item.on(frame), found.mask, image, speck_share))
    seen = {frame: tuple(objects) for frame, objects in shown.items()}
    return ClipDraft(frames_kind, state.clip, session.image_name, session.model, items, seen, session.classes, options)


def shown_on(view: SessionObject, mask: Mask, image: OpenImage, speck_share: float) -> ExportObject:
    """Return an object on a frame: as it was prompted there, else the mask that was found."""
    if view.answer is not None:
        return export_object(view, image, speck_share)
    return ExportObject(view, mask.score, partial(enlarged, mask, image.size_hw))


def recipe_of_clip(session: Session, wanted: tuple[int, ...] | None) -> Selection:
    """Return what makes some objects of a session's clip again, or all; raises as `chosen_items`."""
    image = image_of(session.require_clip().clip)
    objects = tuple(ExportObject(item, 0.0, no_mask) for item in chosen_items(session, wanted))
    return Selection(image, session.image_name, session.model, objects, no_mask, session.classes)


def no_mask() -> Any:  # noqa: ANN401 - of masks and pixels alike
    """Stand where a recipe draws nothing."""
    raise ValueError("expected a recipe to draw no mask")


def image_of(clip: OpenClip) -> OpenImage:
    """Return a clip's id and its size in its own pixels."""
    return OpenImage(clip.clip_id, clip.width, clip.height)


def clip_file(draft: ClipDraft, natives: Natives, begins: Callable[[int], None], max_bytes: int) -> ExportFile:
    """Return a file of a clip; nothing is decoded any more when it is made, or given up.

    Args:
        draft: what is wanted.
        natives: gives the frames; not asked where the format shows none.
        begins: called before each frame with its number; may raise to give up the file.
        max_bytes: largest file that may come of it.

    Raises:
        HoverError: see `frames_file`.
    """
    image = image_of(draft.clip)
    with closing(decoded_once(natives)) as jpegs:
        frames = frames_of(draft, cast("Callable[[], bytes]", partial(next, jpegs)), begins)
        return frames_file(draft.kind, ClipSelection(image, draft.name, draft.items, draft.classes, frames), max_bytes)


def frames_of(draft: ClipDraft, jpeg: Callable[[], bytes], begins: Callable[[int], None]) -> Iterator[ShownFrame]:
    """Give every frame with its objects; `jpeg` returns the next one."""
    clip = draft.clip
    for index, time_s in enumerate(clip.times_s):
        begins(index)
        image = OpenImage(frame_source(clip.clip_id, index), clip.width, clip.height)
        name, objects, pixels = frame_name(draft.name, index), draft.shown.get(index, ()), partial(pixels_of, jpeg)
        selection = Selection(image, name, draft.model, objects, pixels, draft.classes, draft.options)
        yield ShownFrame(index, time_s, selection, jpeg)


def decoded_once(natives: Natives) -> Generator[bytes, None, None]:
    """Give the frames of a clip; nothing is decoded before the first one is asked for."""
    yield from natives()


def pixels_of(jpeg: Callable[[], bytes]) -> ImageArray:
    """Return the pixels of the next frame, (H, W, 3) uint8 RGB."""
    with Pil.open(BytesIO(jpeg())) as picture:
        return np.array(picture)
