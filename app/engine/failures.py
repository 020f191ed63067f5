"""What devices raise, as our own errors; the same for torch and OpenVINO, which both have little more than words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.errors import EngineFailedError, EngineMemoryError

NO_MEMORY: Final = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "bad allocation",
    "failed to allocate",
)


@contextmanager
def device_failures(task: str) -> Iterator[None]:
    """Turn what a device raises into `EngineFailedError`, and into `EngineMemoryError` where memory is what lacks."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        kind = EngineMemoryError if is_out_of_memory(error) else EngineFailedError
        raise kind(
            f"the device failed to {task} ({type(error).__name__}); try again, or choose a smaller model"
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a device has no memory left, which words alone tell; torch's own type for it has them too."""
    told = str(error).lower()
    return isinstance(error, MemoryError) or any(word in told for word in NO_MEMORY)
