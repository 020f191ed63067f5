"""What stands in for the child that decodes clips: it says what a test wants, in a tenth of the child's time."""

from __future__ import annotations

import sys
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import msgspec
from PIL import Image as Pil

from app.clips.values import ClipHead, End, Frame, Message
from tests.helpers.clip_files import picture


def program(text: str) -> tuple[str, ...]:
    """Return a Python program in the child's place."""
    return (sys.executable, "-I", "-S", "-c", text)


def saying(*messages: Message) -> str:
    """Return a program that says these messages."""
    said = b"".join(len(data).to_bytes(4, "big") + data for data in map(msgspec.msgpack.encode, messages))
    return f"import base64, sys; sys.stdout.buffer.write(base64.b64decode({b64encode(said).decode()!r}))"


def short_clip(count: int = 3) -> tuple[Message, ...]:
    """Return what is said of a clip of some frames, ten a second."""
    frames = (Frame(index / 10, jpeg_of(index)) for index in range(count))
    return ClipHead(160, 120), *frames, End(count / 10)


def jpeg_of(index: int) -> bytes:
    """Return one of the frames that `clip_files` draws."""
    out = BytesIO()
    Pil.fromarray(picture(index)).save(out, "JPEG", quality=92)
    return out.getvalue()


def waiting(gate: Path, *messages: Message) -> str:
    """Return a program that says these messages once a pipe at `gate` was opened for writing."""
    return f"open({str(gate)!r}).read(); {saying(*messages)}"
