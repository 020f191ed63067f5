"""Files that are too large for a message, kept for a short while under a name that only their owner has."""

from __future__ import annotations

import asyncio
from secrets import token_urlsafe
from typing import Final

from cachetools import TTLCache

from app.exports.files import ExportFile
from app.service.shared_folder import SharedFolder

TOKEN_BYTES: Final = 16
"""128 bits, which nobody guesses."""
KEPT_S: Final = 120.0
"""How long a file may be fetched; one that is being fetched then is still sent whole."""
MAX_BYTES: Final = 2**29
"""Of all files together; where one more has no room, those go that were fetched or parked longest ago."""
SLACK_S: Final = 0.1
"""So long after its time a file is let go: a timer may come a little early."""


class ParkedFiles:
    """Files by their names; lives on the event loop."""

    def __init__(
        self, shared: SharedFolder | None = None, *, max_bytes: int = MAX_BYTES, kept_s: float = KEPT_S
    ) -> None:
        """Keep nothing yet.

        Args:
            shared: the folder that other servers see too, where a fetch may reach one of them; None for this one alone.
            max_bytes: of all files together; a single file that is larger is counted as so many.
            kept_s: how long a file may be fetched.
        """
        self._shared, self._kept_s = shared, kept_s
        self._files: TTLCache[str, ExportFile] = TTLCache(
            max_bytes, kept_s, getsizeof=lambda file: min(file.content.nbytes, max_bytes)
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all files kept."""
        return round(self._files.currsize)

    async def park(self, file: ExportFile) -> str:
        """Keep a file and return its name, which nobody can guess."""
        name = token_urlsafe(TOKEN_BYTES)
        if self._shared is not None and await self._shared.keep_file(name, file):
            return name
        self._files[name] = file
        asyncio.get_running_loop().call_later(self._kept_s + SLACK_S, self._files.expire)
        return name

    async def get(self, name: str) -> ExportFile | None:
        """Return a file, as often as it is asked for: a fetch that was cut may be begun again. None where it went."""
        kept = self._files.get(name)
        return await self._shared.file(name) if kept is None and self._shared is not None else kept

    def clear(self) -> None:
        """Forget all files."""
        self._files.clear()
