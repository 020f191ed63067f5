"""The end of training: one mean of several stretches, and scores that put the best candidate first.

The mean of weights that went on from the same start is better than each (Wortsman et al. 2022, arXiv:2203.05482).
Scores are taught as predictions of IoU while the masks still change; here the masks stay, and the score's own layers
learn to rank them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from app.nano.batches import Batches, Plan
from app.nano.losses import SCORE_WEIGHT, real_iou
from app.nano.network import Network
from app.nano.train import Stage, follow

TEMPERATURE: Final = 0.05
"""Of the softmax over scores: candidates that differ by less share the weight."""
PLAN: Final = Plan(size=512, pictures=2, prompts=8)
RATE_FIRST, RATE_LAST = 1e-3, 1e-5
AVERAGE: Final = 0.99
SEED: Final = 7


@dataclass(frozen=True)
class Finish:
    """What to finish.

    Attributes:
        config: architecture of the model.
        pool: folder of scenes.
        steps: batches to learn from.
    """

    config: Path
    pool: Path
    steps: int


def mean_weights(files: Sequence[Path]) -> dict[str, Tensor]:
    """Return the mean of the weights in several files of one architecture."""
    states: list[dict[str, Tensor]] = [torch.load(file, weights_only=True)["model"] for file in files]
    return {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}


def ranking_loss(scores: Tensor, overlap: Tensor) -> Tensor:
    """Return how far the candidate that the scores prefer is from a perfect one.

    Args:
        scores: (B, 3) predicted IoU.
        overlap: (B, 3) real IoU.
    """
    return 1 - (torch.softmax(scores / TEMPERATURE, 1) * overlap).sum(1).mean()


def score_loss(scores: Tensor, overlap: Tensor, is_click: Tensor) -> Tensor:
    """Return what the scores of a batch cost.

    Args:
        scores: (B, 4) predicted IoU, the single mask first.
        overlap: (B, 4) real IoU.
        is_click: (B,) bool, True where a candidate has to be chosen.
    """
    loss = SCORE_WEIGHT * ((scores - overlap) ** 2).mean()
    return loss + ranking_loss(scores[is_click, 1:], overlap[is_click, 1:]) if bool(is_click.any()) else loss


def finish(order: Finish, files: Sequence[Path], out: Path) -> None:
    """Write the mean of the weights in some files, its scores taught to rank, in fp32."""
    torch.set_num_threads(1)
    network = Network(order.config)
    network.model.load_state_dict(mean_weights(files))
    network.model.eval().requires_grad_(False)
    network.resize(PLAN.size)
    teach_scores(network, order)
    torch.save({"model": network.model.state_dict()}, out)


def teach_scores(network: Network, order: Finish) -> None:
    """Train the layers of the score alone, on their moving average."""
    head = network.model.sam_mask_decoder.iou_prediction_head.requires_grad_(True)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE_FIRST, weight_decay=0.01)
    average = [value.detach().clone() for value in head.parameters()]
    batches = iter(Batches(order.pool, PLAN, SEED))
    stage = Stage(PLAN, order.steps, RATE_FIRST, RATE_LAST, warm_up=1)
    for step in range(order.steps):
        for group in optimiser.param_groups:
            group["lr"] = stage.rate(step)
        optimiser.zero_grad()
        batch_loss(network, next(batches)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        follow(average, head.parameters(), step + 1, AVERAGE)
    with torch.no_grad():
        for mean, value in zip(average, head.parameters(), strict=True):
            value.copy_(mean)


def batch_loss(network: Network, batch: tuple[Tensor, ...]) -> Tensor:
    """Return the loss of the scores of one batch's first prompts."""
    images, truth, _, points, kinds = batch
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = network.encode(images).widened()
    each = features.at(torch.arange(len(images)).repeat_interleave(PLAN.prompts))
    logits, scores = network.decode(each, points, kinds, None)
    with torch.no_grad():
        overlap = real_iou(logits, truth[:, None].expand_as(logits))
    return score_loss(scores, overlap, kinds[:, 0] == 1)
