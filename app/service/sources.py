"""Whatever has pixels, by its name: pictures and frames of clips. The one place that tells them apart."""

from __future__ import annotations

from collections.abc import Callable

from app.arrays import ImageArray
from app.clips import is_frame, split_source
from app.pictures import NativeArray
from app.service.clip_store import ClipStore
from app.service.picture_store import PictureStore
from app.session.values import OpenImage


class Sources:
    """Pictures and clips that were uploaded; fulfils `backend.Pixels`.

    Attributes:
        pictures: the pictures.
        clips: the clips.
    """

    def __init__(self, pictures: PictureStore, clips: ClipStore) -> None:
        """Join them.

        Args:
            pictures: the pictures.
            clips: the clips.
        """
        self.pictures, self.clips = pictures, clips

    async def info(self, image_id: str) -> OpenImage:
        """Return a picture, or a frame of a clip, that a session works on.

        Raises:
            UnknownImageError: it isn't kept (any more).
            BadCoordError: the clip has no such frame.
            BusyError: too many wait to be read.
        """
        if is_frame(image_id):
            return await self.clips.image(*split_source(image_id))
        return await self.pictures.info(image_id)

    async def pixels(self, source: str, *, again: bool = False, aside: bool = False) -> ImageArray:
        """Return what the model sees of a source, or of a part of it, (h, w, 3) uint8 RGB, upright; raises as `info`.

        Args:
            source: see `app.protocol.windows.source_of`.
            again: it will soon be asked for once more.
            aside: nobody waits for it, so it is read beside what somebody waits for.
        """
        store = self.clips if is_frame(source) else self.pictures
        return await store.pixels(source, again=again, aside=aside)

    def native(self, image_id: str) -> Callable[[], NativeArray]:
        """Return what reads a picture or a frame at its own size; call it in a worker thread.

        Raises:
            UnknownImageError: the picture isn't kept; what is returned may say so, too.
        """
        return self.clips.native(image_id) if is_frame(image_id) else self.pictures.native(image_id)

    def close(self) -> None:
        """Stop what reads them."""
        self.clips.close()
        self.pictures.close()
