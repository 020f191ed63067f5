"""What is measured: a model's weights, and the engines that run them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import msgspec

from app.engine.factory import load_engine
from app.engine.openvino.runtime import why_not
from app.settings import Settings
from app.weights.catalogue import Weights
from app.weights.manifest import ModelEntry

if TYPE_CHECKING:
    from app.engine.contract import Engine, TrackingEngine

CONVERSION_S = 1800.0
LOOK_S: Final = 0.2
"""So often it is looked whether what follows objects has been compiled."""


@dataclass(frozen=True)
class Subject:
    """A model to measure.

    Attributes:
        weights: the checkpoint.
        cache_dir: where its compiled graphs are kept while the benchmark runs.
    """

    weights: Weights
    cache_dir: Path

    @property
    def entry(self) -> ModelEntry:
        """The model."""
        return self.weights.entry

    def settings(self, engine: str, precision: str | None = None) -> Settings:
        """Return settings that run the model on one engine."""
        changes = {"engine": engine, "precision": precision, "device": "cpu", "cache_dir": self.cache_dir}
        return msgspec.structs.replace(Settings(), **changes)

    def options(self, engine: str, precision: str | None = None) -> list[str]:
        """Return the options of `serve` for the same."""
        own = ["--model", self.entry.name, "--checkpoint", str(self.weights.path), "--device", "cpu"]
        return [*own, "--engine", engine, *(["--precision", precision] if precision else [])]

    def engine(self, engine: str, precision: str | None = None, threads: int | None = None) -> Engine:
        """Return the model on an engine, compiled where that is asked for, on so many threads or on all cores."""
        from app.engine.openvino.hot_swap import HotSwapEngine

        settings = msgspec.structs.replace(self.settings(engine, precision), threads=threads)
        loaded = load_engine(self.weights, settings, lambda _: None)
        if not isinstance(loaded, HotSwapEngine):
            return loaded
        loaded.settled.wait(CONVERSION_S)
        return load_engine(self.weights, settings, lambda _: None)

    def tracking_engine(self, engine: str, precision: str | None = None) -> TrackingEngine:
        """Return the model on an engine once it follows objects; that is compiled too, where that is asked for.

        Raises:
            ModelUnavailableError: it couldn't be compiled.
        """
        loaded = cast("TrackingEngine", self.engine(engine, precision))
        while not loaded.can_track:
            loaded.prepare_tracking()
            time.sleep(LOOK_S)
        return loaded


def engine_names() -> list[tuple[str, str, str | None]]:
    """Return (name, engine, precision) of all that can run here on the CPU."""
    names: list[tuple[str, str, str | None]] = [("torch fp32", "torch", None)]
    if why_not("cpu") is None:
        from app.engine.openvino.runtime import detect

        names.append(("OpenVINO fp32", "openvino", "fp32"))
        if detect(None).precision == "bf16":
            names.append(("OpenVINO bf16", "openvino", "bf16"))
    return names


def random_weights(entry: ModelEntry, folder: Path) -> Weights:
    """Return random weights of a model's true architecture, written into a folder."""
    import torch

    from app.engine.sam2.loader import build_model

    path = folder / entry.file
    torch.manual_seed(0)
    torch.save({"model": build_model(entry).state_dict()}, path)
    return Weights(entry, path, published=False)
