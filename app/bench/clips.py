"""Following an object through a clip, stage by stage, in turns with sam2's own `SAM2VideoPredictor`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from PIL import Image as Pil

from app.arrays import ImageArray, Logits
from app.bench.engines import SIZE_HW, picture, timed
from app.bench.subjects import Subject, engine_names
from app.engine.contract import Embedding, Prompt, TrackingEngine
from app.engine.memory_bank import EMPTY_BANK, POINTERS, Memory, MemoryBank, Placed
from app.engine.sam2.memory import Layout, Table
from app.engine.sam2.tracker import HeadAnswer, MemoryTracker, Stages

if TYPE_CHECKING:
    from sam2.sam2_video_predictor import SAM2VideoPredictor

T = TypeVar("T")
REFERENCE: Final = "SAM2VideoPredictor fp32"
MEMORIES: Final = (1, 3, 7)
"""Frames that are remembered: the one that was clicked on and those before; 3 are "fast", 7 are all."""
CLICK_XY: Final = (SIZE_HW[1] / 2, SIZE_HW[0] / 2)
ATTENTION: Final = "_prepare_memory_conditioned_features"
STAGES: Final = {"_forward_sam_heads": "head", "_encode_memory_in_output": "write"}
"""sam2's names of the two stages that take as long for any number of memories."""


@dataclass
class ClipTimes:
    """Milliseconds of one engine.

    Attributes:
        encode: a frame, once for all objects on it.
        read: looking at what is remembered of an object, by the number of memories.
        head: finding the object with that.
        write: making a memory of it.
        track: all of an object on a frame but the encode, by the number of memories.
    """

    encode: list[float] = field(default_factory=list)
    read: dict[int, list[float]] = field(default_factory=lambda: {count: [] for count in MEMORIES})
    head: list[float] = field(default_factory=list)
    write: list[float] = field(default_factory=list)
    track: dict[int, list[float]] = field(default_factory=lambda: {count: [] for count in MEMORIES})

    def whole(self, memories: int) -> float:
        """Return what a frame with one object takes."""
        return median(self.encode) + median(self.track[memories])


Run = Callable[[ClipTimes], None]


def compare_clips(subject: Subject, rounds: int) -> dict[str, ClipTimes]:
    """Return the times of the reference and of every engine; the first round warms up and doesn't count.

    A model without a memory of its own is followed by likeness: it has no reference, and no stages but the encode.
    """
    frame = picture()
    runs = {REFERENCE: reference_run(subject, frame)} if subject.entry.has_memory else {}
    runs |= {name: engine_run(subject, engine, precision, frame) for name, engine, precision in engine_names()}
    times = {name: ClipTimes() for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            run(times[name] if number else ClipTimes())
    return times


def engine_run(subject: Subject, engine_name: str, precision: str | None, frame: ImageArray) -> Run:
    """Return what times one engine."""
    engine = subject.tracking_engine(engine_name, precision)
    embedding = engine.encode(frame)
    memory = engine.track(embedding, EMPTY_BANK, Prompt((CLICK_XY,), (1,))).memory
    stages = timed_stages(engine)

    def run(times: ClipTimes) -> None:
        times.encode.append(timed(lambda: engine.encode(frame)))
        for count in MEMORIES:
            if stages is not None:
                stages.read_ms, stages.head_ms, stages.write_ms = times.read[count], times.head, times.write
            bank = filled_bank(memory, count)
            times.track[count].append(timed(lambda b=bank: engine.track(embedding, b)))  # type: ignore[misc]

    return run


def filled_bank(memory: Memory, count: int) -> MemoryBank:
    """Return one memory as if it were of a frame that was clicked on and of those between."""
    between = (Placed(memory, distance, conditioning=False) for distance in range(1, count))
    placed = (Placed(memory, count, conditioning=True), *between)
    return MemoryBank(placed, placed, POINTERS)


class TimedStages:
    """A model's memory, three stages of which are timed; fulfils `tracker.Stages`.

    Attributes:
        read_ms, head_ms, write_ms: get the time of each call.
    """

    def __init__(self, stages: Stages) -> None:
        """Args: what does the work."""
        self._stages = stages
        self.read_ms: list[float] = []
        self.head_ms: list[float] = []
        self.write_ms: list[float] = []

    def tokens(self, embedding: Embedding) -> Table:
        """Return the tokens of a frame; see `Stages.tokens`."""
        return self._stages.tokens(embedding)

    def layout(self, bank: MemoryBank) -> Layout:
        """Return the memories of a bank; see `Stages.layout`."""
        return self._stages.layout(bank)

    def read(self, features: Table, layout: Layout) -> Table:
        """Return a frame's features with what they took from memories; see `Stages.read`."""
        return noted(self.read_ms, lambda: self._stages.read(features, layout))

    def head(
        self, embedding: Embedding, features: Table, prompt: Table, mask: Logits | None, *, multimask: bool
    ) -> HeadAnswer:
        """Return what the decoder finds; see `Stages.head`."""
        return noted(self.head_ms, lambda: self._stages.head(embedding, features, prompt, mask, multimask=multimask))

    def write(self, features: Table, mask: Table, *, from_logits: bool) -> Table:
        """Return the features of a memory; see `Stages.write`."""
        return noted(self.write_ms, lambda: self._stages.write(features, mask, from_logits=from_logits))


def noted(ms: list[float], work: Callable[[], T]) -> T:
    """Return what some work returns, and note how long it took."""
    found: list[T] = []
    ms.append(timed(lambda: found.append(work())))
    return found[0]


def timed_stages(engine: TrackingEngine) -> TimedStages | None:
    """Have an engine's stages timed from now on; None where it has none."""
    from app.engine.openvino.engine import OpenVinoEngine
    from app.engine.openvino.memory_graphs import MemoryGraphs
    from app.engine.sam2.engine import TorchEngine

    tracker: object = None
    if isinstance(engine, TorchEngine):
        tracker = engine._following()
    elif isinstance(engine, OpenVinoEngine) and isinstance(engine._tracker, MemoryGraphs):
        tracker = engine._tracker._made()
    if not isinstance(tracker, MemoryTracker):
        return None
    tracker._stages = stages = TimedStages(tracker._stages)
    return stages


def reference_run(subject: Subject, frame: ImageArray) -> Run:
    """Return what times sam2's predictor; a frame's encode and an object on it are steps of its propagation."""
    import torch

    model = video_predictor(subject)
    state = clip_state(model, subject.cache_dir / "frames", frame)
    model.add_new_points_or_box(state, 0, 1, points=[list(CLICK_XY)], labels=[1])
    model.propagate_in_video_preflight(state)
    prompted = state["output_dict_per_obj"][0]["cond_frame_outputs"]
    own = {name: getattr(model, name) for name in (ATTENTION, *STAGES)}

    @torch.inference_mode()
    def track(count: int) -> None:
        between = dict.fromkeys(range(1, count), prompted[0])
        kept = {"cond_frame_outputs": prompted, "non_cond_frame_outputs": between}
        model._run_single_frame_inference(
            state, kept, count, 1, False, point_inputs=None, mask_inputs=None, reverse=False, run_mem_encoder=True
        )

    @torch.inference_mode()
    def encode(count: int) -> None:
        model._get_image_feature(state, count, 1)

    def run(times: ClipTimes) -> None:
        for count in MEMORIES:  # whose frames differ, since the last one's features are kept
            times.encode.append(timed(lambda c=count: encode(c)))  # type: ignore[misc]
            sinks = {ATTENTION: times.read[count]} | {name: getattr(times, stage) for name, stage in STAGES.items()}
            for name, sink in sinks.items():
                setattr(model, name, lambda *a, do=own[name], ms=sink, **k: noted(ms, lambda: do(*a, **k)))
            times.track[count].append(timed(lambda c=count: track(c)))  # type: ignore[misc]

    return run


def clip_state(model: SAM2VideoPredictor, folder: Path, frame: ImageArray) -> dict[str, Any]:
    """Return what sam2's predictor keeps of a clip whose frames are all the same picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(MEMORIES[-1] + 1):
        Pil.fromarray(frame).save(folder / f"{number}.jpg")
    with warnings.catch_warnings(), redirect_stderr(StringIO()):  # where it shows a bar
        warnings.simplefilter("ignore")
        return cast("dict[str, Any]", model.init_state(str(folder)))


def video_predictor(subject: Subject) -> SAM2VideoPredictor:
    """Return sam2's predictor of clips on the same weights."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    from app.engine.sam2.loader import STABILITY_RULE, config_text, read_checkpoint

    config = OmegaConf.create(config_text(subject.entry))
    config.model._target_ = "sam2.sam2_video_predictor.SAM2VideoPredictor"
    OmegaConf.update(config, "model.sam_mask_decoder_extra_args", STABILITY_RULE, force_add=True)
    model = instantiate(config.model, _recursive_=True)
    model.load_state_dict(read_checkpoint(subject.weights.path))
    return cast("SAM2VideoPredictor", model.eval().requires_grad_(False))


def clips_table(times: dict[str, ClipTimes]) -> str:
    """Return the figures as a Markdown table: medians, and how many times sooner than the reference."""
    base = times.get(REFERENCE)
    counts = [f"{count} {'memory' if count == 1 else 'memories'}" for count in MEMORIES]
    columns = ["ms", "encode", *(f"attention, {each}" for each in counts), "head", "memory encoder"]
    columns += [f"frame and object, {each}" for each in counts]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, each in times.items():
        stages = [each.encode, *each.read.values(), each.head, each.write]
        cells = [name, *(f"{median(values):.0f}" if values else "" for values in stages)]
        for count in MEMORIES:
            sooner = f" ({base.whole(count) / each.whole(count):.2f}x)" if base else ""
            cells.append(f"{each.whole(count):.0f}{sooner}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def as_json(times: dict[str, ClipTimes]) -> dict[str, object]:
    """Return the medians for a file."""
    base = times.get(REFERENCE)
    return {
        name: {
            "encode_p50_ms": median(each.encode),
            "attention_p50_ms": {str(count): median(ms) for count, ms in each.read.items() if ms},
            "head_p50_ms": median(each.head) if each.head else None,
            "memory_encoder_p50_ms": median(each.write) if each.write else None,
            "track_p50_ms": {str(count): median(ms) for count, ms in each.track.items()},
            "ratio": {str(count): base.whole(count) / each.whole(count) for count in MEMORIES} if base else None,
        }
        for name, each in times.items()
    }
