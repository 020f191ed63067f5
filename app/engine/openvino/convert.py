"""Converts a checkpoint to OpenVINO graphs: `python -m app.engine.openvino.convert`, a process of its own.

Decision: another process converts. Context: tracing and compiling take up to a minute and hold Python's lock for
seconds, while people hover. Choice: the server starts this program at the lowest priority and goes on with torch.
Price: for that minute the model is in memory twice.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.engine.openvino.graph_store import (
    COMPILED,
    ENCODER,
    MEMORY_TABLE,
    READER,
    TABLE,
    GraphKey,
    GraphStore,
    decoder_file,
    head_file,
    writer_file,
)
from app.engine.openvino.variants import HOVER, Variant, decoder_precision
from app.errors import HoverError

if TYPE_CHECKING:
    import openvino
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from sam2.modeling.sam2_base import SAM2Base
    from torch import Tensor, nn

LOWEST_PRIORITY: Final = 19
TRACED: Final = (HOVER, Variant(9, refines=False, first_mask=0), Variant(9, refines=True, first_mask=0))
"""One of each graph; the number of tokens is set when it is compiled."""
EXIT_FAILED: Final = 1


def convert(load: Callable[[], SAM2Base], key: GraphKey, store: GraphStore, threads: int) -> None:
    """Write the graphs of a model, and compile the common ones once, so that their compiled form is kept.

    Of several processes that are at it, such as workers that begin together, one does the work; the others wait for it.

    Args:
        load: loads the model in evaluation mode, on the CPU; called only where nobody else has made the graphs.
        key: what the graphs are for.
        store: where they are kept.
        threads: processor threads to use.

    Raises:
        OSError: the store can't be written.
    """
    with store.writing(key) as folder:
        if folder is not None:
            sam = load()
            from app.engine.openvino.engine import COMMON, OpenVinoEngine
            from app.engine.openvino.memory_stages import compiled_tracker
            from app.engine.sam2.features import prompt_table

            prompt_table(sam).save(folder / TABLE)
            if key.part == "memory":
                write_memory_graphs(sam, folder, key.precision)
                compiled_tracker(folder, key.precision, threads)
                return
            write_graphs(sam, folder, key.precision)
            OpenVinoEngine(key.model, folder, key.precision, threads, COMMON)
            if len(list((folder / COMPILED).glob("*.blob"))) <= len(COMMON):  # of which OpenVINO says nothing
                raise OSError("no room for the compiled graphs")


def write_graphs(sam: SAM2Base, folder: Path, precision: str) -> None:
    """Write the encoder and the three forms of the decoder in OpenVINO's own format, weights in fp32."""
    import openvino
    import torch

    from app.engine.openvino.graphs import DecoderGraph, EncoderGraph
    from app.engine.sam2.mask_decoder import ReassociatedDecoder

    decoder = ReassociatedDecoder(sam).eval()
    side, width = int(sam.image_size), int(sam.sam_prompt_encoder.embed_dim)
    grid = sam.sam_prompt_encoder.mask_input_size
    kept = torch.bfloat16 if decoder_precision(precision, side) == "bf16" else torch.float32
    with torch.inference_mode():
        encoder = traced(EncoderGraph(sam, decoder, kept), [torch.zeros(1, 3, side, side)])
        model = openvino.convert_model(encoder, input=[("pixels", [1, 3, side, side])])
        save(model, folder / ENCODER)
        terms = [torch.zeros(tuple(term.shape), dtype=kept) for term in model.outputs]
        for variant in TRACED:
            example = [*terms, torch.zeros(1, variant.tokens, width), torch.zeros(1, 1, variant.tokens)]
            if variant.refines:
                example.append(torch.zeros(1, 1, *grid))
            model = openvino.convert_model(traced(DecoderGraph(decoder, variant), example))
            save(model, folder / decoder_file(variant))


def write_memory_graphs(sam: SAM2Base, folder: Path, precision: str) -> None:
    """Write what reads and writes memories, and the decoder in the form that finds objects with them."""
    import openvino
    import torch

    from app.engine.openvino.graphs import HeadGraph
    from app.engine.sam2.mask_decoder import ReassociatedDecoder
    from app.engine.sam2.memory_modules import FoldedReader, MemoryWriter, TrackHead, memory_table

    table, side = memory_table(sam), int(sam.image_size)
    table.save(folder / MEMORY_TABLE)
    cells, width, depth = (side // int(sam.backbone_stride)) ** 2, table.no_pointer.size, table.no_object.size
    decoder = ReassociatedDecoder(sam).eval()
    kept = torch.bfloat16 if decoder_precision(precision, side) == "bf16" else torch.float32
    grid = side // 4
    with torch.inference_mode():
        features, memory, code = torch.zeros(cells, width), torch.zeros(2, cells, depth), torch.zeros(2, depth)
        pointers = torch.zeros(width // depth, depth)
        counts = torch.ones(2 * cells + len(pointers), 1)
        example = [features, memory, code, pointers, pointers, counts]
        save(openvino.convert_model(traced(FoldedReader(sam), example)), folder / READER)
        fine = torch.zeros(cells, 4, 4, width // 8, dtype=kept)
        middle = torch.zeros(cells, 4, width // 4, dtype=kept)
        head = TrackHead(sam, decoder)
        for variant in TRACED:
            example = [features, fine, middle, torch.zeros(1, variant.tokens, width), torch.zeros(1, 1, variant.tokens)]
            if variant.refines:
                example.append(torch.zeros(1, 1, grid, grid))
            save(openvino.convert_model(traced(HeadGraph(head, variant), example)), folder / head_file(variant))
        for from_logits in (False, True):
            mask = torch.zeros(1, 1, grid, grid) if from_logits else torch.zeros(1, 1, side, side)
            model = openvino.convert_model(traced(MemoryWriter(sam, from_logits=from_logits), [features, mask]))
            save(model, folder / writer_file(from_logits=from_logits))


def save(model: openvino.Model, path: Path) -> None:
    """Write a graph, its weights in fp32.

    Raises:
        OSError: it can't be written.
    """
    import openvino

    try:
        openvino.save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:  # which says no more than that a stream broke
        raise OSError(f"no room for {path.name}") from error


def traced(graph: nn.Module, example: list[Tensor]) -> TorchScriptPythonDecoder:
    """Return what OpenVINO converts: a graph as it ran once on an example.

    torch would run it three times more to compare, which takes as long as all the rest; the tests compare.
    """
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    return TorchScriptPythonDecoder(graph.eval(), example_input=tuple(example), trace_kwargs={"check_trace": False})


def main(arguments: list[str]) -> int:
    """Convert what the arguments name; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.engine.openvino.convert", description=__doc__)
    for name in ("model", "checkpoint", "directory", "sha256", "precision", "version", "processor"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--part", choices=("picture", "memory"), default="picture")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # torch's tracer warns of every shape that it takes for constant; so it should be
    if hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)

    def load() -> SAM2Base:
        import torch

        from app.engine.sam2.loader import load_model
        from app.weights.manifest import load_manifest

        torch.set_num_threads(args.threads)
        return load_model(load_manifest().entry(args.model), Path(args.checkpoint))

    key = GraphKey(args.model, args.sha256, args.precision, args.version, args.processor, args.part)
    try:
        convert(load, key, GraphStore(Path(args.directory)), args.threads)
    except HoverError as error:
        return failed(error.message)
    except OSError as error:
        return failed(f"graphs can't be kept in {args.directory} ({error}); free room there, or set HOVERSAM_CACHE_DIR")
    return 0


def failed(why: str) -> int:
    """Say to the server why nothing was made; return the exit code."""
    print(why, file=sys.stderr)  # noqa: T201
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
