"""The stages that the released checkpoint was trained through, smallest pictures first, and how to run them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import torch
from torch import distributed

from app.nano.batches import Plan
from app.nano.train import Stage, Trainer

STAGES: Final = (
    Stage(Plan(size=128, pictures=12, prompts=6), steps=700, rate_first=1e-3, rate_last=6e-4),
    Stage(Plan(size=256, pictures=6, prompts=6), steps=3000, rate_first=6e-4, rate_last=3e-4),
    Stage(Plan(size=384, pictures=4, prompts=6), steps=1500, rate_first=4.5e-4, rate_last=2.5e-4),
    Stage(Plan(size=512, pictures=2, prompts=8), steps=2600, rate_first=2.5e-4, rate_last=1e-5),
)
"""Pictures are those of one process; the release used two."""
SEED: Final = 1


def run(rank: int, processes: int, config: Path, pool: Path, out: Path) -> None:
    """Train through all stages as one of several processes that average their gradients.

    Args:
        rank: number of this process.
        processes: how many there are; they meet in a file of the temporary folder.
        config: architecture of the model.
        pool: folder of scenes.
        out: folder for the weights (`nano.pt`) and the log (`log.jsonl`).
    """
    torch.set_num_threads(1)
    if processes > 1:
        meeting = Path(tempfile.gettempdir()) / f"hoversam-train-{out.resolve().name}"
        distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=processes)
    trainer = Trainer(config, SEED)
    for number, stage in enumerate(STAGES):
        trainer.run(stage, pool, out / "nano.pt", out / "log.jsonl", seed=SEED + 10 * number)
