"""A session written down as a script, line by line, to be replayed with `python -m app script`.

Each line is a message of the protocol as JSON, without `seq`, with `at`, the seconds since the session began. What
`open` opens is a path in `picture`, or the file's bytes in `data` as base64.
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import IO

from app.client.wire import Fields
from app.client.work import Picture


class Recorder:
    """Writes each message into a file as it is sent; the file is whole after every line."""

    def __init__(self, path: Path | None) -> None:
        """Args: the file to write, replaced where it is there; None writes nothing."""
        self._stream: IO[str] | None = None if path is None else path.open("w", encoding="utf-8", buffering=1)
        self._began = time.monotonic()

    def note(self, fields: Fields, picture: Picture | None = None) -> None:
        """Write down a message."""
        if self._stream is None:
            return
        line = {name: value for name, value in fields.items() if value is not None}
        if isinstance(picture, Path):
            line["picture"] = str(picture.resolve())
        elif picture is not None:
            line["data"] = base64.b64encode(picture).decode()
        self._stream.write(json.dumps({"at": round(time.monotonic() - self._began, 3), **line}) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
