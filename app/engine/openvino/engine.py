"""SAM 2.1 on x86 CPUs by OpenVINO: graphs of fixed shape, bound once to memory that is shared with the embedding.

Fulfils `contract.Engine` from the files that `convert` wrote; the torch model itself isn't needed any more.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from app.arrays import ImageArray, MaskArray
from app.engine.contract import Candidates, Embedding, Prompt, Tracked
from app.engine.failures import device_failures
from app.engine.memory_bank import Memory, MemoryBank
from app.engine.openvino.graph_store import COMPILED, ENCODER, TABLE, decoder_file
from app.engine.openvino.variants import HOVER, Variant, decoder_precision, variant_for
from app.engine.sam2.edges import EdgeGuide, along_edges, edge_guide
from app.engine.sam2.likeness import FeatureMaps, LikenessTracker
from app.engine.sam2.memory import Table, floats_of
from app.engine.sam2.pixels import check_image, model_input
from app.engine.sam2.prompt_tokens import PromptTable, padded
from app.engine.sam2.prompts import shape_of, stacked_mask_logits, tokens
from app.engine.sam2.selection import selected
from app.errors import ModelUnavailableError

if TYPE_CHECKING:
    import openvino

    from app.engine.sam2.engine import TorchEmbedding

TERMS: Final = 6
"""Inputs of a decoder that come from the picture, before the prompt's own."""
LOOK_MS: Final = 1
"""So often an encode that nobody waits for looks whether others want the device."""
COMMON: Final = (
    HOVER,
    Variant(9, refines=False, first_mask=0),
    Variant(9, refines=True, first_mask=0),
    Variant(12, refines=True, first_mask=0),
)
"""Decoders of a hover, a box, and the second to fourth click on an object: their compiled form is kept on the disk.

Read from there, each takes a tenth of a second and 25 to 50 MB, once.
"""


@dataclass(frozen=True, eq=False)
class OpenVinoEmbedding:
    """What is known of one picture: the six image terms in the precision and layout of the compiled decoders.

    Attributes:
        size_hw: height and width of the picture in pixels.
        terms: OpenVINO tensors, bf16 or fp32.
        guide: where its edges are, None where the model needs no help with rims.
    """

    size_hw: tuple[int, int]
    terms: tuple[openvino.Tensor, ...]
    guide: EdgeGuide | None

    @property
    def nbytes(self) -> int:
        """Bytes that terms and guide hold in memory."""
        return sum(int(term.byte_size) for term in self.terms) + (self.guide.nbytes if self.guide else 0)


class Tracker(Protocol):
    """What follows objects, see `contract.TrackingEngine`; it may have to be made first."""

    @property
    def is_rough(self) -> bool:
        """Whether it goes by likeness alone."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether it is made."""
        ...

    def prepare(self) -> None:
        """Begin to make it. Returns at once."""
        ...

    def track(self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None, pick: int | None) -> Tracked:
        """Return one object on one frame."""
        ...

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> Memory:
        """Return what to remember of an object whose mask is known."""
        ...

    def close(self) -> None:
        """Stop making it."""
        ...


class OpenVinoEngine:
    """A SAM 2.1 model in compiled form; fulfils `contract.Engine`.

    Encodes and decodes may run side by side; each call has an inference request of its own.
    """

    device = "cpu"

    def __init__(
        self,
        name: str,
        folder: Path,
        precision: str,
        threads: int,
        decoders: Sequence[Variant] = (HOVER,),
        *,
        tracker: Tracker | None = None,
    ) -> None:
        """Compile the encoder and some decoders, or read what was compiled before.

        Args:
            name: of the model.
            folder: what `convert` wrote.
            precision: bf16 or fp32.
            threads: processor threads of one inference.
            decoders: those to begin with; others follow when a prompt needs them. A hover's answers first clicks too.
            tracker: what follows objects through clips, None for by likeness alone.

        Raises:
            ModelUnavailableError: a file is missing or damaged, or the CPU lacks what the graphs need.
        """
        self.model, self.precision = name, precision
        self.runtime = f"OpenVINO {precision}"
        self._folder, self._threads = folder, threads
        self._tracker = tracker or LikenessTracker(self.decode, self._feature_maps)
        try:
            self._table = PromptTable.load(folder / TABLE)
            self._decoder_precision = decoder_precision(precision, self.input_size)
            self._encoder = Requests(compiled_encoder(folder, precision, threads))
            self._decoders: dict[Variant, Requests] = {}
            self._compiling = threading.Lock()
            for variant in decoders:
                self._decoder(variant)
        except Exception as error:  # OpenVINO raises RuntimeError for everything; zip and NumPy have their own
            told = " ".join(f"{type(error).__name__}: {error}".split())
            raise ModelUnavailableError(f"the compiled graphs of {name} can't be used ({told[:200]})") from error

    @property
    def input_size(self) -> int:
        """Side of the model's square input in pixels."""
        return int(self._table.input_size[0])

    @property
    def logits_hw(self) -> tuple[int, int]:
        """The grid of its logits; see `contract.Engine.logits_hw`."""
        return self.input_size // 4, self.input_size // 4

    def encode(self, image: ImageArray) -> OpenVinoEmbedding:
        """Return the embedding of a picture; see `contract.Engine.encode`."""
        with self._encoding(image) as (request, embedding):
            request.infer()
        return embedding

    def encode_while(self, image: ImageArray, is_free: Callable[[], bool]) -> OpenVinoEmbedding | None:
        """Return the embedding of a picture that nobody waits for, or None; see `contract.Engine.encode_while`."""
        with self._encoding(image) as (request, embedding):
            request.start_async()
            while not request.wait_for(LOOK_MS):
                if not is_free():
                    stop(request)
                    return None
        return embedding

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return one `Candidates` per prompt, in order; see `contract.Engine.decode`.

        One by one: four hovers in one batch take 0.84 of the time of four alone (measured on two cores, tiny, bf16), so
        each would be answered after 3.4 decodes, where in turn they are answered after 1 to 4, 2.5 on average.
        """
        guide = own(embedding).guide
        if not prompts:
            raise ValueError("decode needs at least one prompt, got none")
        return [along_edges(self._decode_one(embedding, prompt), guide) for prompt in prompts]

    @property
    def is_rough_tracker(self) -> bool:
        """Whether it follows objects by likeness alone; see `contract.TrackingEngine`."""
        return self._tracker.is_rough

    @property
    def can_track(self) -> bool:
        """Whether what follows objects is compiled; see `contract.TrackingEngine`."""
        return self._tracker.is_ready

    def prepare_tracking(self) -> None:
        """Begin to compile what follows objects; see `contract.TrackingEngine.prepare_tracking`."""
        self._tracker.prepare()

    def track(
        self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None = None, pick: int | None = None
    ) -> Tracked:
        """Return one object on one frame of a clip; see `contract.TrackingEngine.track`."""
        return self._tracker.track(embedding, bank, prompt, pick)

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> Memory:
        """Return what to remember of an object; see `contract.TrackingEngine.remember`."""
        return self._tracker.remember(embedding, mask_hw)

    def close(self) -> None:
        """Stop what compiles what follows objects, if it runs; see `contract.Engine.close`."""
        self._tracker.close()

    def adopt(self, embedding: TorchEmbedding) -> OpenVinoEmbedding:
        """Return the embedding that the torch engine made of a picture, in this engine's precision."""
        import torch

        kept = torch.bfloat16 if self._decoder_precision == "bf16" else torch.float32
        arrays = (term.to("cpu", kept) for term in embedding.terms)
        return OpenVinoEmbedding(
            embedding.size_hw,
            tuple(tensor_of((a.view(torch.uint16) if kept is torch.bfloat16 else a).numpy()) for a in arrays),
            embedding.guide,
        )

    @contextmanager
    def _encoding(self, image: ImageArray) -> Iterator[tuple[Any, OpenVinoEmbedding]]:
        """Give a request that is bound to a picture and to the embedding that it fills."""
        check_image(image)
        with device_failures("encode a picture"), self._encoder.taken() as request:
            square = model_input(image, self.input_size)
            pixels = tensor_of(square)  # kept until the answer, as in `_decode_one`
            request.set_input_tensor(0, pixels)
            terms = self._encoder.fresh_outputs()
            for number, term in enumerate(terms):
                request.set_output_tensor(number, term)
            guide = edge_guide(square, self.logits_hw[0])
            yield request, OpenVinoEmbedding((image.shape[0], image.shape[1]), terms, guide)

    def _feature_maps(self, embedding: Embedding) -> FeatureMaps:
        """Return what is kept of a frame, as a tracker by likeness reads it."""
        tokens, *_, fine, middle = map(floats, terms_of(embedding))
        return FeatureMaps(tokens - self._table.no_mask, fine, middle)

    def _decode_one(self, embedding: Embedding, prompt: Prompt) -> Candidates:
        shape = shape_of(prompt)
        prompt_tokens = self._table.tokens(*tokens([prompt], embedding.size_hw, self.input_size))
        mask_logits = stacked_mask_logits([prompt], self.logits_hw)
        variant = variant_for(prompt_tokens.shape[1], refines=shape.refines, multimask=shape.multimask)
        with device_failures("prepare for a prompt"):
            requests = self._decoder(variant)
        own = [*padded(prompt_tokens, variant.tokens), *([] if mask_logits is None else [mask_logits])]
        inputs = [*terms_of(embedding), *map(tensor_of, own)]  # kept until the answer: a request doesn't own its inputs
        with device_failures("decode a prompt"), requests.taken() as request:
            for number, term in enumerate(inputs):
                request.set_input_tensor(number, term)
            request.infer()
            logits, scores = (np.array(request.get_output_tensor(number).data[0]) for number in range(2))
        return selected(logits, scores, multimask=prompt.multimask)

    def _decoder(self, variant: Variant) -> Requests:
        """Return the decoder of a variant, compiled now if need be (a fraction of a second)."""
        found = self._decoders.get(variant)
        if found is None:
            with self._compiling:
                found = self._decoders.get(variant)
                if found is None:
                    shapes = self._encoder.output_shapes()
                    found = Requests(
                        compiled_decoder(self._folder, variant, self._decoder_precision, self._threads, shapes)
                    )
                    self._decoders[variant] = found
        return found


def terms_of(embedding: Embedding) -> tuple[openvino.Tensor, ...]:
    """Return what the decoder keeps of a picture, see `own`."""
    return own(embedding).terms


def own(embedding: Embedding) -> OpenVinoEmbedding:
    """Return an embedding of this kind of engine.

    Raises:
        TypeError: another engine made it.
    """
    if not isinstance(embedding, OpenVinoEmbedding):
        raise TypeError(f"this engine decodes an OpenVinoEmbedding, got {type(embedding).__name__}")
    return embedding


def floats(tensor: openvino.Tensor) -> Table:
    """Return a tensor of float32 or bf16 as an array of float32."""
    if tensor.element_type.get_type_name() == "bf16":
        bits = np.asarray(tensor.data).view(np.uint16)
        return floats_of(bits)
    values: Table = np.asarray(tensor.data)
    return values


class Requests:
    """The inference requests of one compiled graph: one for each call that runs at the moment, kept for the next."""

    def __init__(self, graph: openvino.CompiledModel) -> None:
        self._graph = graph
        self._free = [graph.create_infer_request()]

    @contextmanager
    def taken(self) -> Iterator[Any]:
        """Give a request that nobody else uses inside the `with`; one that failed is not used again."""
        try:
            request = self._free.pop()
        except IndexError:
            request = self._graph.create_infer_request()
        yield request
        self._free.append(request)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return len(self._graph.outputs)

    def output_shapes(self) -> list[tuple[int, ...]]:
        """Return the shape of every output."""
        return [tuple(port.get_shape()) for port in self._graph.outputs]

    def fresh_outputs(self) -> tuple[openvino.Tensor, ...]:
        """Return memory for every output, which the caller keeps."""
        import openvino

        return tuple(openvino.Tensor(port.get_element_type(), port.get_shape()) for port in self._graph.outputs)


def stop(request: openvino.InferRequest) -> None:
    """End a request that runs after the operation that it is at, and return once it has ended."""
    request.cancel()
    with suppress(RuntimeError):  # which says that it was ended, unless it was done
        request.wait()


def compiled_encoder(folder: Path, precision: str, threads: int) -> openvino.CompiledModel:
    """Return the encoder of a folder; its compiled form is kept beside it."""
    import openvino

    return openvino.Core().compile_model(folder / ENCODER, "CPU", properties(precision, threads, folder))


def compiled_decoder(
    folder: Path, variant: Variant, precision: str, threads: int, terms: list[tuple[int, ...]]
) -> openvino.CompiledModel:
    """Return a decoder for prompts of a fixed number of tokens on terms of these shapes."""
    import openvino

    core = openvino.Core()
    model = core.read_model(folder / decoder_file(variant))
    cells, width = terms[0]
    shapes = [*terms, (1, variant.tokens, width), (1, 1, variant.tokens)]
    if variant.refines:
        side = 4 * math.isqrt(cells)
        shapes.append((1, 1, side, side))
    model.reshape({port: openvino.PartialShape(list(s)) for port, s in zip(model.inputs, shapes, strict=True)})
    keep_in = folder if variant in COMMON else None  # the seal of the folder was set before any other is compiled
    return core.compile_model(model, "CPU", properties(precision, threads, keep_in))


def properties(precision: str, threads: int, keep_in: Path | None) -> dict[str, str]:
    """Return how graphs are compiled: for the soonest single answer, on a number of threads, pinned to no core.

    Args:
        precision: bf16 or fp32.
        threads: of one inference.
        keep_in: the folder of the graphs, where the compiled form is kept; None keeps it nowhere.
    """
    kept = {} if keep_in is None else {"CACHE_DIR": str(keep_in / COMPILED)}
    return kept | {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(threads),
        "ENABLE_CPU_PINNING": "NO",
    }


def tensor_of(array: NDArray[Any]) -> openvino.Tensor:
    """Return a tensor on an array's memory: float32, or the bits of bf16 as uint16."""
    import openvino

    kept = np.ascontiguousarray(array)
    if kept.dtype == np.uint16:
        return openvino.Tensor(kept, openvino.Shape(list(kept.shape)), openvino.Type.bf16)
    return openvino.Tensor(kept, shared_memory=True)
