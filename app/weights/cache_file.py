"""What is remembered between starts: a JSON file of the cache folder, which may be missing or damaged."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


def read_cache(cache_file: Path, kind: type[T]) -> dict[str, T]:
    """Return what is remembered; nothing where the file is missing or damaged."""
    try:
        return msgspec.json.decode(cache_file.read_bytes(), type=dict[str, kind])  # type: ignore[valid-type]
    except (OSError, msgspec.DecodeError):
        return {}


def write_cache(cache_file: Path, memory: Mapping[str, object]) -> None:
    """Remember something, all at once; a folder that can't be written only costs the next start some time."""
    part = cache_file.with_name(f"{cache_file.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(memory))
        part.replace(cache_file)
