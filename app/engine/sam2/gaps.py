"""Work on a picture that gives way to others: it asks between the blocks of the network whether it may go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


class WantedError(Exception):
    """Others want the device; what was being done is given up."""


class Gaps:
    """The gaps between a network's blocks. Each thread asks for itself."""

    def __init__(self, blocks: Iterable[nn.Module]) -> None:
        """Ask before each of some blocks, which follow one another and take about as long as a decode at most."""
        self._of_thread = threading.local()
        for block in blocks:
            block.register_forward_pre_hook(lambda _module, _inputs: self._ask())

    @contextmanager
    def asking(self, is_free: Callable[[], bool]) -> Iterator[None]:
        """Have this thread raise `WantedError` at the next block inside the `with` once `is_free` is False."""
        self._of_thread.is_free = is_free
        try:
            yield
        finally:
            del self._of_thread.is_free

    def _ask(self) -> None:
        is_free: Callable[[], bool] | None = getattr(self._of_thread, "is_free", None)
        if is_free is not None and not is_free():
            raise WantedError
