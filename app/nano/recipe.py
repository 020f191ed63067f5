"""The stages that the released checkpoint was trained through, smallest pictures first."""

from __future__ import annotations

from typing import Final

from app.nano.batches import Plan
from app.nano.train import Stage

STAGES: Final = (Stage(Plan(size=128, pictures=12, prompts=6), steps=700, rate_first=1e-3, rate_last=6e-4),)
