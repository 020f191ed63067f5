"""Compiled engines of models that tests have in memory."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import openvino
import torch

from app.engine.openvino.convert import convert
from app.engine.openvino.engine import OpenVinoEngine
from app.engine.openvino.graph_store import GraphKey, GraphStore
from app.engine.openvino.hot_swap import Conversion
from app.engine.openvino.memory_graphs import MemoryGraphs
from app.engine.openvino.memory_stages import compiled_tracker
from app.engine.openvino.variants import decoder_precision
from app.engine.sam2.loader import load_model
from app.machine import available_cores
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.preloaded import ROOT

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

KEPT = ROOT / ".pytest_cache" / "graphs"
"""Graphs of the bundled model, for all runs of the tests: converting takes seconds of processor time."""


def compiled(name: str, sam: SAM2Base, precision: str, directory: Path) -> OpenVinoEngine:
    """Return the engine of a loaded model; its graphs are kept in a directory and made there once."""
    folder = graphs(lambda: sam, GraphKey(name, "0", precision, "test", "test"), GraphStore(directory, keep=8))
    return OpenVinoEngine(name, folder, precision, available_cores())


def compiled_with_memory(name: str, sam: SAM2Base, precision: str, directory: Path) -> OpenVinoEngine:
    """Return the engine of a loaded model with its memory; its graphs are kept in a directory and made there once.

    Graphs are told apart by what they keep of a picture: a small model's are the same in both precisions.
    """
    store, threads = GraphStore(directory, keep=8), available_cores()
    picture = GraphKey(name, "0", decoder_precision(precision, int(sam.image_size)), "test", "test")
    memory = replace(picture, part="memory")
    folders = [graphs(lambda: sam, key, store) for key in (picture, memory)]
    conversion = Conversion(Path("none"), memory, directory, 1.0)
    tracker = MemoryGraphs(memory, store, conversion, lambda folder: compiled_tracker(folder, precision, threads))
    tracker.make()
    return OpenVinoEngine(name, folders[0], precision, threads, tracker=tracker)


def compiled_nano(precision: str) -> OpenVinoEngine:
    """Return the compiled engine of the bundled model."""
    return OpenVinoEngine("nano", nano_graphs(precision), precision, available_cores())


def nano_graphs(precision: str) -> Path:
    """Return the folder of the bundled model's graphs, which this state of the code has made."""
    entry = load_manifest().entry("nano")
    key = GraphKey("nano", entry.sha256, precision, state_of_the_code(), "test")
    return graphs(lambda: load_model(entry, BUNDLED_DIR / entry.file), key, GraphStore(KEPT, keep=4))


def graphs(load: Callable[[], SAM2Base], key: GraphKey, store: GraphStore) -> Path:
    """Return the folder of a model's graphs, which are made first where they aren't there."""
    if store.find(key) is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of every shape that it takes for constant
            convert(load, key, store, available_cores())
    folder = store.find(key)
    if folder is None:
        raise AssertionError("the conversion left nothing behind")
    return folder


@cache
def state_of_the_code() -> str:
    """Return a hash of all that decides what graphs are made of a model."""
    text = b"".join(path.read_bytes() for path in sorted((ROOT / "app" / "engine").rglob("*.py")))
    architecture = (BUNDLED_DIR / "nano.yaml").read_bytes()
    return hashlib.sha256(text + architecture + f"{openvino.__version__} {torch.__version__}".encode()).hexdigest()
