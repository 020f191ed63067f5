"""From weights to a running engine: in compiled form where that runs, else on torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.engine.contract import Engine
from app.engine.device import pick_device
from app.engine.limits import EngineLimits
from app.engine.openvino.runtime import Runtime, detect, why_not
from app.errors import ModelUnavailableError
from app.machine import available_cores
from app.settings import Settings
from app.weights.catalogue import Say, Weights
from app.weights.checkpoints import remembered_sha256

Load = Callable[[Weights, Settings, Say], Engine]
"""`load_engine`, or what a test has in its place."""


def load_engine(
    weights: Weights, settings: Settings, say: Say, *, convert: bool = True, limits: EngineLimits | None = None
) -> Engine:
    """Return the model on its device: in compiled form where that runs, else on torch.

    Args:
        weights: the model.
        settings: the device and engine to use, and where compiled models are kept.
        say: told what is loaded.
        convert: begin to compile the model where that wasn't done yet; False is for a program that soon ends.
        limits: how long that may take; None for the usual.

    Raises:
        ModelUnavailableError: the file isn't of this model, or is damaged; or the engine that was asked for can't run.
        ValueError: the device is unknown or not there.
    """
    choice = pick_device(settings.device)
    runtime = compiled_runtime(choice.name, settings, say)
    if runtime is None:
        from app.engine.sam2.engine import load_torch_engine  # torch takes seconds to import

        say(f"loading {weights.entry.name} on {choice.name} ({choice.reason})")
        return load_torch_engine(weights.entry, weights.path, choice.name)
    conversion_s = (limits or EngineLimits()).conversion_timeout_s if convert else None
    return load_compiled(weights, settings, runtime, say, conversion_s)


def compiled_runtime(device: str, settings: Settings, say: Say) -> Runtime | None:
    """Return what compiled graphs run on, or None where torch runs the model.

    Args:
        device: where the model goes.
        settings: the engine and the precision to use.
        say: told why OpenVINO isn't used though it is there.

    Raises:
        ModelUnavailableError: OpenVINO, or its precision, was asked for and can't be had; the text names the cure.
    """
    if settings.engine == "torch":
        return None
    if obstacle := why_not(device):
        if settings.engine == "openvino":
            raise ModelUnavailableError(f"OpenVINO can't be used: {obstacle}; or use --engine torch")
        return None
    try:
        return detect(settings.precision)
    except ModelUnavailableError as error:
        if settings.engine == "openvino" or settings.precision is not None:
            raise
        say(error.message)
        return None


def load_compiled(
    weights: Weights, settings: Settings, runtime: Runtime, say: Say, conversion_s: float | None
) -> Engine:
    """Return the model in compiled form, or on torch until a conversion that begins now has made it.

    Args:
        weights: the model.
        settings: where compiled models are kept.
        runtime: what they run on.
        say: told what is loaded.
        conversion_s: how long a conversion may take; None for none, where torch goes on.

    Raises:
        ModelUnavailableError: the file isn't of this model, or is damaged.
    """
    from app.engine.openvino.engine import OpenVinoEngine
    from app.engine.openvino.graph_store import GraphKey, GraphStore, check_seal
    from app.engine.openvino.hot_swap import Conversion, HotSwapEngine
    from app.engine.openvino.memory_graphs import MemoryGraphs
    from app.engine.openvino.memory_stages import compiled_tracker

    name = weights.entry.name
    sha256 = weights.entry.sha256 if weights.published else remembered_sha256(weights.path, settings.hashes_file)
    key = GraphKey(name, sha256, runtime.precision, runtime.version, runtime.processor)
    directory = settings.graphs_dir
    store, threads = GraphStore(directory), settings.threads or available_cores()

    def tracker() -> MemoryGraphs | None:
        if not weights.entry.has_memory:
            return None
        own = replace(key, part="memory")
        timeout_s = conversion_s or EngineLimits().conversion_timeout_s  # nothing else can follow an object
        conversion = Conversion(weights.path, own, directory, timeout_s)
        return MemoryGraphs(own, store, conversion, lambda folder: compiled_tracker(folder, own.precision, threads))

    def compiled() -> OpenVinoEngine:
        folder = store.find(key)
        if folder is None:
            raise ModelUnavailableError(f"no compiled graphs of {name} in {directory}")
        check_seal(folder)
        return OpenVinoEngine(name, folder, runtime.precision, threads, tracker=tracker())

    if store.find(key) is not None:
        try:
            say(f"loading {name} on cpu (OpenVINO, {runtime.precision}, compiled before)")
            return compiled()
        except ModelUnavailableError as error:
            say(f"{error.message}; converting it again")
            store.discard(key)
    say(f"loading {name} on cpu (torch{', until OpenVINO has compiled it' if conversion_s else ''})")
    from app.engine.sam2.engine import load_torch_engine  # torch takes seconds, and no compiled model needs it

    reference = load_torch_engine(weights.entry, weights.path, "cpu")
    if conversion_s is None:
        return reference
    conversion = Conversion(weights.path, key, directory, conversion_s)
    return HotSwapEngine(reference, conversion, compiled)
