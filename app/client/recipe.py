"""The client's own recipe of a session: the picture, and every change in order. Pure.

Decision: the recipe is the list of changes as they were answered, not the objects as they are. Context: a mask depends
on all that came before it, since a click refines what the candidate chosen until then had found, and undo goes back
over all of it. Choice: making the same changes again gives the same masks and the same undo steps, bit by bit. Price:
a long session takes as long to make again as its prompts take to decode, so its length is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from app.client.values import Image, Object
from app.client.wire import Fields

Picture: TypeAlias = Path | bytes
"""A file, or the bytes of one."""
MAX_STEPS: Final = 10_000
"""Changes of one picture that are remembered; a session with more can't be made again on another server."""
CHANGES: Final = frozenset(
    {"click", "box", "move", "unpoint", "choose", "label", "delete", "clear", "undo", "redo", "model"}
)


@dataclass(frozen=True)
class Step:
    """A change that was made, under the caller's ids; `made` is the id of the object that it began, if it did."""

    fields: Fields
    made: int | None = None


@dataclass
class Recipe:
    """What it takes to make the session again.

    Attributes:
        picture: the picture that is open, None where none is or its bytes are not the client's.
        image: what the server said of it.
        name: the name that it was opened by.
        model: the model that was asked for before a picture was open.
        steps: every change since.
        whole: False once there were more changes than are remembered.
    """

    picture: Picture | None = None
    image: Image | None = None
    name: str | None = None
    model: str | None = None
    steps: list[Step] = field(default_factory=list)
    whole: bool = True

    def note(self, fields: Fields, picture: Picture | None, reply: object) -> None:
        """Note what the server has answered; what changes nothing is passed over."""
        if fields["t"] == "open" and isinstance(reply, Image):
            self.picture, self.image, self.name = picture, reply, fields.get("name")
            self.steps, self.whole = [], True
        elif fields["t"] in CHANGES and self.image is not None:
            self._add(Step(fields, made_by(fields, reply)))
        elif fields["t"] == "model":
            self.model = fields["name"]

    def _add(self, step: Step) -> None:
        if len(self.steps) >= MAX_STEPS:
            self.whole = False
        else:
            self.steps.append(step)


def made_by(fields: Fields, reply: object) -> int | None:
    """Return the id of the object that a change began, None where it began none."""
    begins = fields["t"] in {"click", "box"} and fields.get("object") is None
    return reply.id if begins and isinstance(reply, Object) else None
