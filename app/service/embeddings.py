"""Embeddings kept in memory: the least recently used goes first when the bytes run out.

Keeps and forgets; that a picture is encoded once even when two sessions ask together is the scheduler's work.
Every method may be called from any thread.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from app.engine.contract import Embedding


class EmbeddingKey(NamedTuple):
    """What an embedding was made from: the model's name and its source, a picture by its content hash."""

    model: str
    source: str

    @property
    def is_part(self) -> bool:
        """Whether the source is a part of a picture, see `app.protocol.windows.source_of`."""
        return "@" in self.source


@dataclass(frozen=True)
class StoreStats:
    """What the store holds now, and what happened since it was made."""

    bytes: int
    hits: int
    misses: int


class Kept(NamedTuple):
    """An embedding and what it is counted as: its bytes when it came. It may become smaller while it is kept."""

    embedding: Embedding
    nbytes: int


class EmbeddingStore:
    """A cache of embeddings that never holds more than `budget_bytes`.

    It isn't of `cachetools`, since an embedding that is in use is pinned: it stays while older and newer ones go.
    """

    def __init__(self, budget_bytes: int) -> None:
        """Keep nothing yet.

        Args:
            budget_bytes: what all embeddings together may hold.
        """
        self._budget_bytes = budget_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[EmbeddingKey, Kept] = OrderedDict()  # least recently used first
        self._pins: Counter[EmbeddingKey] = Counter()
        self._bytes = 0
        self._hits = self._misses = 0

    def get(self, key: EmbeddingKey) -> Embedding | None:
        """Return the embedding and make it the most recently used, or None where it isn't kept."""
        with self._lock:
            kept = self._entries.get(key)
            if kept is None:
                self._misses += 1
                return None
            self._hits += 1
            self._entries.move_to_end(key)
            return kept.embedding

    def __contains__(self, key: EmbeddingKey) -> bool:
        """Return whether an embedding is kept, which counts as no use of it."""
        with self._lock:
            return key in self._entries

    def put(self, key: EmbeddingKey, embedding: Embedding) -> bool:
        """Keep an embedding in place of any of the same key, and forget others until it fits.

        Returns:
            False where it would not fit beside the pinned ones; then nothing is forgotten for it, and the caller's
            own reference is the only one.
        """
        new = Kept(embedding, embedding.nbytes)
        with self._lock:
            pinned_bytes = sum(
                kept.nbytes for other, kept in self._entries.items() if other in self._pins and other != key
            )
            if pinned_bytes + new.nbytes > self._budget_bytes:
                return False
            self._forget(key)
            while self._bytes + new.nbytes > self._budget_bytes:
                self._forget(next(other for other in self._entries if other not in self._pins))
            self._entries[key] = new
            self._bytes += new.nbytes
            return True

    @contextmanager
    def pinned(self, key: EmbeddingKey) -> Iterator[None]:
        """Keep `put` from forgetting the key inside the `with`; may be nested, and the key may come later."""
        with self._lock:
            self._pins[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._pins[key] -= 1
                self._pins += Counter()  # drops the keys that nobody pins

    def drop(self, model: str | None = None) -> int:
        """Forget every embedding that isn't pinned, of one model or of all; return how many."""
        with self._lock:
            keys = [key for key in self._entries if key not in self._pins and model in (None, key.model)]
            for key in keys:
                self._forget(key)
            return len(keys)

    def stats(self) -> StoreStats:
        """Return what the store holds and has done."""
        with self._lock:
            return StoreStats(self._bytes, self._hits, self._misses)

    def _forget(self, key: EmbeddingKey) -> bool:
        kept = self._entries.pop(key, None)
        if kept is None:
            return False
        self._bytes -= kept.nbytes
        return True
