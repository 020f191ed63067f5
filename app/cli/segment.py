"""`python -m app segment`: the mask of a prompt on a picture, in this process, without a server."""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from app.cli.mask_file import FORMATS, format_of, write_mask
from app.cli.shell import EXIT_FAILED, EXIT_NO_MODEL, EXIT_USAGE, complain
from app.errors import HoverError
from app.settings import Settings, from_environment

if TYPE_CHECKING:
    from app.engine.contract import Engine

OPTIONS: Final = ("model", "checkpoint", "device", "offline")
EPILOG: Final = """\
Coordinates are pixels of the upright picture, from its upper left. All points and the box are one prompt, for one
object. The format of FILE is --format, or the last word of its name that is one, or what its ending stands for:
  mask.png, cat.coco.json, cat.labelme.json, yolo.zip, cat.svg, cutout.png, cat.overlay.png, cat.recipe.json.

examples:
  python -m app segment cat.jpg --point 320,200 --out mask.png
  python -m app segment cat.jpg --box 40,60,600,420 --point 80,400,0 --out cat.coco.json

exit codes: 0 written, 1 the picture or the prompt was refused, 2 wrong use, 3 no usable model or device
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `segment`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = "Segment what a prompt points at, without a server.", EPILOG
    parser.add_argument("picture", metavar="PICTURE", type=Path, help="a JPEG, PNG or WebP picture")
    parser.add_argument(
        "--point",
        metavar="X,Y[,LABEL]",
        type=point_of,
        action="append",
        default=[],
        help="a point on the object, or off it with the label 0; as often as you like",
    )
    parser.add_argument("--box", metavar="X0,Y0,X1,Y1", type=box_of, help="a box around the object")
    parser.add_argument("--out", metavar="FILE", type=Path, default=Path("mask.png"), help="the file (%(default)s)")
    parser.add_argument("--format", choices=FORMATS, help="its format, where its name doesn't say")
    parser.add_argument("--candidate", type=int, metavar="N", help="take this candidate, not the best one")
    parser.add_argument("--model", help="nano, tiny, small, base_plus or large; default: the best one that is there")
    parser.add_argument("--checkpoint", type=Path, help="weights of your own, of the architecture of --model")
    parser.add_argument("--device", help="cpu, cuda or mps; default: the fastest that is there")
    parser.add_argument("--offline", action="store_true", default=None, help="never fetch anything")


def main(args: argparse.Namespace) -> int:
    """Segment and write the file; return the exit code."""
    try:
        check_use(args)
        given = {name: value for name in OPTIONS if (value := getattr(args, name)) is not None}
        settings = msgspec.convert(msgspec.structs.asdict(from_environment(os.environ)) | given, Settings)
        kind = format_of(args.out, args.format)
    except ValueError as error:
        complain(str(error))
        return EXIT_USAGE
    try:
        engine = loaded(settings)
    except (HoverError, ValueError) as error:
        complain(str(error))
        return EXIT_NO_MODEL
    from app.cli.one_mask import Ask, segment
    from app.pictures import PictureLimits

    limits = PictureLimits(settings.max_upload_bytes, settings.max_pixels, settings.max_side, settings.max_aspect)
    ask = Ask(tuple(args.point), args.box, args.candidate)
    try:
        found = segment(engine, args.picture.read_bytes(), limits, ask, speck_share=settings.speck_share)
        write_mask(found, args.picture.name, args.out, kind, limits)
    except (HoverError, OSError) as error:
        complain(str(error))
        return EXIT_FAILED
    of = f"candidate of {found.candidates}" if found.candidates > 1 else "one candidate"
    sys.stdout.write(f"{args.out}: {kind}, score {found.score:.3f}, {of}\n")
    return 0


def check_use(args: argparse.Namespace) -> None:
    """Refuse options that make no prompt.

    Raises:
        ValueError: so it is; the text says what is missing.
    """
    if not args.point and args.box is None:
        raise ValueError("expected a --point or a --box, got neither")
    if args.candidate is not None and args.candidate < 0:
        raise ValueError(f"expected --candidate to count from 0, got {args.candidate}")


def loaded(settings: Settings) -> Engine:
    """Return the model that the settings ask for.

    Raises:
        HoverError, ValueError: there is none; the text names the cure.
    """
    from app.models import find_weights, known_models, load_engine

    def say(line: str) -> None:
        sys.stderr.write(f"hoversam: {line}\n")

    return load_engine(find_weights(settings, known_models(settings), say), settings, say, convert=False)


def point_of(text: str) -> tuple[float, float, int]:
    """Return a point from the command line."""
    numbers = numbers_of(text)
    if len(numbers) not in (2, 3) or (len(numbers) == 3 and numbers[2] not in (0, 1)):
        raise argparse.ArgumentTypeError(f"expected X,Y or X,Y,LABEL with the label 0 or 1, got {text!r}")
    return numbers[0], numbers[1], int(numbers[2]) if len(numbers) == 3 else 1


def box_of(text: str) -> tuple[float, float, float, float]:
    """Return a box from the command line."""
    numbers = numbers_of(text)
    if len(numbers) != 4:
        raise argparse.ArgumentTypeError(f"expected X0,Y0,X1,Y1, got {text!r}")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def numbers_of(text: str) -> list[float]:
    """Return finite numbers that commas separate."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"expected numbers with commas between, got {text!r}")
    return numbers
