"""A folder that servers share."""

from __future__ import annotations

from pathlib import Path

from app.service.bounded_folder import Bounds
from app.service.shared_folder import SharedFolder


def shared_at(path: Path, *, timeout_s: float = 20.0, max_picture_bytes: int = 10**6) -> SharedFolder:
    """Return one server's view of a folder, made now if need be."""
    roomy = Bounds(max_bytes=10**7, max_files=100, max_age_s=3600.0)
    folder = SharedFolder(
        path,
        pictures=roomy,
        clips=roomy,
        files=roomy,
        max_picture_bytes=max_picture_bytes,
        max_clip_bytes=10**6,
        timeout_s=timeout_s,
    )
    folder.prepare()
    return folder
