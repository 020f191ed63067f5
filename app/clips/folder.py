"""A folder of frames as one file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import IO
from zipfile import ZIP_STORED, ZipFile, ZipInfo


def zipped(frames: Iterable[tuple[str, Iterable[bytes]]]) -> IO[bytes]:
    """Return a ZIP of frames, from its first byte; the same frames always give the same bytes. The caller closes it.

    Args:
        frames: the name of each, a folder before it left out, and its bytes, in their order.

    Raises:
        OSError: the disk takes them not.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
    try:
        with ZipFile(file, "w", ZIP_STORED) as archive:
            for place, (name, pieces) in enumerate(frames):  # two may have one name
                own = name.replace("\\", "/").rpartition("/")[2]
                with archive.open(ZipInfo(f"{place:06d}/{own}"), "w") as member:
                    for piece in pieces:
                        member.write(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
