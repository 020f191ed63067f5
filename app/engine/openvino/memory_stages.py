"""The parts of SAM 2.1's memory as compiled graphs; fulfils `sam2.tracker.Stages`. NumPy and OpenVINO alone."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from app.arrays import Logits
from app.engine.contract import Embedding
from app.engine.failures import device_failures
from app.engine.memory_bank import FULL, POINTERS, MemoryBank
from app.engine.openvino.engine import Requests, floats, properties, tensor_of, terms_of
from app.engine.openvino.graph_store import MEMORY_TABLE, READER, TABLE, head_file, writer_file
from app.engine.openvino.variants import HOVER, Variant, decoder_precision, variant_for
from app.engine.sam2.memory import Layout, MemoryTable, Table
from app.engine.sam2.prompt_tokens import PromptTable, padded
from app.engine.sam2.tracker import HeadAnswer, MemoryTracker
from app.errors import ModelUnavailableError

if TYPE_CHECKING:
    import openvino

SLOTS: Final = (1, 3, 7, sum(FULL))
"""Numbers of memories that a reader is compiled for; others are filled up to the next of these."""
POINTER_SLOTS: Final = FULL.conditioning + POINTERS
GIVEN: Final = Variant(HOVER.tokens, refines=True, first_mask=0)
"""The head that makes the pointer of a mask that a person made."""
STRIDE: Final = 16
"""Pixels of a model's input for one cell of its features."""
FINE: Final = 4
"""The place of the features at stride 4 among a picture's terms; those at stride 8 follow, and the head reads both."""


class CompiledStages:
    """SAM 2.1's memory by OpenVINO; each call has an inference request of its own."""

    def __init__(self, folder: Path, precision: str, threads: int, side: int) -> None:
        """Take what `convert` wrote; a graph is compiled, or read as it was compiled before, when it is first needed.

        Args:
            folder: of the memory's graphs.
            precision: bf16 or fp32.
            threads: processor threads of one inference.
            side: of the model's square input in pixels.
        """
        self._side, self._cells = side, (side // STRIDE) ** 2
        self.table = MemoryTable.load(folder / MEMORY_TABLE)
        self._folder, self._precision, self._threads = folder, precision, threads
        self._width = self.table.no_pointer.size
        self._requests: dict[Hashable, Requests] = {}
        self._compiling = threading.Lock()

    def warm_up(self) -> None:
        """Compile what nearly every clip needs."""
        for slots in SLOTS[:3]:
            self._reader(slots)
        for variant in (HOVER, GIVEN):
            self._head(variant)
        for from_logits in (False, True):
            self._writer(from_logits=from_logits)

    def tokens(self, embedding: Embedding) -> Table:
        """Return the tokens of a frame; see `Stages.tokens`."""
        return floats(terms_of(embedding)[0])

    def layout(self, bank: MemoryBank) -> Layout:
        """Return the memories of a bank, filled up to the next compiled number."""
        slots = next(count for count in SLOTS if count >= len(bank.memories))
        return self.table.layout(bank, slots, POINTER_SLOTS)

    def read(self, features: Table, layout: Layout) -> Table:
        """Return a frame's features with what they took from memories; see `Stages.read`."""
        with device_failures("look at what is remembered"):
            [seen] = answered(self._reader(len(layout.memory)), [tensor_of(part) for part in (features, *layout)])
        return seen

    def head(
        self, embedding: Embedding, features: Table, prompt: Table, mask: Logits | None, *, multimask: bool
    ) -> HeadAnswer:
        """Return what the decoder finds; see `Stages.head`."""
        variant = variant_for(prompt.shape[1], refines=mask is not None, multimask=multimask)
        fine, middle = terms_of(embedding)[FINE:]
        own = [tensor_of(part) for part in (*padded(prompt, variant.tokens), *([] if mask is None else [mask]))]
        with device_failures("find an object"):
            found = answered(self._head(variant), [tensor_of(features), fine, middle, *own])
        logits, scores, presence, pointers = (part[0] for part in found)
        first = 1 if multimask and not variant.first_mask else 0  # a variant may compute one mask more
        return HeadAnswer(logits[first:], scores[first:], float(presence[0]), pointers)

    def write(self, features: Table, mask: Table, *, from_logits: bool) -> Table:
        """Return the features of a memory; see `Stages.write`."""
        with device_failures("remember an object"):
            requests = self._writer(from_logits=from_logits)
            [written] = answered(requests, [tensor_of(features), tensor_of(mask[None, None])])
        return written

    def _reader(self, slots: int) -> Requests:
        depth = self.table.no_object.size
        tokens = POINTER_SLOTS * (self._width // depth)
        shapes = [(self._cells, self._width), (slots, self._cells, depth), (slots, depth)]
        shapes += [(tokens, depth), (tokens, depth), (slots * self._cells + tokens, 1)]
        return self._compiled(READER, shapes, self._precision, is_common=slots in SLOTS[:3])

    def _head(self, variant: Variant) -> Requests:
        cells, width = self._cells, self._width
        shapes: list[tuple[int, ...]] = [(cells, width), (cells, 4, 4, width // 8), (cells, 4, width // 4)]
        shapes += [(1, variant.tokens, width), (1, 1, variant.tokens)]
        if variant.refines:
            shapes.append((1, 1, self._side // 4, self._side // 4))
        precision = decoder_precision(self._precision, self._side)
        return self._compiled(head_file(variant), shapes, precision, is_common=variant in (HOVER, GIVEN))

    def _writer(self, *, from_logits: bool) -> Requests:
        side = self._side // 4 if from_logits else self._side
        shapes = [(self._cells, self._width), (1, 1, side, side)]
        return self._compiled(writer_file(from_logits=from_logits), shapes, self._precision, is_common=True)

    def _compiled(self, file: str, shapes: Sequence[tuple[int, ...]], precision: str, *, is_common: bool) -> Requests:
        """Return the requests of a graph for inputs of these shapes; the compiled form of a common one is kept."""
        key = (file, *shapes)
        with self._compiling:
            found = self._requests.get(key)
            if found is None:
                graph = compiled_graph(self._folder / file, shapes, precision, self._threads, is_common=is_common)
                found = self._requests[key] = Requests(graph)
        return found


def compiled_graph(
    path: Path, shapes: Sequence[tuple[int, ...]], precision: str, threads: int, *, is_common: bool
) -> openvino.CompiledModel:
    """Return a graph compiled for inputs of these shapes; the compiled form of a common one is kept beside it."""
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({port: openvino.PartialShape(list(s)) for port, s in zip(model.inputs, shapes, strict=True)})
    return core.compile_model(model, "CPU", properties(precision, threads, path.parent if is_common else None))


def answered(requests: Requests, inputs: Sequence[openvino.Tensor]) -> list[Table]:
    """Return the outputs of a graph, each in memory of its own."""
    with requests.taken() as request:
        for number, tensor in enumerate(inputs):
            request.set_input_tensor(number, tensor)
        request.infer()
        return [np.array(request.get_output_tensor(number).data) for number in range(requests.outputs)]


def compiled_tracker(folder: Path, precision: str, threads: int) -> MemoryTracker:
    """Return what follows objects by a model's memory, once what nearly every clip needs is compiled.

    Raises:
        ModelUnavailableError: a file is missing or damaged, or the CPU lacks what the graphs need.
    """
    try:
        prompts = PromptTable.load(folder / TABLE)
        stages = CompiledStages(folder, precision, threads, int(prompts.input_size[0]))
        stages.warm_up()
    except Exception as error:  # OpenVINO raises RuntimeError for everything; zip and NumPy have their own
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelUnavailableError(f"the compiled memory of the model can't be used ({told[:200]})") from error
    return MemoryTracker(stages, stages.table, prompts)
