"""The client's own copy of what was done on a picture: enough to have a server make the session again. Pure.

Decision: the client keeps objects and classes before and after each step, without masks, and compares what an answer
leaves with what was there. Context: a step's answer may be lost with its socket and be told later, with others.
Choice: steps are what made a difference; where an undo arrives at the state that the last step began from, it is that
step that was undone. Price: steps whose answers were lost together are one step, on another server only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import msgpack
from msgspec.structs import replace

from app.client.errors import RestoreError
from app.client.values import Object
from app.protocol.clips import ClipPart
from app.protocol.messages import Class, ClientMessage, Image, Redo, Undo
from app.protocol.recipe import FORMAT, VERSION, Recipe, RecipeObject, UndoStep

PictureSource: TypeAlias = Path | bytes
"""A file, or the bytes of one."""


def source_of(given: object) -> PictureSource:
    """Return a file as a caller names it, by its path or as its bytes.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(given, (bytes, bytearray, memoryview)):
        return bytes(given)
    if isinstance(given, (str, PathLike)):
        return Path(given)
    raise TypeError(f"expected the path of a file or the bytes of one, got {type(given).__name__}")


@dataclass(frozen=True)
class ClipSource:
    """A clip: a file, the bytes of one, or a folder of frames; and which part of it, None for all."""

    file: PictureSource
    part: ClipPart | None = None


LIST_HEADS_BYTES: Final = 32
"""What the names and lengths of the two lists of undo steps take."""
MAX_STEPS: Final = 4096
"""Undo steps that are remembered, and that a recipe may hold."""


@dataclass(frozen=True)
class ClientState:
    """The objects by id, without their masks, and the list of classes."""

    objects: Mapping[int, RecipeObject] = field(default_factory=dict)
    classes: tuple[Class, ...] = ()


class ClientTimeline:
    """What is there, and what was before and after each step; the next undo or redo comes last."""

    def __init__(self) -> None:
        self.now = ClientState()
        self.past: list[ClientState] = []
        self.future: list[ClientState] = []

    def begin(self, now: ClientState) -> None:
        """Forget what was done: another picture is open."""
        self.now, self.past, self.future = now, [], []

    def settle(self, asked: ClientMessage, now: ClientState, *, can_undo: bool, can_redo: bool) -> None:
        """Take note of what an answer has left.

        Args:
            asked: the message that was answered.
            now: what is there now.
            can_undo: as the server told it.
            can_redo: as the server told it.
        """
        before, self.now = self.now, now
        if self.now != before:
            if isinstance(asked, Undo):
                travelled(self.past, before, self.future, self.now)
            elif isinstance(asked, Redo):
                travelled(self.future, before, self.past, self.now)
            else:
                self.past.append(before)
                self.future.clear()
                del self.past[:-MAX_STEPS]
        if not can_undo:
            self.past.clear()
        if not can_redo:
            self.future.clear()

    def recipe(self, image: Image, name: str | None, max_bytes: int) -> Recipe:
        """Return a recipe for `open`, with as many of the nearest undo steps as there is room for.

        Args:
            image: the picture, and the model to go on with.
            name: of its file.
            max_bytes: that the recipe may take.

        Raises:
            RestoreError: not even the objects have room.
        """
        recipe = Recipe(
            format=FORMAT,
            version=VERSION,
            image_id=image.image_id,
            name=name,
            width=image.width,
            height=image.height,
            model=image.model,
            classes=self.now.classes,
            objects=tuple(self.now.objects.values()),
        )
        room = max_bytes - len(msgpack.encode(recipe)) - LIST_HEADS_BYTES
        if room < 0:
            raise RestoreError(f"the objects are too many to be sent: a recipe takes {max_bytes} bytes")
        past, room = nearest(steps_back(self.now, self.past), room)
        future, _ = nearest(steps_back(self.now, self.future), room)
        return replace(recipe, past=past, future=future)


def travelled(origin: list[ClientState], before: ClientState, behind: list[ClientState], now: ClientState) -> None:
    """Move a step from one side to the other, where it was that step."""
    behind.append(before)
    if origin and origin[-1] == now:
        origin.pop()


def nearest(steps: Iterable[UndoStep], room: int) -> tuple[tuple[UndoStep, ...], int]:
    """Return as many of the first steps as there is room for, the first one last, and the bytes that are left."""
    kept: list[UndoStep] = []
    for step in steps:
        room -= len(msgpack.encode(step))
        if room < 0:
            break
        kept.append(step)
    return tuple(reversed(kept)), room


def state_of(objects: Mapping[int, Object], classes: tuple[Class, ...]) -> ClientState:
    """Return objects and classes as a recipe has them."""
    made = {
        number: RecipeObject(id=number, name=each.name, color=each.color, trail=each.trail)
        for number, each in objects.items()
    }
    return ClientState(made, classes)


def steps_back(now: ClientState, states: list[ClientState]) -> Iterator[UndoStep]:
    """Yield the steps that lead away from now, the nearest first: what comes, what goes, and the list of classes."""
    for here, there in pairwise([now, *reversed(states)]):
        comes = tuple(made for number, made in there.objects.items() if here.objects.get(number) != made)
        goes = tuple(number for number in here.objects if number not in there.objects)
        yield UndoStep(objects=comes, gone=goes, classes=None if there.classes == here.classes else there.classes)
