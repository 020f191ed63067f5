"""`python -m app nano`: draws scenes, trains `nano`, releases the checkpoint, and judges a model.

Needs the `train` extra (OpenCV, scikit-image, scikit-learn). From nothing to a checkpoint:

    python -m app nano draw    --pool scenes --cutouts fluent-emoji-3d/assets --photos photos
    python -m app nano train   --pool scenes --imagenet efficientnet-lite0-57934424.pth --out run
    python -m app nano release run/nano.pt
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from app.engine.contract import TrackingEngine
from app.weights.manifest import ModelEntry, load_manifest

CHECKPOINTS = Path(__file__).parent.parent.parent / "checkpoints"
DRAW_SEED = 20_261_124
JUDGE_SEED = 99
DRAWN = 3_000
SCENES = 50
CLIPS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands of the trainer."""
    commands = parser.add_subparsers(dest="nano_command", required=True, metavar="COMMAND")
    draw = commands.add_parser("draw", help="draw scenes into a folder; goes on where it was stopped")
    draw.add_argument("--pool", type=Path, required=True, help="folder of the scenes")
    draw.add_argument("--cutouts", type=Path, help="folder of RGBA pictures of things")
    draw.add_argument(
        "--photos", type=Path, help="folder with images/ and masks/ of photographs (app/nano/labelled.py)"
    )
    draw.add_argument("--count", type=int, default=DRAWN, help=f"drawn scenes, and as many of cut-out things ({DRAWN})")
    train = commands.add_parser("train", help="train on the scenes of a folder, one thread a process")
    train.add_argument("--pool", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True, help="folder for the weights and the log")
    start = train.add_mutually_exclusive_group(required=True)
    start.add_argument("--imagenet", type=Path, help="the trunk's weights; all stages run")
    start.add_argument("--start", type=Path, help="weights of nano to go on from, such as the released ones")
    train.add_argument("--processes", type=int, default=1, help="processes that share the work, one core each (1)")
    judge = commands.add_parser("judge", help="print mean IoU on held-out scenes, beside GrabCut")
    judge.add_argument("--model", default="nano")
    judge.add_argument("--checkpoint", type=Path, help="weights of that architecture; default: the ones in place")
    judge.add_argument("--cutouts", type=Path)
    judge.add_argument("--scenes", type=int, default=SCENES, help=f"of each generator ({SCENES}; some 3 s each)")
    judge.add_argument("--sheet", type=Path, help="also draw twenty prompts on held-out photographs into this PNG")
    regions = commands.add_parser("regions", help="print how many drawn things are found without a prompt")
    regions.add_argument("--model", default="nano")
    regions.add_argument("--checkpoint", type=Path, help="weights of that architecture; default: the ones in place")
    regions.add_argument("--scenes", type=int, default=SCENES, help=f"drawn ({SCENES}; some 10 s each)")
    clips = commands.add_parser("clips", help="print how well drawn objects are followed through clips")
    clips.add_argument("--model", default="nano")
    clips.add_argument("--checkpoint", type=Path, help="weights of that architecture; default: the ones in place")
    clips.add_argument("--clips", type=int, default=CLIPS)
    windows = commands.add_parser("windows", help="print how well small things are found, in windows and without")
    windows.add_argument("--model", default="nano")
    windows.add_argument("--checkpoint", type=Path, help="weights of that architecture; default: the ones in place")
    windows.add_argument("--scenes", type=int, default=100)
    dabs = commands.add_parser("dabs", help="print what a dab of the brush gains where a mask is wrong, beside a click")
    dabs.add_argument("--model", default="nano")
    dabs.add_argument("--checkpoint", type=Path, help="weights of that architecture; default: the ones in place")
    dabs.add_argument("--scenes", type=int, default=60)
    release = commands.add_parser("release", help="write the fp16 checkpoint and its line in the manifest")
    release.add_argument("weights", type=Path)


def main(args: argparse.Namespace) -> int:
    """Run one of the trainer's commands; return its exit code."""
    figures = {"judge": judge, "regions": regions, "clips": clips, "windows": windows, "dabs": dabs}
    commands = {"draw": draw, "train": train, **figures, "release": release}
    return commands[args.nano_command](args)


def draw(args: argparse.Namespace) -> int:
    """Fill the pool."""
    from app.nano.labelled import Photos, pasted_scene, save_photos
    from app.nano.pool import fill
    from app.nano.scenes import material, scene

    made_of = material(args.cutouts, held_out=False)
    drawn = partial(scene, material=made_of, photo_share=0.17, huddle_share=0.5)
    if args.photos:
        photos = Photos(args.photos)
        save_photos(photos, args.pool, DRAW_SEED)
        fill(args.pool / "pasted", args.count, DRAW_SEED, partial(pasted_scene, photos=photos))
    fill(args.pool / "drawn", args.count, DRAW_SEED, drawn)
    return 0


def train(args: argparse.Namespace) -> int:
    """Train through all stages, or the last ones."""
    from torch import multiprocessing

    from app.nano.recipe import Order, run

    args.out.mkdir(parents=True, exist_ok=True)
    order = Order(args.processes, CHECKPOINTS / "nano.yaml", args.pool, args.out, args.imagenet, args.start)
    order.meeting.unlink(missing_ok=True)
    if args.processes == 1:
        run(0, order)
    else:
        multiprocessing.spawn(run, (order,), nprocs=args.processes)  # type: ignore[attr-defined, no-untyped-call]
    return 0


def judge(args: argparse.Namespace) -> int:
    """Print the figures of a model."""
    from app.nano.judge import judge as figures
    from app.nano.judge import table
    from app.nano.other import other_scene
    from app.nano.photos import held_out_photos
    from app.nano.scenes import material, scene
    from app.nano.sheet import sheet

    engine = open_engine(args.model, args.checkpoint)
    made_of = material(args.cutouts, held_out=True)
    own = (scene(np.random.default_rng((JUDGE_SEED, i)), made_of, photo_share=0.0) for i in range(args.scenes))
    other = (other_scene(np.random.default_rng((JUDGE_SEED, i))) for i in range(args.scenes))
    tallies = {
        f"{args.scenes} held-out scenes": figures(engine, own, JUDGE_SEED),
        f"{args.scenes} scenes of another generator": figures(engine, other, JUDGE_SEED),
    }
    print(table(tallies))  # noqa: T201
    if args.sheet:
        sheet(engine, held_out_photos()).save(args.sheet)
    return 0


def regions(args: argparse.Namespace) -> int:
    """Print how much of drawn scenes is found without a prompt."""
    from app.engine.sam2.loader import load_model
    from app.nano.found import judge_regions, recall_table
    from app.nano.other import other_scene
    from app.nano.scenes import material, scene

    entry, path = weights(args.model, args.checkpoint)
    engine, reference = open_engine(args.model, args.checkpoint), load_model(entry, path)
    made_of = material(None, held_out=True)
    for name, make in (
        ("held-out scenes", partial(scene, material=made_of, photo_share=0.0)),
        ("scenes of another generator", other_scene),
    ):
        scenes = (make(np.random.default_rng((JUDGE_SEED, number))) for number in range(args.scenes))
        print(f"{args.scenes} {name}", recall_table(judge_regions(engine, reference, scenes)), sep="\n")  # noqa: T201
    return 0


def clips(args: argparse.Namespace) -> int:
    """Print how well drawn objects are followed through clips."""
    from app.nano.clips import clips_table, judge_clips
    from app.nano.moving import moving_scene
    from app.nano.scenes import material

    made_of = material(None, held_out=True)
    made = (moving_scene(np.random.default_rng((JUDGE_SEED, number)), made_of) for number in range(args.clips))
    print(clips_table(judge_clips(open_engine(args.model, args.checkpoint), made), JUDGE_SEED))  # noqa: T201
    return 0


def windows(args: argparse.Namespace) -> int:
    """Print how well clicks find small things of large drawn pictures, in windows and without."""
    from app.nano.close_up import CloseUp, small_scene
    from app.nano.scenes import material

    engine, made_of, found = open_engine(args.model, args.checkpoint), material(None, held_out=True), CloseUp()
    for number in range(args.scenes):
        rng = np.random.default_rng((JUDGE_SEED, number))
        found.add(engine, small_scene(rng, made_of), rng)
    print(found.table(engine.logits_hw[0]))  # noqa: T201
    return 0


def dabs(args: argparse.Namespace) -> int:
    """Print what one dab of the brush gains where masks of drawn things are wrong, beside one click."""
    from app.nano.dabs import Dabs
    from app.nano.other import other_scene
    from app.nano.scenes import material, scene

    engine, made_of, found = open_engine(args.model, args.checkpoint), material(None, held_out=True), Dabs()
    for number in range(args.scenes):
        for make in (partial(scene, material=made_of, photo_share=0.0), other_scene):
            rng = np.random.default_rng((JUDGE_SEED, number))
            found.add(engine, make(rng), rng)
    print(found.table())  # noqa: T201
    return 0


def open_engine(model: str, checkpoint: Path | None) -> TrackingEngine:
    """Return a loaded model on the CPU."""
    from app.engine.sam2.engine import load_torch_engine

    return load_torch_engine(*weights(model, checkpoint))


def weights(model: str, checkpoint: Path | None) -> tuple[ModelEntry, Path]:
    """Return a model and its weights: a checkpoint of its architecture, or the ones in place."""
    from app.weights.checkpoints import verified_path

    entry = load_manifest().entry(model)
    return entry, checkpoint or verified_path(entry, CHECKPOINTS)


def release(args: argparse.Namespace) -> int:
    """Write the files that ship."""
    from app.nano.release import release as write

    print(write(args.weights, CHECKPOINTS / "nano.pt", CHECKPOINTS / "manifest.json"))  # noqa: T201
    return 0
