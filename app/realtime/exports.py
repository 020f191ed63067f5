"""The worker that makes the files which one session asks for, while its clicks go on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

from app.errors import BadMessageError, BusyError, HoverError, Reason
from app.exports.files import ExportFile
from app.exports.selection import Selection
from app.protocol.messages import Export, File, Progress
from app.realtime.closing import error_message
from app.realtime.outbox import Outbox
from app.service.clip_exports import ClipDraft
from app.service.exporter import FILES_PATH, MAX_MESSAGE_BYTES, RETRY_AFTER_S, ExportDraft, Exporter, export_draft
from app.service.predictor import Predictor
from app.session.session import Session

Asked: TypeAlias = Selection | ExportDraft | ClipDraft
"""What is to be in a file."""
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
        self._queue: asyncio.Queue[tuple[Export, Asked]] = asyncio.Queue(MAX_QUEUED)
        self._making: asyncio.Task[ExportFile] | None = None
        self._seq: int | None = None
        self._waiting: set[int] = set()
        self._stopped: set[int] = set()
        """Numbers of requests: that wait, and that were given up."""

    def put(self, message: Export) -> None:
        """Take what is asked for as it is now, to be made and sent when it is ready.

        Raises:
            HoverError: see `export_draft`, `Exporter.selection`, `Exporter.of_clip`.
            BusyError: too many files of this session wait.
        """
        try:
            self._queue.put_nowait((message, self._asked(message)))
            self._waiting.add(message.seq)
        except asyncio.QueueFull:
            waiting = f"{MAX_QUEUED} files of this session wait; try again"
            raise BusyError(waiting, retry_after_s=RETRY_AFTER_S) from None

    def stop(self, seq: int) -> None:
        """Give up the file that was asked for under a number, where it isn't made yet."""
        if seq == self._seq and self._making is not None:
            self._stopped.add(seq)
            self._making.cancel()
        elif seq in self._waiting:
            self._stopped.add(seq)

    async def run(self) -> None:
        """Work until the task is cancelled; a file that fails is answered, and the next goes on."""
        while True:
            message, asked = await self._queue.get()
            self._waiting.discard(message.seq)
            try:
                self._outbox.put(await self._message(await self._made(message, asked), message.seq))
            except HoverError as error:
                self._outbox.put(error_message(error, message.seq))
            await self._outbox.sent()  # or a client that doesn't read would have us keep all its files

    def _asked(self, message: Export) -> Asked:
        session = self._session
        if session.clip is not None:
            return self._exporter.of_clip(session, message.format, message.objects, message.options)
        asked = export_draft(session, message.format, message.objects, message.options)
        return asked if session.stand_in is not None else self._exporter.selection(asked)

    async def _made(self, message: Export, asked: Asked) -> ExportFile:
        """Return a file, unless it is given up by `stop`."""
        if message.seq not in self._stopped:
            self._seq, self._making = message.seq, asyncio.create_task(self._make(message, asked))
            try:
                await asyncio.wait([self._making])
                if not self._making.cancelled():
                    return self._making.result()
            finally:
                self._making.cancel()
                self._seq = self._making = None
        self._stopped.discard(message.seq)
        raise BadMessageError(Reason("export_stopped", "the file was given up, as was asked; export it again"))

    async def _make(self, message: Export, asked: Asked) -> ExportFile:
        if isinstance(asked, ClipDraft):
            return await self._exporter.make_clip(asked, partial(self._tell, message.seq, asked.clip.count))
        selection = await self._answered(asked) if isinstance(asked, ExportDraft) else asked
        return await self._exporter.make(message.format, selection)

    def _tell(self, seq: int, count: int, done: int) -> None:
        """Tell how far a file of a clip is, a hundred times at most."""
        if seq == self._seq and 100 * done // count != 100 * (done - 1) // count:
            self._outbox.put(Progress(seq=seq, stage="exporting", fraction=done / count))

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
