"""What the trainer minimises: masks, their predicted IoU, and features that tell things apart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

FOCAL_WEIGHT = 5.0
DICE_WEIGHT = 2.0
SCORE_WEIGHT = 6.0
CHOICE_WEIGHT = 1.0
CHOICE_TEMPERATURE = 0.05
"""Of the softmax over scores: candidates whose scores differ by less share the choice."""
SIDE_WEIGHT = 0.3
"""For the output that the prompt didn't ask for: the single mask of a click, the candidates of a correction."""
SHOWN_WEIGHT = 1.0
"""For the candidate with the highest score, which is the one that people see."""
LOSER_WEIGHT = 0.03
"""For the candidates that fit worse than the best one, so that none of them dies."""


@dataclass(frozen=True)
class Verdict:
    """The loss of one decode, and (B, 4) real IoU of every mask against the truth."""

    loss: Tensor
    real_iou: Tensor


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return focal plus dice loss, (B, K).

    Focal loss without SAM's alpha of 0.25: with it a small model predicts emptiness.

    Args:
        logits: (B, K, h, w).
        truth: (B, K, h, w) in [0, 1]; the part of each cell that the object covers.
    """
    p = logits.sigmoid()
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    focal = ((p - truth).abs() ** 2 * cross_entropy).mean((2, 3))
    overlap, total = (p * truth).sum((2, 3)), p.sum((2, 3)) + truth.sum((2, 3))
    return FOCAL_WEIGHT * focal + DICE_WEIGHT * (1 - (2 * overlap + 1) / (total + 1))


def real_iou(logits: Tensor, truth: Tensor) -> Tensor:
    """Return (B, K) IoU of the thresholded masks."""
    mask, real = logits > 0, truth > 0.5
    return (mask & real).sum((2, 3)).float() / ((mask | real).sum((2, 3)).float() + 1e-6)


def judge(logits: Tensor, scores: Tensor, truth: Tensor, single: Tensor) -> Verdict:
    """Return the loss of four masks per prompt; of the three candidates the best one learns.

    Args:
        logits: (B, 4, h, w), the single mask first.
        scores: (B, 4) predicted IoU in [0, 1].
        truth: (B, h, w) in [0, 1].
        single: (B,) bool, True where the prompt asks for the single mask.
    """
    wanted = truth[:, None].expand_as(logits)
    losses = mask_loss(logits, wanted)
    with torch.no_grad():
        overlap = real_iou(logits, wanted)
    shown = losses[:, 1:].gather(1, scores[:, 1:].argmax(1, keepdim=True))[:, 0]
    candidates = losses[:, 1:].min(1).values + SHOWN_WEIGHT * shown + LOSER_WEIGHT * losses[:, 1:].mean(1)
    weight = torch.where(single, 1.0, SIDE_WEIGHT)
    shape = (weight * losses[:, 0] + (1 + SIDE_WEIGHT - weight) * candidates).mean()
    choice = ((1 + SIDE_WEIGHT - weight) * regret(scores[:, 1:], overlap[:, 1:])).mean()
    return Verdict(shape + SCORE_WEIGHT * ((scores - overlap) ** 2).mean() + CHOICE_WEIGHT * choice, overlap)


def regret(scores: Tensor, overlap: Tensor) -> Tensor:
    """Return by how much the candidate that the scores choose falls short of the best one, (B,).

    Scores that predict IoU well on average still choose badly where a part and its whole are both likely; this
    teaches them to rank.

    Args:
        scores: (B, 3) predicted IoU.
        overlap: (B, 3) real IoU.
    """
    share = torch.softmax(scores / CHOICE_TEMPERATURE, 1)
    return overlap.max(1).values - (share * overlap).sum(1)


def pair_loss(features: Tensor, labels: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """Return how badly distances between pixels tell one thing from another.

    It teaches the trunk from every pixel where a mask loss teaches from one prompt (compare Fathi et al. 2017,
    arXiv:1703.10277).

    Args:
        features: (B, C, h, w).
        labels: (B, h, w) int64, the number of the smallest thing at each cell, 0 for the ground.
        samples: pixels of each picture that are compared with one another.
        generator: where the sample comes from.
    """
    batch, channels, height, width = features.shape
    at = torch.randint(height * width, (batch, samples), generator=generator)
    picked = features.flatten(2).gather(2, at[:, None].expand(-1, channels, -1)).transpose(1, 2)
    label = labels.flatten(1).gather(1, at)
    same = (label[:, :, None] == label[:, None]).float()
    distance = torch.cdist(picked, picked).square()
    together = torch.exp(-distance).clamp(1e-4, 1 - 1e-4)
    alike = same * ((label[:, :, None] + label[:, None]) > 0)  # the ground is no one thing
    pull = -(alike * together.log()).sum((1, 2)) / alike.sum((1, 2)).clamp(min=1)
    push = -((1 - same) * (1 - together).log()).sum((1, 2)) / (1 - same).sum((1, 2)).clamp(min=1)
    return 0.5 * (pull + push).mean()
