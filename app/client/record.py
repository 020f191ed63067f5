"""A session written down as a script, line by line, to be replayed with `python -m app script`.

Each line is a message of the protocol as JSON, without `seq`, with `at`, the seconds since the session began. What
`open` opens is a path in `picture`, or the file's bytes in `data` as base64.
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import IO, Any

from msgspec import to_builtins

from app.client.timeline import ClipSource, PictureSource
from app.protocol.codec import plain
from app.protocol.messages import ClientMessage


class Recorder:
    """Writes each message into a file as it is sent; the file is whole after every line."""

    def __init__(self, path: Path | None) -> None:
        """Begin the file at `path`, in place of one that is there; None writes nothing."""
        self._stream: IO[str] | None = None if path is None else path.open("w", encoding="utf-8", buffering=1)
        self._began = time.monotonic()

    def note(self, message: ClientMessage) -> None:
        """Write down a message other than `open`."""
        if self._stream is None:
            return
        fields: dict[str, Any] = to_builtins(message, enc_hook=plain)
        del fields["seq"]
        fields.pop("window", None)  # that of the last `look`
        self._write(fields)

    def note_whole(self) -> None:
        """Write down that all of the picture is looked at again, for which there is no message."""
        self._write({"t": "look"})

    def note_open(self, picture: PictureSource) -> None:
        """Write down that a picture is opened."""
        if isinstance(picture, Path):
            self._write({"t": "open", "picture": str(picture.resolve())})
        else:
            self._write({"t": "open", "data": base64.b64encode(picture).decode()})

    def note_open_clip(self, clip: ClipSource, frame: int) -> None:
        """Write down that a clip is opened."""
        if isinstance(clip.file, Path):
            opened = {"clip": str(clip.file.resolve())}
        else:
            opened = {"data": base64.b64encode(clip.file).decode()}
        part = {} if clip.part is None else {"part": [clip.part.begin, clip.part.end, clip.part.rate]}
        self._write({"t": "open", **opened, **part, "frame": frame})

    def _write(self, fields: dict[str, Any]) -> None:
        if self._stream is not None:
            self._stream.write(json.dumps({"at": round(time.monotonic() - self._began, 3), **fields}) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
