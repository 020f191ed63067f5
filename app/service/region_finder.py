"""Finds the things of pictures before anybody asks for one: a decode for each point of a grid, when nobody waits.

A picture's search is shared by all who ask about it, goes on where the last of them left it, and is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from cachetools import LRUCache

from app.engine.contract import Candidates
from app.masks.regions import GRID, Ask, RegionCollector, gates_of, windows_of
from app.protocol.values import Region
from app.service.embeddings import EmbeddingKey

MAX_SEARCHES: Final = 64
"""Searches that are remembered, of a few kilobytes each when done, and half a megabyte while under way."""

GRID_ENDS: Final = (GRID**2 // 16, GRID**2 // 16 + GRID**2 // 4, GRID**2)
"""So many points of the grid are asked until something new is told."""
ALL: Final = 2**16
"""More than is asked of any source."""

Decode = Callable[[Ask], Awaitable[Candidates | None]]
"""Returns what a click gives, in pixels of the source or of its window; None where that is to be given up."""


def level_ends(model: str, size_hw: tuple[int, int]) -> tuple[int, ...]:
    """Return how many clicks are asked until something new is told, the last of them all that there are."""
    return (*GRID_ENDS, ALL) if windows_of(model, size_hw) else GRID_ENDS


class Search:
    """The search in one source."""

    def __init__(self, size_hw: tuple[int, int], model: str, speck_share: float) -> None:
        """Begin.

        Args:
            size_hw: height and width of the source.
            model: the model's name, for its gates.
            speck_share: specks and holes up to this share of the picture are left out.
        """
        windows = windows_of(model, size_hw)
        self._regions: RegionCollector | None = RegionCollector(size_hw, gates_of(model), speck_share, windows)
        self._told: tuple[Region, ...] = ()
        self._turn = asyncio.Lock()

    async def until(self, count: int, decode: Decode) -> tuple[Region, ...]:
        """Return the best regions once this many clicks were asked, or once `decode` gives up."""
        async with self._turn:  # two who look together share what is found
            regions = self._regions
            if regions is None:
                return self._told
            while regions.asked < count and (ask := regions.ask) is not None:
                found = await decode(ask)
                if found is None:
                    break
                regions.add(found.logits, found.scores)
            self._told = regions.best_first
            if regions.ask is None:
                self._regions = None  # what they were compared by isn't needed any more
            return self._told


class RegionFinder:
    """The searches of all sources, the least recently asked for forgotten first."""

    def __init__(self, speck_share: float) -> None:
        """Begin without one.

        Args:
            speck_share: specks and holes of a mask up to this share of the picture are left out.
        """
        self._speck_share = speck_share
        self._searches: LRUCache[EmbeddingKey, Search] = LRUCache(MAX_SEARCHES)

    def search(self, key: EmbeddingKey, size_hw: tuple[int, int]) -> Search:
        """Return the search of a source, new or as far as it has come."""
        search = self._searches.get(key)
        if search is None:
            search = self._searches[key] = Search(size_hw, key.model, self._speck_share)
        return search
