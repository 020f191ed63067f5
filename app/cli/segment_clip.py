"""`python -m app segment --frame N`: the masks of an object on every frame of a clip, or on one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.cli.mask_file import MAX_BYTES, format_of, frames_format_of, write_file
from app.cli.shell import EXIT_NO_MODEL, complain
from app.errors import HoverError

if TYPE_CHECKING:
    import argparse

    from app.engine.contract import Engine
    from app.protocol.fields import ExportFormat
    from app.protocol.values import ExportOptions
    from app.session.classes import ClassList
    from app.settings import Settings


def segment_clip(
    args: argparse.Namespace,
    classes: ClassList | None,
    settings: Settings,
    load: Callable[[Settings], Engine],
    options_of: Callable[[argparse.Namespace, ExportFormat], ExportOptions],
) -> int:
    """Segment a clip, or one frame of it, and write the file; return the exit code.

    Args:
        args: of the command.
        classes: every class in its order, None where no list was named.
        settings: of the environment and the options.
        load: returns the model that settings ask for.
        options_of: returns how a file of a format is made.

    Raises:
        ValueError: wrong use.
        HoverError, OSError: the clip can't be read, or not be answered.
    """
    from app.cli.local_clip import clip_bytes

    kind = frames_format_of(args.out, args.format)
    if kind == "cutout" and args.trim:
        raise ValueError("expected no --trim with a video, all frames of which have one size; leave it out")
    options = options_of(args, kind or format_of(args.out, args.format))
    data = clip_bytes(args.pictures[0])
    try:
        engine = load(settings)
    except (HoverError, ValueError) as error:
        complain(error)
        return EXIT_NO_MODEL
    told = written(engine, args, data, classes, settings, options=options)
    sys.stdout.write(f"{args.out}: {told}\n")
    return 0


def written(
    engine: Engine,
    args: argparse.Namespace,
    data: bytes,
    classes: ClassList | None,
    settings: Settings,
    *,
    options: ExportOptions,
) -> str:
    """Write what the prompt gives, on all frames or on its own, and return that in words; raises as `segment_clip`."""
    from app.cli.local_clip import LocalClip
    from app.clips import ClipLimits
    from app.engine.memory_bank import FAST, FULL
    from app.exports.frames import frame_name, frames_file
    from app.session.classes import ClassList
    from app.session.limits import SessionLimits

    name, kind = args.pictures[0].name, frames_format_of(args.out, args.format)
    clip = LocalClip(engine, data, name, ClipLimits(), part=args.part, speck_share=settings.speck_share)
    frame, count = clip.frame(args.frame), len(clip.clip.jpegs)
    item = frame.prompted(args.point, args.box, args.candidate, SessionLimits(), args.name)
    classes = ClassList() if classes is None else classes.covering([item])
    if kind is None:
        picture_kind = format_of(args.out, args.format)
        selection = frame.selection([item], frame_name(name, args.frame), classes)
        write_file(replace(selection, options=options), args.out, picture_kind)
        return f"{picture_kind}, frame {args.frame} of {count}"

    def tell(done: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done} of {count} frames")

    masks = clip.followed(item, frame, args.frame, tell, reach=FAST if args.fast else FULL)
    frames_file(kind, clip.selection(item, masks, classes, options), MAX_BYTES).copy_to(args.out)
    seen = sum(mask.area > 0 for mask in masks.values())
    rough = ", followed by likeness alone, which is rough" if getattr(engine, "is_rough_tracker", False) else ""
    return f"{kind}, {len(masks)} frames, on {seen} of them the object is seen{rough}"
