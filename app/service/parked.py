"""Files that are too large for a message, kept for a short while under a name that only their owner has."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from secrets import token_urlsafe
from typing import Final

from app.exports.files import ExportFile

TOKEN_BYTES: Final = 16
KEPT_S: Final = 120.0
"""How long a file may be fetched; one that is being fetched then is still sent whole."""
MAX_BYTES: Final = 2**29
"""Of all files together; where one more has no room, the oldest go."""


class ParkedFiles:
    """Files by their names; lives on the event loop."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, ExportFile] = OrderedDict()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all files kept."""
        return self._nbytes

    def park(self, file: ExportFile) -> str:
        """Keep a file and return its name, which nobody can guess."""
        name = token_urlsafe(TOKEN_BYTES)
        self._files[name] = file
        self._nbytes += file.content.nbytes
        self._timers[name] = asyncio.get_running_loop().call_later(KEPT_S, self._forget, name)
        while self._nbytes > MAX_BYTES and len(self._files) > 1:
            self._forget(next(iter(self._files)))
        return name

    def get(self, name: str) -> ExportFile | None:
        """Return a file, as often as it is asked for: a fetch that was cut may be begun again. None where it went."""
        return self._files.get(name)

    def clear(self) -> None:
        """Forget all files."""
        for name in list(self._files):
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._nbytes -= self._files.pop(name).content.nbytes
        self._timers.pop(name).cancel()
