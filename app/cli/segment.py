"""`python -m app segment`: masks of a prompt, a recipe or of everything, in this process, without a server."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from app.cli.arguments import box_of, color_of, part_of, point_of, window_of
from app.cli.mask_file import FORMATS, format_of, write_file
from app.cli.shell import EXIT_FAILED, EXIT_NO_MODEL, EXIT_USAGE, complain
from app.errors import HoverError
from app.settings import Settings, from_environment
from app.wording import in_words

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.exports.selection import Selection
    from app.protocol.fields import ExportFormat
    from app.protocol.recipe import Recipe
    from app.protocol.values import ExportOptions
    from app.session.classes import ClassList

OPTIONS: Final = ("model", "checkpoint", "device", "offline")
VIDEOS: Final = (".mp4", ".mov", ".m4v", ".webm", ".mkv")
EPILOG: Final = """\
Coordinates are pixels of the upright picture, from its upper left. The box and the points make one object: the box
comes first, then each point in its order goes on from what was found. A recipe has all objects of a session, as it was
exported: with its model, on the engine that it was made with, the masks are the same to the bit. With --classes a class
has the same number in every file, whatever is on the picture; a name that isn't among them is refused. The format of
FILE is --format, or the last word of its name that is one, or what its ending stands for:
  mask.png, cat.coco.json, cat.labelme.json, yolo.zip, cat.svg, cutout.png, cat.overlay.png, cat.recipe.json,
  and cat.masks.zip where there are several objects.
With --frame the file is a clip: a video (where PyAV is installed), an animation, a ZIP or a folder of frames. The
prompt is on that frame, counted from 0; its object is followed through all others, each mask in the clip's own pixels:
  clip.masks.zip (a PNG a frame), clip.coco.json, clip.yolo.zip, clip.overlay.mp4, clip.cutout.mp4,
  and of that frame alone mask.png, cutout.png, overlay.png, clip.labelme.json, clip.svg.

examples:
  python -m app segment cat.jpg --point 320,200 --out mask.png
  python -m app segment cat.jpg --box 40,60,600,420 --point 80,400,0 --out cat.coco.json
  python -m app segment cat.jpg --point 320,200 --name cat --classes classes.txt --out yolo.zip
  python -m app segment cat.jpg --recipe cat.recipe.json --out cat.overlay.png
  python -m app segment cat.jpg --labels cat.labelme.json --out cat.coco.json
  python -m app segment cat.jpg --labels rough.mask.png --refine --out cat.mask.png
  python -m app segment cat.jpg --point 320,200 --trim --edge soft --out cat.cutout.png
  python -m app segment cat.jpg --everything --out cat.coco.json
  python -m app segment photos/*.jpg --labels photos.coco.json --refine --out better.coco.json
  python -m app segment flock.jpg --point 3120,840 --window 3000,700,3256,956 --out bird.mask.png
  python -m app segment clip.gif --frame 0 --point 320,200 --out clip.masks.zip
  python -m app segment clip.mp4 --part 12,20,10 --fast --frame 0 --point 320,200 --out clip.overlay.mp4

exit codes: 0 written, 1 the picture, prompt or recipe was refused, 2 wrong use, 3 no usable model or device
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `segment`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = "Segment what a prompt points at, without a server.", EPILOG
    pictures = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, or a clip; of several one file is made"
    parser.add_argument("pictures", metavar="PICTURE", type=Path, nargs="+", help=pictures)
    parser.add_argument(
        "--point",
        metavar="X,Y[,LABEL]",
        type=point_of,
        action="append",
        default=[],
        help="a point on the object, or off it with the label 0; as often as you like",
    )
    parser.add_argument("--box", metavar="X0,Y0,X1,Y1", type=box_of, help="a box around the object")
    parser.add_argument(
        "--window",
        metavar="X0,Y0,X1,Y1",
        type=window_of,
        help="the part of the picture that the model sees by itself, so that small things come out sharp",
    )
    parser.add_argument("--frame", metavar="N", type=int, help="of a clip: the frame with the prompt, from 0")
    parser.add_argument(
        "--part",
        metavar="BEGIN,END,RATE",
        type=part_of,
        help="of a clip: from second to second, so many frames a second at most",
    )
    fast = "of a clip: follow by three frames that are remembered, sooner and less surely than by seven"
    parser.add_argument("--fast", action="store_true", help=fast)
    parser.add_argument("--recipe", metavar="RECIPE", type=Path, help="objects of a session, in place of a prompt")
    parser.add_argument("--everything", action="store_true", help="all things that are found, in place of a prompt")
    parser.add_argument(
        "--labels",
        metavar="LABELS",
        type=Path,
        help="objects of a COCO, LabelMe or YOLO file, or of a mask, in place of a prompt",
    )
    parser.add_argument("--refine", action="store_true", help="have the model make the masks of --labels sharp")
    parser.add_argument("--name", help="what the prompt's object is, its class")
    parser.add_argument(
        "--classes",
        metavar="FILE",
        type=Path,
        help="every class in its order, from a classes.txt, data.yaml or COCO JSON; default: the recipe's",
    )
    parser.add_argument("--out", metavar="FILE", type=Path, default=Path("mask.png"), help="the file (%(default)s)")
    parser.add_argument("--format", choices=FORMATS, help="its format, where its name doesn't say")
    parser.add_argument("--trim", action="store_true", help="of a cutout: cut the picture to what is seen")
    parser.add_argument("--edge", choices=("hard", "soft"), help="of a cutout: soft follows the picture (hard)")
    parser.add_argument("--ground", metavar="#RRGGBB", type=color_of, help="of a cutout: the colour behind (none)")
    parser.add_argument(
        "--tolerance", metavar="PX", type=float, help="of polygons: how far they may stray for fewer points; 0 is exact"
    )
    parser.add_argument("--candidate", type=int, metavar="N", help="take this candidate, not the best one")
    parser.add_argument(
        "--model", help="nano, tiny, small, base_plus or large; default: the recipe's, or the best one there"
    )
    parser.add_argument("--checkpoint", type=Path, help="weights of your own, of the architecture of --model")
    parser.add_argument("--device", help="cpu, cuda or mps; default: the fastest that is there")
    parser.add_argument("--offline", action="store_true", default=None, help="never fetch anything")


def main(args: argparse.Namespace) -> int:
    """Segment and write the file; return the exit code."""
    try:
        check_use(args)
        recipe = recipe_in(args.recipe) if args.recipe else None
        classes = classes_in(args.classes) if args.classes else None
        settings = settings_of(args, recipe)
        if args.frame is not None:
            from app.cli.segment_clip import segment_clip

            return segment_clip(args, classes, settings, loaded, options_of)
        several = args.everything or (args.labels and args.out.suffix.lower() == ".zip")
        count, pictures = len(recipe.objects) if recipe else 2 if several else 1, len(args.pictures)
        kind = format_of(args.out, args.format, count, pictures)
        options = options_of(args, kind)
        for picture in args.pictures:
            picture.stat()  # a name that is misspelt is told before a model is loaded
    except ValueError as error:
        complain(error)
        return EXIT_USAGE
    except (HoverError, OSError) as error:
        complain(error)
        return EXIT_FAILED
    try:
        engine = loaded(settings)
    except (HoverError, ValueError) as error:
        complain(error)
        return EXIT_NO_MODEL
    try:
        if pictures > 1:
            from app.cli.segment_several import write_all

            def found_on(picture: Path, so_far: ClassList) -> Selection:
                found, _ = found_by(engine, args, picture, classes=classes, settings=settings, so_far=so_far)
                return replace(found, options=options)

            told = write_all(args.pictures, args.out, kind, found_on)
        else:
            [picture] = args.pictures
            selection, told = found_by(engine, args, picture, recipe, classes=classes, settings=settings)
            if args.labels:
                kind = format_of(args.out, args.format, len(selection.objects))
            write_file(replace(selection, options=options), args.out, kind)
    except (HoverError, OSError, ValueError) as error:
        complain(error)
        return EXIT_USAGE if isinstance(error, ValueError) else EXIT_FAILED
    sys.stdout.write(f"{args.out}: {kind}, {told}\n")
    return 0


def check_use(args: argparse.Namespace) -> None:
    """Refuse options that make no prompt.

    Raises:
        ValueError: so it is; the text says what is missing.
    """
    prompted = bool(args.point) or args.box is not None
    if args.window is not None and not prompted:
        raise ValueError("expected --window with a --point or a --box, which it has all of")
    if args.recipe and (prompted or args.everything or args.candidate is not None or args.name is not None):
        raise ValueError("expected a --recipe alone, or a --point or a --box; a recipe has its own prompts and names")
    if args.everything and (prompted or args.candidate is not None):
        raise ValueError("expected --everything alone, or a --point or a --box; it looks for all things by itself")
    if args.labels and (prompted or args.recipe or args.everything or args.candidate is not None):
        raise ValueError("expected --labels alone, or a --point or a --box; a label file has objects of its own")
    if args.refine and not args.labels:
        raise ValueError("expected --refine with --labels, whose masks are made sharp")
    if not (prompted or args.recipe or args.labels or args.everything):
        raise ValueError("expected a --point, a --box, a --recipe, --labels or --everything, got none")
    check_frame(args)
    if args.candidate is not None and args.candidate < 0:
        raise ValueError(f"expected --candidate to count from 0, got {args.candidate}")
    if len(args.pictures) > 1 and not (args.labels or args.everything):
        raise ValueError("expected one PICTURE for a prompt or a recipe; several go with --labels or --everything")
    if not args.out.parent.is_dir():
        raise ValueError(f"expected --out in a folder that is there, got {args.out}; make {args.out.parent} first")


def check_frame(args: argparse.Namespace) -> None:
    """Refuse options that don't go with a clip, or go with nothing else; raises as `check_use`."""
    if args.frame is not None and args.window is not None:
        raise ValueError("expected --frame without --window: the model sees frames of clips whole")
    if args.frame is not None and (args.recipe or args.labels or args.everything):
        raise ValueError("expected --frame with a --point or a --box, which are on that frame")
    if (args.everything or args.labels) and (folder := next(filter(Path.is_dir, args.pictures), None)):
        raise ValueError(f"expected pictures, such as {folder / '*.jpg'}, got a folder of them")
    if args.frame is None and (args.pictures[0].is_dir() or args.pictures[0].suffix.lower() in VIDEOS):
        raise ValueError(f"expected --frame with {args.pictures[0]}: which frame of the clip the prompt is on, from 0")
    if args.frame is None and (args.part is not None or args.fast):
        option = "--fast" if args.part is None else "--part"
        raise ValueError(f"expected {option} with --frame, which says that the file is a clip")
    if args.frame is not None and args.frame < 0:
        raise ValueError(f"expected --frame to count from 0, got {args.frame}")


def options_of(args: argparse.Namespace, kind: ExportFormat) -> ExportOptions:
    """Return how the file is made.

    Raises:
        ValueError: an option is out of bounds, or the format doesn't take it.
    """
    from app.exports.options import check_options
    from app.protocol.values import ExportOptions

    given = {name: value for name in ExportOptions.__struct_fields__ if (value := getattr(args, name)) is not None}
    try:
        options = msgspec.convert(given, ExportOptions)
        check_options(kind, options)
    except msgspec.ValidationError as error:
        raise ValueError(f"--{in_words(str(error), ExportOptions)}") from error
    except HoverError as error:
        raise ValueError(str(error)) from error
    return options


def recipe_in(file: Path) -> Recipe:
    """Return the recipe in a file.

    Raises:
        OSError: it can't be read.
        BadMessageError: it is no recipe.
    """
    from app.session.recipe import read_recipe

    return read_recipe(file.read_bytes())


def classes_in(file: Path) -> ClassList:
    """Return the classes in a file.

    Raises:
        OSError: it can't be read.
        BadMessageError: it lists no classes; the text begins with the file's name.
    """
    from app.errors import BadMessageError
    from app.session.class_files import read_classes
    from app.session.classes import ClassList

    try:
        return ClassList().replaced(read_classes(file.read_bytes(), file.name))
    except BadMessageError as error:
        raise BadMessageError(f"{file}: {error.message}") from error


def settings_of(args: argparse.Namespace, recipe: Recipe | None) -> Settings:
    """Return the settings of the environment and the options; a recipe's model goes before the environment's.

    Raises:
        ValueError: one can't be read.
    """
    given = {name: value for name in OPTIONS if (value := getattr(args, name)) is not None}
    made_with = {} if recipe is None else {"model": recipe.model}
    return msgspec.convert(msgspec.structs.asdict(from_environment(os.environ)) | made_with | given, Settings)


def found_by(
    engine: Engine,
    args: argparse.Namespace,
    photo: Path,
    recipe: Recipe | None = None,
    *,
    classes: ClassList | None,
    settings: Settings,
    so_far: ClassList | None = None,
) -> tuple[Selection, str]:
    """Return what the prompt or the recipe gives on a picture, and that in words.

    Args:
        engine: the model.
        args: of the command.
        photo: the picture's file.
        recipe: to replay; None without one.
        classes: of `--classes`; None without any.
        settings: of the engine and of pictures.
        so_far: classes of the pictures before, whose numbers stay.

    Raises:
        OSError: the picture can't be read.
        HoverError: picture, prompt or recipe is refused.
    """
    from app.cli.local import LocalPicture
    from app.pictures import PictureLimits
    from app.session.classes import ClassList
    from app.session.limits import SessionLimits

    bounds, limits = SessionLimits(), PictureLimits.of(settings)
    picture = LocalPicture(engine, photo.read_bytes(), limits, speck_share=settings.speck_share)
    if args.labels:
        labels = picture.labels(args.labels, photo.name, bounds, () if classes is None else classes.names)
        for problem in labels.problems:
            sys.stderr.write(f"{args.labels}: {problem.where}: {problem.why}\n")
        items = picture.given(labels, bounds, args.name, refine=args.refine)
        grown = (so_far or ClassList()).with_listed(labels.classes).with_classes_of(items)
        classes = grown if classes is None else classes
        told = f"{len(items)} {'object' if len(items) == 1 else 'objects'}, {labels.left_out} left out"
        return picture.selection(items, photo.name, classes.covering(items)), told
    if recipe is not None or args.everything:
        items, own = (
            (picture.everything(bounds.max_objects, args.name), None)
            if recipe is None
            else picture.remade(recipe, bounds)
        )
        classes = (own or ClassList()) if classes is None else classes.covering(items)
        count = f"{len(items)} {'object' if len(items) == 1 else 'objects'}"
        return picture.selection(items, photo.name, classes), f"{count} by {engine.model}"
    item = picture.prompted(args.point, args.box, args.candidate, bounds, args.name, window=args.window)
    classes = ClassList() if classes is None else classes.covering([item])
    masks = item.answer.masks if item.answer else ()
    of = f"candidate of {len(masks)}" if len(masks) > 1 else "one candidate"
    return picture.selection([item], photo.name, classes), f"score {masks[item.chosen].score:.3f}, {of}"


def loaded(settings: Settings) -> Engine:
    """Return the model that the settings ask for.

    Raises:
        HoverError, ValueError: there is none; the text names the cure.
    """
    from app.engine.device import set_threads
    from app.engine.factory import load_engine
    from app.machine import available_cores
    from app.weights.catalogue import find_weights, known_models

    def say(line: str) -> None:
        sys.stderr.write(f"hoversam: {line}\n")

    engine = load_engine(find_weights(settings, known_models(settings), say), settings, say, convert=False)
    set_threads(available_cores())  # as many as an idle server's: with another number torch rounds differently
    return engine
