"""`python -m app segment` of several pictures: one file of what is found on each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.cli.mask_file import export_of
from app.client.joining import join_files
from app.errors import HoverError
from app.exports.selection import Selection
from app.protocol.fields import ExportFormat
from app.session.classes import ClassList


def write_all(
    pictures: Sequence[Path], out: Path, kind: ExportFormat, found_on: Callable[[Path, ClassList], Selection]
) -> str:
    """Write one file of what is found on all pictures, and return that in words.

    Args:
        pictures: their files.
        out: the file.
        kind: its format.
        found_on: returns what is found on a picture, given the classes of those before, whose numbers stay.

    Raises:
        OSError: a picture can't be read, or the file can't be written.
        HoverError: a picture or its labels are refused; the text begins with the picture's name.
        ValueError: two pictures have one name, or the files don't go together.
    """
    files, count, so_far = [], 0, ClassList()
    for picture in pictures:
        try:
            selection = found_on(picture, so_far)
            files.append(export_of(selection, kind))
        except HoverError as error:
            error.args = (f"{picture}: {error.message}",)
            raise
        count, so_far = count + len(selection.objects), selection.classes
        sys.stderr.write(f"{picture}: {len(selection.objects)} objects\n")
    out.write_bytes(join_files(files, out.name).data)
    return f"{count} objects of {len(files)} pictures"
