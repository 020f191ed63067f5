"""Which worker a source belongs to, and how long one may take: pure, no worker is asked.

Decision: rendezvous hashing (highest random weight) of model and source. Context: an embedding stays in the process
that made it, and several front ends share the workers without talking to each other. Choice: each ranks the workers by
the same hashes, so that all send a source to the same one. Price: a worker's share of the sources is even only where
there are many.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, deque
from collections.abc import Collection, Mapping
from statistics import median
from typing import Final

from app.service.embeddings import EmbeddingKey

FLOOR_S: Final = 0.3
"""A worker that takes so long may be at an encode, or on a busy core; sooner nobody asks."""
TIMES: Final = 5.0
"""So many times as long as nearly all of its answers a worker may take, before another is asked."""
MUCH: Final = 1.125
"""A worker takes no source while it has so many times its share of them."""
SHARE: Final = 0.95
"""Nearly all."""
SAMPLES: Final = 64
"""Answers that are remembered of each worker: a second or two of hovers."""
FASTEST: Final = ("on cuda", "on mps", "on cpu")
"""Ends of what workers compute with, the fastest first."""


def family(key: EmbeddingKey) -> EmbeddingKey:
    """Return what a source lies together with: a clip for its frames, `<clip>#<frame>`, itself for any other."""
    return EmbeddingKey(key.model, key.source.partition("#")[0])


def weight(worker: str, key: EmbeddingKey) -> int:
    """Return how much a worker is responsible for a source; the one with the most is its home."""
    text = "\0".join((worker, key.model, family(key).source)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def ranked(workers: Collection[str], key: EmbeddingKey) -> list[str]:
    """Return the workers in the order in which they are responsible for a source.

    One that comes or goes moves only the sources that are its own.
    """
    return sorted(workers, key=lambda worker: weight(worker, key), reverse=True)


def home_of(workers: Collection[str], key: EmbeddingKey, loads: Mapping[str, int]) -> str:
    """Return the worker that a source belongs to from now on: the most responsible that hasn't much more than others.

    Chance alone gives some workers half as many sources again as others, and who shares one of those waits longer.

    Args:
        workers: those that may be asked, at least one.
        key: the model and the source.
        loads: how many sources each has that were worked on of late.
    """
    total = sum(loads.get(worker, 0) for worker in workers)
    most = math.ceil(MUCH * (total + 1) / len(workers))
    return next(worker for worker in ranked(workers, key) if loads.get(worker, 0) < most)


def pool_of(computes: Mapping[str, str]) -> list[str]:
    """Return the workers that answer alike to the bit: of a mixed fleet the fastest, then the most.

    Decision: a model's sources stay within one pool. Context: a GPU and a CPU, or fp32 and bf16, differ in a mask's
    rim, and a picture that changes over from one to the other would show it. Choice: workers that compute with the same
    form a pool, and only one pool is asked. Price: others are idle until nobody of it is left.

    Args:
        computes: what each worker that is there computes with, by name; an empty text where it hasn't loaded the model.
    """
    sizes = Counter(text for text in computes.values() if text)
    if not sizes:
        return list(computes)
    chosen = min(sizes, key=lambda text: (speed_of(text), -sizes[text], text))
    return [worker for worker, text in computes.items() if text == chosen]


def speed_of(text: str) -> int:
    """Return the place of what a worker computes with among all, the fastest first."""
    return next((place for place, end in enumerate(FASTEST) if text.endswith(end)), len(FASTEST))


class Deadline:
    """How long a worker's answers of one kind take. Written by several threads, read by any."""

    def __init__(self) -> None:
        self._taken_s: deque[float] = deque(maxlen=SAMPLES)

    def add(self, taken_s: float) -> None:
        """Take note of an answer."""
        self._taken_s.append(taken_s)

    @property
    def seconds(self) -> float:
        """How long to wait for the next: five times what nearly all took, at least `FLOOR_S`."""
        taken_s = sorted(self._taken_s.copy())
        if not taken_s:
            return FLOOR_S
        return max(FLOOR_S, TIMES * taken_s[min(len(taken_s) - 1, int(SHARE * len(taken_s)))])

    @property
    def median_ms(self) -> float:
        """What they take in the middle; 0 before the first."""
        return 1000 * median(self._taken_s.copy() or [0.0])
