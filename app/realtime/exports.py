"""The worker that makes the files which one session asks for, while its clicks go on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from app.errors import BusyError, HoverError
from app.exports.files import ExportFile
from app.exports.selection import Selection
from app.protocol.messages import Export, File
from app.realtime.closing import error_message
from app.realtime.outbox import Outbox
from app.service.exporter import FILES_PATH, MAX_MESSAGE_BYTES, RETRY_AFTER_S, ExportDraft, Exporter, export_draft
from app.service.predictor import Predictor
from app.session.session import Session

MAX_QUEUED: Final = 16
"""Requests of one session that may wait for a file; one more is `busy`."""


class ExportWorker:
    """Makes the files that one session asks for, one after the other, while its clicks go on.

    No file holds what a stand-in answered: it waits until the session's own model has answered the same prompts.
    """

    def __init__(self, session: Session, outbox: Outbox, exporter: Exporter, predictor: Predictor) -> None:
        """Begin with nothing to make.

        Args:
            session: whose objects.
            outbox: where files go.
            exporter: makes files for all sessions.
            predictor: asked where a stand-in has answered so far.
        """
        self._session, self._outbox, self._exporter, self._predictor = session, outbox, exporter, predictor
        self._queue: asyncio.Queue[tuple[Export, Selection | ExportDraft]] = asyncio.Queue(MAX_QUEUED)

    def put(self, message: Export) -> None:
        """Take what is asked for as it is now, to be made and sent when it is ready.

        Raises:
            HoverError: see `export_draft`, `Exporter.selection`.
            BusyError: too many files of this session wait.
        """
        asked = export_draft(self._session, message.format, message.objects, message.options)
        ready = asked if self._session.stand_in is not None else self._exporter.selection(asked)
        try:
            self._queue.put_nowait((message, ready))
        except asyncio.QueueFull:
            waiting = f"{MAX_QUEUED} files of this session wait; try again"
            raise BusyError(waiting, retry_after_s=RETRY_AFTER_S) from None

    async def run(self) -> None:
        """Work until the task is cancelled; a file that fails is answered, and the next goes on."""
        while True:
            message, asked = await self._queue.get()
            try:
                selection = await self._answered(asked) if isinstance(asked, ExportDraft) else asked
                file = await self._exporter.make(message.format, selection)
                self._outbox.put(await self._message(file, message.seq))
            except HoverError as error:
                self._outbox.put(error_message(error, message.seq))
            await self._outbox.sent()  # or a client that doesn't read would have us keep all its files

    async def _answered(self, asked: ExportDraft) -> Selection:
        """Return a selection with the answers of the session's own model, once it has seen the picture."""
        answers = [await self._predictor.replayed(asked.image, item, asked.model) for item in asked.items]
        items = tuple(item.predicted(answer) for item, answer in zip(asked.items, answers, strict=True))
        return self._exporter.selection(replace(asked, items=items))

    async def _message(self, file: ExportFile, seq: int) -> File:
        """Return a file as a message, with its bytes or with where they are fetched."""
        if file.content.nbytes <= MAX_MESSAGE_BYTES:
            return File(seq=seq, name=file.name, media_type=file.media_type, data=file.data)
        url = f"{FILES_PATH}/{await self._exporter.parked.park(file)}"
        return File(seq=seq, name=file.name, media_type=file.media_type, data=b"", url=url)
