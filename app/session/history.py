"""One undo and redo timeline over everything that a person does to the objects of a picture. Pure values.

Decision: a step is the whole picture's objects, with the list of classes, not a command that can be reversed. Context:
steps share what they have in common, since objects never change in place. Choice: undo is a lookup and can't drift.
Price: each step keeps its object's logits, so the history is bounded by bytes as well as by steps; the oldest go first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from app.session.classes import ClassList
from app.session.objects import SessionObject

Objects = Mapping[int, SessionObject]
"""Objects by id, in the order in which they were made."""
ENTRY_BYTES: Final = 8
"""What a list of classes takes for each: steps share the classes themselves."""


@dataclass(frozen=True)
class State:
    """What a step of the history is: the objects of the picture, and the list of classes."""

    objects: Objects = field(default_factory=dict)
    classes: ClassList = field(default_factory=ClassList)

    def color_of(self, id_: int) -> int | None:
        """Return the colour in which an object is shown; None where there is no such object."""
        item = self.objects.get(id_)
        return None if item is None else self.classes.color_of(item)


class Timeline:
    """The state now, and the steps before and after."""

    def __init__(self, max_steps: int, max_bytes: int, classes: ClassList | None = None) -> None:
        """Begin without a past, whose oldest step is forgotten beyond either bound.

        Args:
            max_steps: that undo can go back.
            max_bytes: of the masks and logits that they keep.
            classes: to begin with.
        """
        self._max_steps, self._max_bytes = max_steps, max_bytes
        self._past: deque[tuple[State, int]] = deque()
        self._past_bytes = 0
        self._future: list[State] = []
        self.now = State(classes=classes or ClassList())

    @property
    def can_undo(self) -> bool:
        """True where there is a step back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True where a step was undone and nothing done since."""
        return bool(self._future)

    def adopt(self, past: Sequence[State], now: State, future: Sequence[State]) -> None:
        """Take over what was done elsewhere, where no step was made here; the next undo and redo come last."""
        self._past = deque((before, step_bytes(before, after)) for before, after in pairwise((*past, now)))
        self._past_bytes = sum(nbytes for _, nbytes in self._past)
        self.now, self._future = now, [*future]
        self._forget()

    def put(self, *changed: SessionObject, classes: ClassList | None = None, gone: Collection[int] = ()) -> None:
        """Make a step: objects are new or changed, some gone, and the list of classes is another where it is given."""
        objects = {**self.now.objects, **{item.id: item for item in changed}}
        objects = {id_: item for id_, item in objects.items() if id_ not in gone}
        self._future.clear()
        self._remember(State(objects, self.now.classes if classes is None else classes))

    def remove(self, ids: set[int]) -> None:
        """Make a step: objects are gone. No step where none of them is there."""
        if ids & self.now.objects.keys():
            kept = {id_: item for id_, item in self.now.objects.items() if id_ not in ids}
            self._future.clear()
            self._remember(State(kept, self.now.classes))

    def undo(self) -> None:
        """Go one step back, where there is one."""
        if self._past:
            before, nbytes = self._past.pop()
            self._past_bytes -= nbytes
            self._future.append(self.now)
            self.now = before

    def redo(self) -> None:
        """Go one step forward again, where there is one."""
        if self._future:
            self._remember(self._future.pop())

    @property
    def before(self) -> State:
        """The state that `undo` would bring back."""
        return self._past[-1][0] if self._past else self.now

    @property
    def after(self) -> State:
        """The state that `redo` would bring back."""
        return self._future[-1] if self._future else self.now

    def rewrite(self, change: Callable[[SessionObject], SessionObject]) -> None:
        """Put another object in the place of each, in every step; itself not a step.

        An object that several steps share is changed once and stays shared.
        """
        old = [*(state for state, _ in self._past), self.now, *self._future]  # also keeps every id() taken
        new: dict[int, SessionObject] = {}
        for item in (item for state in old for item in state.objects.values()):
            if id(item) not in new:
                new[id(item)] = change(item)
        states = [replace(state, objects={id_: new[id(item)] for id_, item in state.objects.items()}) for state in old]
        now = len(self._past)
        self._past = deque((before, step_bytes(before, after)) for before, after in pairwise(states[: now + 1]))
        self._past_bytes = sum(nbytes for _, nbytes in self._past)
        self.now, self._future = states[now], states[now + 1 :]
        self._forget()

    def drop_idle_step(self) -> None:
        """Forget the last step where nothing is left of it."""
        if self._past and self._past[-1][0] == self.now:
            self._past_bytes -= self._past.pop()[1]

    def _remember(self, after: State) -> None:
        nbytes = step_bytes(self.now, after)
        self._past.append((self.now, nbytes))
        self._past_bytes += nbytes
        self.now = after
        self._forget()

    def _forget(self) -> None:
        """Forget the oldest steps beyond the bounds."""
        while len(self._past) > self._max_steps or (self._past_bytes > self._max_bytes and len(self._past) > 1):
            self._past_bytes -= self._past.popleft()[1]


def step_bytes(before: State, after: State) -> int:
    """Return the memory that only this step holds: the objects that changed in it, and the list that did."""
    changed = sum(item.nbytes_beside(after.objects.get(id_)) for id_, item in before.objects.items())
    return changed + (0 if before.classes == after.classes else ENTRY_BYTES * len(before.classes))


def difference(before: State, after: State) -> tuple[list[SessionObject], list[int]]:
    """Return the objects to show again, and the ids of those to take away, to come from one state to the other."""
    shown = [
        item
        for id_, item in after.objects.items()
        if before.objects.get(id_) is not item or before.color_of(id_) != after.color_of(id_)
    ]
    return shown, [id_ for id_ in before.objects if id_ not in after.objects]
