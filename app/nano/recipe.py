"""The stages that the released checkpoint was trained through, smallest pictures first, and how to run them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import torch
from torch import distributed

from app.nano.batches import Plan
from app.nano.train import Stage, Trainer

TRUNK_BLOCKS: Final = 16
STAGES: Final = (
    Stage(Plan(size=128, pictures=12, prompts=6), steps=700, rate_first=1e-3, rate_last=6e-4, still=TRUNK_BLOCKS),
    Stage(Plan(size=256, pictures=6, prompts=6), steps=3000, rate_first=6e-4, rate_last=6e-4, still=TRUNK_BLOCKS),
)
"""From nothing but the trunk's weights, which stay."""
LAST_STAGES: Final = (
    Stage(Plan(size=384, pictures=5, prompts=4), steps=1000, rate_first=6e-4, rate_last=3e-4, still=TRUNK_BLOCKS),
    Stage(Plan(size=384, pictures=5, prompts=4), steps=500, rate_first=3e-4, rate_last=1.5e-4),
    Stage(Plan(size=512, pictures=3, prompts=4), steps=2800, rate_first=4e-4, rate_last=1e-5),
)
"""Also for weights to go on from. Pictures are those of one process."""
SEED: Final = 1


@dataclass(frozen=True)
class Order:
    """What to train.

    Attributes:
        processes: how many share the work; they meet in a file of the folder `out`.
        config: architecture of the model.
        pool: folder of scenes.
        out: folder for the weights (`nano.pt`) and the log (`log.jsonl`).
        imagenet: the trunk's weights, to begin from; None where `start` is given.
        start: weights of nano to go on from with the last stages alone; None begins from nothing.
    """

    processes: int
    config: Path
    pool: Path
    out: Path
    imagenet: Path | None
    start: Path | None

    @property
    def meeting(self) -> Path:
        """The file in which the processes meet; one that an earlier run left behind must go before they start."""
        return self.out / "meeting"


def run(rank: int, order: Order) -> None:
    """Train through the stages as process number `rank` of those that average their gradients."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if order.processes > 1:
        address = f"file://{order.meeting.resolve()}"
        distributed.init_process_group("gloo", address, rank=rank, world_size=order.processes)
    trainer = Trainer(order.config, SEED)
    stages: tuple[Stage, ...] = LAST_STAGES
    if order.start is not None:
        trainer.load(order.start)
    elif order.imagenet is not None:
        trainer.load_trunk(order.imagenet)
        stages = STAGES + LAST_STAGES
    for number, stage in enumerate(stages):
        trainer.run(stage, order.pool, order.out / "nano.pt", order.out / "log.jsonl", seed=SEED + 10 * number)
