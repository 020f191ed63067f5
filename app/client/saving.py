"""The part of a session that saves what was made, as files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Literal

from msgspec.structs import replace

from app.client.following import Following
from app.client.pending_requests import UNNUMBERED
from app.client.upload import fetch
from app.errors import UnknownImageError
from app.protocol import messages as m
from app.protocol.messages import ExportFormat, File, Progress
from app.protocol.values import ExportOptions

_FETCHES: Final = 3
"""Times that a large file is asked for; a fetch may be cut, or the server started again before it."""
_CLIP_EXPORT_S: Final = 1800.0
"""How long a file of a clip may take; a server's own limit is that, too."""


class Saving(Following):
    """The part of a session that makes files."""

    async def export(
        self,
        format: ExportFormat,
        objects: Iterable[int] | None = None,
        *,
        trim: bool = False,
        edge: Literal["hard", "soft"] = "hard",
        ground: str | None = None,
        tolerance: float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> File:
        """Return a file of the objects named, or of all: its name, media type and bytes; on a clip, of all frames.

        One too large for the socket is fetched by HTTP, and made again where the server has lost it meanwhile. The
        options are told in `ExportOptions`: `trim`, `edge` and `ground` (`#rrggbb`) of a cutout, `tolerance` of
        polygons in pixels. `progress` is called while a file of a clip is made; who is cancelled meanwhile has it
        given up.

        Raises:
            BadMessageError: the format doesn't take an option, or the option is out of bounds.
        """
        options = ExportOptions(trim=trim, edge=edge, ground=ground, tolerance=tolerance)
        some = None if objects is None else tuple(objects)
        export = m.Export(seq=UNNUMBERED, format=format, objects=some, options=options)
        for left in reversed(range(_FETCHES)):
            file = await self._made(export, progress)
            if file.url is None:
                break
            try:
                line = self._reconnecting
                data = await fetch(line.url, file.url, timeout_s=line.timeouts.reply_s, cookies=line.cookies)
                return replace(file, data=data)
            except (ConnectionError, UnknownImageError):
                if not left:
                    raise
        return file

    async def _made(self, export: m.Export, progress: Callable[[Progress], None] | None) -> File:
        """Return a file, or where it is to be fetched; a clip's is given up where nobody waits for it."""
        if self.clip is None:
            return await self._ask(export, File, timeout_s=self._reconnecting.timeouts.open_s, progress=progress)
        seqs: list[int] = []

        def note(told: Progress) -> None:
            seqs[:] = [told.seq]
            if progress is not None:
                progress(told)

        try:
            return await self._ask(export, File, timeout_s=_CLIP_EXPORT_S, progress=note)
        except asyncio.CancelledError:
            if seqs:
                await self._reconnecting.tell(m.Stop(seq=UNNUMBERED, of=seqs[0]))
            raise
