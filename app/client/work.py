"""The client's own copy of what was done on a picture: enough to have a server make the session again. Pure.

Decision: the client keeps the objects before and after each step, without masks, and compares what an answer leaves
with what was there. Context: a step's answer may be lost with its socket and be told later, together with others.
Choice: steps are what made a difference; where an undo arrives at the state that the last step began from, it is that
step that was undone. Price: steps whose answers were lost together are one step, on another server only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgpack

from app.client.errors import RestoreError
from app.client.values import Image, Object

Picture: TypeAlias = Path | bytes
"""A file, or the bytes of one."""
Made: TypeAlias = dict[str, Any]
"""An object as a recipe has it: id, name, color, trail."""
State: TypeAlias = Mapping[int, Made]
MAX_RECIPE_BYTES: Final = 256 * 2**10
"""What a recipe and the message around it may take."""
MAX_STEPS: Final = 4096
"""Undo steps that are remembered, and that a recipe may hold."""


class Work:
    """The objects as they are, and those before and after each step; the next undo or redo comes last."""

    def __init__(self) -> None:
        self.now: State = {}
        self.past: list[State] = []
        self.future: list[State] = []

    def begin(self, objects: Mapping[int, Object]) -> None:
        """Forget what was done: another picture is open."""
        self.now, self.past, self.future = state_of(objects), [], []

    def settle(self, kind: str, objects: Mapping[int, Object], *, can_undo: bool, can_redo: bool) -> None:
        """Take note of what an answer has left.

        Args:
            kind: of the message that was answered.
            objects: as they are now.
            can_undo: as the server told it.
            can_redo: as the server told it.
        """
        before, self.now = self.now, state_of(objects)
        if self.now != before:
            if kind == "undo":
                travelled(self.past, before, self.future, self.now)
            elif kind == "redo":
                travelled(self.future, before, self.past, self.now)
            else:
                self.past.append(before)
                self.future.clear()
                del self.past[:-MAX_STEPS]
        if not can_undo:
            self.past.clear()
        if not can_redo:
            self.future.clear()

    def recipe(self, image: Image, name: str | None, model: str, max_bytes: int) -> dict[str, Any]:
        """Return a recipe for `open`, with as many of the nearest undo steps as there is room for.

        Args:
            image: the picture.
            name: of its file.
            model: that the session is to go on with.
            max_bytes: that the recipe may take.

        Raises:
            RestoreError: not even the objects have room.
        """
        head = {"format": "hoversam-recipe", "version": 1, "image_id": image.image_id, "name": name, "model": model}
        recipe = {**head, "width": image.width, "height": image.height, "objects": [*self.now.values()]}
        room = max_bytes - len(msgpack.packb(recipe))
        if room < 0:
            raise RestoreError(f"the objects are too many to be sent: a recipe takes {max_bytes} bytes")
        for field, states in (("past", self.past), ("future", self.future)):
            kept: list[dict[str, Any]] = []
            for step in steps_back(self.now, states):
                room -= len(msgpack.packb(step)) + len(field) + 8  # the field's name, and the length of the list
                if room < 0:
                    break
                kept.insert(0, step)
            recipe[field] = kept
        return recipe


def travelled(origin: list[State], before: State, behind: list[State], now: State) -> None:
    """Move a step from one side to the other, where it was that step."""
    behind.append(before)
    if origin and origin[-1] == now:
        origin.pop()


def state_of(objects: Mapping[int, Object]) -> State:
    """Return objects as a recipe has them."""
    return {
        number: {"id": number, "name": each.name, "color": each.color, "trail": each.trail}
        for number, each in objects.items()
    }


def steps_back(now: State, states: list[State]) -> Iterator[dict[str, Any]]:
    """Yield the steps that lead away from now, the nearest first: what comes, and what goes."""
    for here, there in pairwise([now, *reversed(states)]):
        comes = [made for number, made in there.items() if here.get(number) != made]
        yield {"objects": comes, "gone": [number for number in here if number not in there]}
