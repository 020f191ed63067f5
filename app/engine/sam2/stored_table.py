"""Learned values of a model that are used outside of its modules and graphs, kept in a file beside these."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T", bound="StoredTable")


@dataclass(frozen=True, eq=False)
class StoredTable:
    """A dataclass whose fields are all arrays."""

    def save(self, path: Path) -> None:
        """Write the table as `.npz`."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls: type[T], path: Path) -> T:
        """Return what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})
