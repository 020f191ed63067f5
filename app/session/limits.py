"""What one session may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class SessionLimits:
    """Bounds of one session; the texts are those of `/limits`."""

    max_points: Annotated[int, "points of one object"] = 64
    """Each point is a step that an undo, a move or a later box predicts again, so a long trail holds up the device."""
    max_objects: Annotated[int, "objects of one picture"] = 64
    """A resumed page is sent all of them at once, and a switch to another model predicts each again."""
    max_strokes: Annotated[int, "strokes and changes of shape of one object"] = 256
    """All of them are drawn again whenever the model makes another mask of the object."""
    max_path_points: Annotated[int, "points of one stroke"] = 2048
    """A hand that paints for half a minute; the page leaves out what a straight line says as well."""
    max_paint: Annotated[int, "points of one object's strokes, each times its radius in pixels"] = 2**20
    """So much is drawn in about a second; what is shown is drawn again with each answer of the model."""
    max_trail_bytes: Annotated[int, "bytes of a picture's given masks, strokes and prompts"] = 192 * 2**10
    """They travel together when a lost session is made again, in an `open` of 256 KiB beside its picture."""
    max_tracked_objects: Annotated[int, "objects of a clip that are followed at once"] = 8
    """Each takes as long on a frame as encoding it does, or longer, and eight megabytes of what is remembered."""
    max_tracked_bytes: Annotated[int, "memory of the masks of a session's followed objects"] = 32 * 2**20
    """Thirty objects through three hundred frames of full HD; as much as its undo steps may take."""
    max_history: Annotated[int, "steps that undo can go back"] = 1000
    """More than anyone takes back by hand; a script that changes one object for ever ends here."""
    max_history_bytes: Annotated[int, "memory of one session's undo steps; the oldest go first"] = 32 * 2**20
    """Masks of replaced objects are most of a session's memory: with all sessions full of them, 2 GiB."""
