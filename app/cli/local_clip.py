"""A clip and a model in this process: an object is prompted on one frame and followed through the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Final, cast
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from PIL import Image as Pil

from app.arrays import ImageArray
from app.cli.local import LocalPicture
from app.clips import Clip, ClipFile, ClipLimits, clip_id_of, decoded_frames, frame_source, read_clip
from app.clips.values import Frame
from app.engine.contract import Engine, TrackingEngine
from app.engine.memory_bank import FULL, Reach
from app.errors import BadCoordError, EngineFailedError, UnsupportedImageError
from app.exports.frames import ClipSelection, ShownFrame, frame_name
from app.exports.selection import ExportObject, Selection
from app.masks.enlarging import enlarged
from app.pictures import PictureLimits
from app.protocol.clips import ClipPart
from app.protocol.run_lengths import decode_mask
from app.protocol.values import ExportOptions, Mask
from app.service.frame_step import bank_of, followed
from app.service.track_memories import TrackMemories
from app.service.tracking import PromptedFrame, steps_of
from app.session.classes import ClassList
from app.session.objects import SessionObject
from app.session.values import OpenImage

NO_LIMITS: Final = PictureLimits(2**62, 2**62)
"""Of frames that we made ourselves."""
LOOK_S: Final = 0.05
"""So often it is looked whether a model is ready to follow objects."""
READY_S: Final = 600.0
"""The largest model takes some minutes to be compiled for it."""


class LocalClip:
    """A clip that a loaded model answers prompts on.

    Attributes:
        clip: its frames and times.
        image: its id and its size in its own pixels.
    """

    def __init__(
        self, engine: Engine, data: bytes, name: str, limits: ClipLimits, *, part: ClipPart | None, speck_share: float
    ) -> None:
        """Read a clip.

        Args:
            engine: a loaded model.
            data: the clip's file, see `clip_bytes`.
            name: its file name.
            limits: of a clip.
            part: the part that is worked on, None for all.
            speck_share: specks and holes up to this share of a frame are left out.

        Raises:
            HoverError: the clip is refused, see `read_clip`.
        """
        self._engine, self._file, self._limits, self._part = engine, ClipFile.of_bytes(data), limits, part
        self._name, self._speck_share = name, speck_share
        self.clip: Clip = read_clip(self._file, limits, part)
        self.image = OpenImage(clip_id_of(self._file.file_id, part), self.clip.width, self.clip.height)

    def frame(self, index: int) -> LocalFrame:
        """Return a frame, as a picture to be prompted.

        Raises:
            BadCoordError: there is none of this number.
        """
        if index >= len(self.clip.jpegs):
            last = len(self.clip.jpegs) - 1
            raise BadCoordError(f"this clip has the frames 0 to {last}, got frame {index}; name one of them")
        image = replace(self.image, image_id=frame_source(self.image.image_id, index))
        native = partial(self._native, index)
        return LocalFrame(self._engine, self.clip.jpegs[index], image, native, speck_share=self._speck_share)

    def followed(
        self,
        item: SessionObject,
        begun: LocalFrame,
        at: int,
        tell: Callable[[int], None] = lambda _: None,
        *,
        reach: Reach = FULL,
    ) -> dict[int, Mask]:
        """Return an object's mask on every frame, as a session shows it that tracks both ways.

        Args:
            item: as it was answered on one frame.
            begun: that frame.
            at: the number of that frame.
            tell: hears how many frames are done.
            reach: how much is remembered of it, `FULL` or `FAST`.

        Raises:
            UnsupportedImageError: the model can't follow objects.
            HoverError: the device gave up.
        """
        engine, size_hw = ready_to_track(self._engine), self.image.size_hw
        prompt = PromptedFrame(at, begun.image.image_id, item.shown[item.chosen])
        prompted = {at: engine.remember(begun.embedding, decode_mask(prompt.mask))}
        masks, count = {at: prompt.mask}, len(self.clip.jpegs)
        for backward in (False, True):
            memories = TrackMemories()
            for step in steps_of(item.name, count, at, (prompt,), backward=backward, reach=reach):
                bank = bank_of(step, prompted, memories.before(step))
                embedding = self.frame(step.frame).embedding
                found, memory = followed(engine, embedding, bank, size_hw, self._speck_share)
                memories.keep(step, memory)
                masks[step.frame] = found.mask
                tell(len(masks))
        return masks

    def selection(
        self, item: SessionObject, masks: dict[int, Mask], classes: ClassList, options: ExportOptions
    ) -> ClipSelection:
        """Return an object on all frames, to be written."""
        return ClipSelection(self.image, self._name, (item,), classes, self._shown(item, masks, classes, options))

    def _shown(
        self, item: SessionObject, masks: dict[int, Mask], classes: ClassList, options: ExportOptions
    ) -> Iterator[ShownFrame]:
        jpeg = cast("Callable[[], bytes]", partial(next, self._natives()))
        for index, time_s in enumerate(self.clip.times_s):
            image = replace(self.image, image_id=frame_source(self.image.image_id, index))
            mask = masks[index]
            draw = partial(enlarged, mask, self.image.size_hw)
            objects = (ExportObject(item, mask.score, draw),) if mask.area else ()
            name, model = frame_name(self._name, index), self._engine.model
            selection = Selection(image, name, model, objects, lambda: pixels_of(jpeg()), classes, options)
            yield ShownFrame(index, time_s, selection, jpeg)

    def _natives(self) -> Iterator[bytes]:
        """Give the frames in the clip's own pixels, one after the other; decoded again where they are larger."""
        if self._is_native:
            yield from self.clip.jpegs
            return
        for message in decoded_frames(self._file, self._limits.of_files, self._part, side=None):
            if isinstance(message, Frame):
                yield message.jpeg

    def _native(self, index: int) -> ImageArray:
        return pixels_of(next(islice(self._natives(), index, None)))

    @property
    def _is_native(self) -> bool:
        return Pil.open(BytesIO(self.clip.jpegs[0])).size == (self.clip.width, self.clip.height)


class LocalFrame(LocalPicture):
    """A frame of a clip, as a picture: prompts and files are in the clip's own pixels, the model sees it scaled."""

    def __init__(
        self, engine: Engine, jpeg: bytes, image: OpenImage, native: Callable[[], ImageArray], *, speck_share: float
    ) -> None:
        """Read a frame.

        Args:
            engine: a loaded model.
            jpeg: the frame as the model sees it.
            image: its id and size in the clip's own pixels.
            native: returns it in those pixels.
            speck_share: specks and holes up to this share of it are left out.
        """
        super().__init__(engine, jpeg, NO_LIMITS, speck_share=speck_share)
        self._native = native
        self.image = replace(image, colors=self.image.colors)

    def selection(self, items: Sequence[SessionObject], name: str, classes: ClassList | None = None) -> Selection:
        """Return objects, to be written; see `LocalPicture.selection`."""
        return replace(super().selection(items, name, classes), pixels=self._native)


def pixels_of(jpeg: bytes) -> ImageArray:
    """Return the pixels of a frame, (H, W, 3) uint8 RGB."""
    return np.array(Pil.open(BytesIO(jpeg)))


def ready_to_track(engine: Engine) -> TrackingEngine:
    """Return an engine once it follows objects.

    Raises:
        UnsupportedImageError: it doesn't.
        ModelUnavailableError: what it takes can't be made.
        EngineFailedError: it isn't ready in time.
    """
    if not hasattr(engine, "prepare_tracking"):
        raise UnsupportedImageError(
            f"{engine.model} on {engine.runtime} can't follow objects; set HOVERSAM_ENGINE=torch"
        )
    following = cast("TrackingEngine", engine)
    following.prepare_tracking()
    until = time.monotonic() + READY_S
    while not following.can_track:
        if time.monotonic() > until:
            raise EngineFailedError("the model isn't ready to follow objects in time; try again")
        time.sleep(LOOK_S)
    return following


def clip_bytes(path: Path) -> bytes:
    """Return a clip's file; of a folder of frames, a ZIP of them.

    Raises:
        OSError: it can't be read.
    """
    if not path.is_dir():
        return path.read_bytes()
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for file in sorted(path.iterdir()):
            if file.is_file():
                archive.write(file, file.name)
    return out.getvalue()
