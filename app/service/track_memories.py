"""What is remembered of objects in clips while they are followed: a bounded cache of memories, made again when asked.

Lives in the event loop's thread. A pass whose memories had to make room is lost as a whole, since none of them could be
made without the ones before.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from app.engine.memory_bank import POINTERS, Memory
from app.errors import MemoryLostError
from app.service.tracking import FollowStep

BUDGET_BYTES: Final = 256 * 1024**2
"""Of all passes; one of a published model has 8 MB at most."""


class TrackMemories:
    """Memories by pass and frame; the pass that was used least recently goes first."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        """Args: what all memories together may hold; one pass is kept whatever it holds."""
        self._budget_bytes = budget_bytes
        self._passes: OrderedDict[str, dict[int, Memory]] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Bytes of all memories."""
        return sum(memory.nbytes for kept in self._passes.values() for memory in kept.values())

    def before(self, step: FollowStep) -> dict[int, Memory]:
        """Return what a pass remembers of the frames before a step, by frame.

        Raises:
            MemoryLostError: it remembers nothing of the frame that it was on last.
        """
        sign = -1 if step.backward else 1
        kept = self._passes.get(step.pass_id, {})
        if step.before != step.start and step.before not in kept:
            raise MemoryLostError(
                f"nothing is remembered of frame {step.before} on the way to frame {step.frame}; "
                f"track again from frame {step.start}"
            )
        return {frame: memory for frame, memory in kept.items() if 1 <= sign * (step.frame - frame) <= POINTERS}

    def keep(self, step: FollowStep, memory: Memory) -> None:
        """Remember a step's frame, and no more frames than later steps look at."""
        kept = self.before(step) if step.pass_id in self._passes else {}
        self.put(step.pass_id, {**kept, step.frame: memory})

    def put(self, pass_id: str, kept: dict[int, Memory]) -> None:
        """Keep the memories of a pass, in place of what it remembered; others make room."""
        self._passes[pass_id] = kept
        self._passes.move_to_end(pass_id)
        while len(self._passes) > 1 and self.nbytes > self._budget_bytes:
            self._passes.popitem(last=False)

    def of(self, pass_id: str) -> dict[int, Memory]:
        """Return what is kept under a name, which becomes the most recently used."""
        if pass_id not in self._passes:
            return {}
        self._passes.move_to_end(pass_id)
        return self._passes[pass_id]

    def drop(self, model: str) -> None:
        """Forget what a model remembered, which another load of it can't read."""
        for pass_id in [pass_id for pass_id in self._passes if pass_id.startswith(f"{model}\0")]:
            del self._passes[pass_id]


def kept_under(model: str, name: str) -> str:
    """Return the name under which a model's memories are kept."""
    return f"{model}\0{name}"
