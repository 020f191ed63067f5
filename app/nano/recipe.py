"""The stages that the released checkpoint was trained through, smallest pictures first, and how to run them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import distributed

from app.nano.batches import Plan
from app.nano.train import Stage, Trainer

STAGES: Final = (
    Stage(Plan(size=128, pictures=12, prompts=6), steps=700, rate_first=1e-3, rate_last=6e-4),
    Stage(Plan(size=256, pictures=6, prompts=6), steps=3000, rate_first=6e-4, rate_last=3.5e-4),
    Stage(Plan(size=384, pictures=4, prompts=6), steps=2600, rate_first=1e-3, rate_last=7e-4),
    Stage(Plan(size=512, pictures=2, prompts=8), steps=6000, rate_first=7e-4, rate_last=1e-5),
    Stage(Plan(size=512, pictures=3, prompts=5), steps=7000, rate_first=8e-4, rate_last=1e-5),
)
"""Pictures are those of one process."""
SEED: Final = 1


@dataclass(frozen=True)
class Order:
    """What to train.

    Attributes:
        processes: how many share the work; they meet in a file of the folder `out`.
        config: architecture of the model.
        pool: folder of scenes.
        out: folder for the weights (`nano.pt`) and the log (`log.jsonl`).
        start: weights to go on from, with the last stage alone; None begins from nothing.
    """

    processes: int
    config: Path
    pool: Path
    out: Path
    start: Path | None

    @property
    def meeting(self) -> Path:
        """The file in which the processes meet; one that an earlier run left behind must go before they start."""
        return self.out / "meeting"


def run(rank: int, order: Order) -> None:
    """Train through all stages as process number `rank` of those that average their gradients."""
    torch.set_num_threads(1)
    if order.processes > 1:
        address = f"file://{order.meeting.resolve()}"
        distributed.init_process_group("gloo", address, rank=rank, world_size=order.processes)
    trainer = Trainer(order.config, SEED)
    if order.start is not None:
        trainer.load(order.start)
    for number, stage in enumerate(STAGES if order.start is None else STAGES[-1:]):
        trainer.run(stage, order.pool, order.out / "nano.pt", order.out / "log.jsonl", seed=SEED + 10 * number)
