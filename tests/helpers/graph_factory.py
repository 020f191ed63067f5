"""Compiled engines of models that tests have in memory."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.openvino.convert import convert
from app.engine.openvino.engine import OpenVinoEngine
from app.engine.openvino.graph_store import GraphKey, GraphStore
from app.machine import available_cores

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base


def compiled(name: str, sam: SAM2Base, precision: str, directory: Path) -> OpenVinoEngine:
    """Return the engine of a loaded model; its graphs are kept in a directory and made there once."""
    store, key = GraphStore(directory, keep=8), GraphKey(name, "0", precision, "test", "test")
    if store.find(key) is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of every shape that it takes for constant
            convert(sam, key, store, available_cores())
    folder = store.find(key)
    if folder is None:
        raise AssertionError("the conversion left nothing behind")
    return OpenVinoEngine(name, folder, precision, available_cores())
