"""Trains `nano` on one CPU core, around a trunk that has learned ImageNet.

Small pictures first, then the target size; each picture is encoded once and prompted several times, and each prompt
is corrected where its mask is wrong, with the mask fed back. The weights that are kept are a moving average.
Scenes come from a pool that another process draws (`pool.py`).
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader

from app.nano.batches import STRIDE, Batches, Plan
from app.nano.losses import judge, pair_loss
from app.nano.network import Features, Network
from app.nano.optimiser import optimisers, set_rate
from app.nano.pretrained import load_imagenet
from app.nano.prompts import correction

AVERAGE = 0.999
MAX_LOGIT = 32.0
"""SAM 2 clips logits to this before they are fed back."""
PAIR_SAMPLES = 512
CORRECTION_SHARES = (0.4, 0.5, 0.1)
"""How often a prompt is corrected not at all, once, twice; decoding is most of a step, so first prompts come first."""
LOG_EVERY = 100
BATCH_WAIT_S = 600.0
"""For the next batch; one takes a second to make."""


@dataclass(frozen=True)
class Stage:
    """One stretch of training: what on, how many steps, and the learning rate from first to last.

    The stem and the first `still` blocks of the trunk keep their weights.
    """

    plan: Plan
    steps: int
    rate_first: float
    rate_last: float
    still: int = 5
    warm_up: int = 100

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: linear warm-up, then half a cosine."""
        wave = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return min(1.0, (step + 1) / self.warm_up) * (self.rate_last + (self.rate_first - self.rate_last) * wave)


def corrections(rng: np.random.Generator, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return one further click per prompt where its mask is wrong: (B, 1, 2) input pixels and (B, 1) labels."""
    masks, truths = (logits[:, 0] > 0).numpy(), (truth > 0.5).numpy()
    found = [correction(rng, mask, real) for mask, real in zip(masks, truths, strict=True)]
    points = torch.tensor([point for point, _ in found], dtype=torch.float32)[:, None] * STRIDE
    return points, torch.tensor([label for _, label in found], dtype=torch.int32)[:, None]


def chosen(rng: np.random.Generator, logits: Tensor, scores: Tensor, single: Tensor) -> Tensor:
    """Return the mask that a person would refine, (B, 1, h, w): the best scored one, at times another."""
    pick = scores[:, 1:].argmax(1) + 1
    if rng.random() < 0.15:
        pick = torch.from_numpy(rng.integers(1, 4, len(pick)))
    pick = torch.where(single, torch.zeros_like(pick), pick)
    rows = torch.arange(len(pick))
    return logits[rows, pick][:, None].detach().clamp(-MAX_LOGIT, MAX_LOGIT)


class Trainer:
    """The state of a run: network, its moving average, optimisers and generators."""

    def __init__(self, config: Path, seed: int) -> None:
        torch.manual_seed(seed)
        self.network = Network(config)
        self.network.model.to(memory_format=torch.channels_last).train()
        self.average = copy.deepcopy(self.network.model).requires_grad_(False)
        self.optimisers = optimisers(self.network.named_parameters())
        self.rng = np.random.default_rng((seed, rank()))
        self.pace = np.random.default_rng(seed)  # the same in all processes, so that none waits for a longer step
        self.generator = torch.Generator().manual_seed(seed)
        self.steps_done = 0

    def load_trunk(self, file: Path) -> None:
        """Begin with ImageNet's weights in the trunk."""
        for model in (self.network.model, self.average):
            load_imagenet(model.image_encoder.trunk, file)

    def load(self, file: Path) -> None:
        """Go on from the averaged weights of an earlier run."""
        state = torch.load(file, weights_only=True)["model"]
        self.network.model.load_state_dict(state)
        self.average.load_state_dict(state)

    def save(self, file: Path) -> None:
        """Write the averaged weights in fp32; of several processes the first one does."""
        if rank() != 0:
            return
        partial = file.with_suffix(".part")
        torch.save({"model": self.average.state_dict()}, partial)
        partial.replace(file)

    def step(self, batch: tuple[Tensor, ...], plan: Plan, rate: float) -> dict[str, float]:
        """Learn from one batch; return its figures."""
        images, truth, labels, points, kinds = batch
        features = self.network.encode(images)
        each = features.at(torch.arange(len(images)).repeat_interleave(plan.prompts))
        separation = pair_loss(features.fine, labels, PAIR_SAMPLES, self.generator)
        loss, figures = self.rounds(each, truth, points, kinds)
        for optimiser in self.optimisers:
            set_rate(optimiser, rate)
            optimiser.zero_grad(set_to_none=True)
        (loss + separation).backward()  # type: ignore[no-untyped-call]
        average_gradients(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.follow()
        return {"loss": float(loss.detach()), "pairs": float(separation.detach()), **figures}

    def rounds(
        self, features: Features, truth: Tensor, points: Tensor, kinds: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """Prompt, then correct up to twice; return the loss and mean IoU by kind of prompt."""
        single = kinds[:, 0] == 2
        logits, scores = self.network.decode(features, points, kinds, None)
        first = judge(logits, scores, truth, single)
        loss, figures = first.loss, first_figures(first.real_iou, scores, single)
        for number in range(int(self.pace.choice(len(CORRECTION_SHARES), p=CORRECTION_SHARES))):
            mask = chosen(self.rng, logits, scores, single)
            point, label = corrections(self.rng, mask, truth)
            points, kinds = torch.cat([points, point], 1), torch.cat([kinds, label], 1)
            single = torch.ones_like(single)
            logits, scores = self.network.decode(features, points, kinds, mask)
            verdict = judge(logits, scores, truth, single)
            loss = loss + verdict.loss
            figures[f"corrected_{number + 1}"] = float(verdict.real_iou[:, 0].mean())
        return loss, figures

    def follow(self) -> None:
        """Move the averaged weights towards the current ones; faster while the run is young."""
        self.steps_done += 1
        follow(self.average.parameters(), self.network.model.parameters(), self.steps_done, AVERAGE)

    def run(self, stage: Stage, pool: Path, out: Path, log: Path, seed: int) -> None:
        """Train one stage; write a line of figures and the weights now and then."""
        self.network.resize(stage.plan.size)
        self.network.keep_still(stage.still)
        batches = drawn_beside(Batches(pool, stage.plan, seed + 1000 * rank()))
        began, sums = time.monotonic(), Means()
        for step in range(stage.steps):
            sums.add(self.step(next(batches), stage.plan, stage.rate(step)))
            if (step + 1) % LOG_EVERY == 0 and rank() == 0:
                line: dict[str, Any] = {"size": stage.plan.size, "step": step + 1, "s": round(time.monotonic() - began)}
                with log.open("a") as file:
                    file.write(json.dumps(line | sums.take()) + "\n")
                self.save(out)
        self.save(out)


def drawn_beside(batches: Batches) -> Iterator[tuple[Tensor, ...]]:
    """Return batches that another process makes while this one learns.

    It begins as a fresh interpreter: a fork of a process in which OpenCV has worked on several threads waits for ever
    for those threads, which a fork leaves behind.

    Raises:
        RuntimeError: no batch came within `BATCH_WAIT_S`; its own error, if it had one, stands above.
    """
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=1,
        prefetch_factor=4,
        timeout=BATCH_WAIT_S,
        multiprocessing_context="spawn",
    )
    return iter(loader)


def follow(means: Iterable[Tensor], values: Iterable[Tensor], steps_done: int, keep: float) -> None:
    """Move means towards values; they keep a share `keep` of themselves, less while the run is young."""
    with torch.no_grad():
        for mean, value in zip(means, values, strict=True):
            mean.lerp_(value, 1 - min(keep, steps_done / (steps_done + 10)))


def first_figures(overlap: Tensor, scores: Tensor, single: Tensor) -> dict[str, float]:
    """Return mean IoU of clicks (best scored and best of three) and of boxes, where the batch has them."""
    figures = {}
    if bool((~single).any()):
        clicks, ranks = overlap[~single, 1:], scores[~single, 1:].argmax(1)
        figures["click"] = float(clicks[torch.arange(len(clicks)), ranks].mean())
        figures["click_oracle"] = float(clicks.max(1).values.mean())
    if bool(single.any()):
        figures["box"] = float(overlap[single, 0].mean())
    return figures


def rank() -> int:
    """Return the number of this process among those that train together, 0 for one alone."""
    return int(distributed.get_rank()) if distributed.is_initialized() else 0


def average_gradients(parameters: list[nn.Parameter]) -> None:
    """Replace every gradient by the mean over the processes that train together."""
    if not distributed.is_initialized():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, mean in zip(gradients, torch.split(flat, sizes), strict=True):
        gradient.copy_(mean.view_as(gradient))


class Means:
    """Running means of named figures between two lines of the log."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, figures: dict[str, float]) -> None:
        """Take the figures of one step."""
        for name, value in figures.items():
            self.values.setdefault(name, []).append(value)

    def take(self) -> dict[str, float]:
        """Return the means and begin anew."""
        means = {name: round(sum(values) / len(values), 4) for name, values in self.values.items()}
        self.values = {}
        return means
