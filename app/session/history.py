"""One undo and redo timeline over everything that a person does to the objects of a picture. Pure values.

Decision: a step is the whole picture's objects, not a command that can be reversed. Context: steps share what they
have in common, since objects never change in place. Choice: undo is a lookup and can't drift. Price: each step keeps
its object's logits, so the history is bounded by bytes as well as by steps; the oldest steps go first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from app.session.objects import SessionObject

Objects = Mapping[int, SessionObject]
"""Objects by id, in the order in which they were made."""


class Timeline:
    """The objects now, and the steps before and after."""

    def __init__(self, max_steps: int, max_bytes: int) -> None:
        """Begin without a past, whose oldest step is forgotten beyond either bound.

        Args:
            max_steps: that undo can go back.
            max_bytes: of the masks and logits that they keep.
        """
        self._max_steps, self._max_bytes = max_steps, max_bytes
        self._past: deque[tuple[Objects, int]] = deque()
        self._past_bytes = 0
        self._future: list[Objects] = []
        self.now: Objects = {}

    @property
    def can_undo(self) -> bool:
        """True where there is a step back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True where a step was undone and nothing done since."""
        return bool(self._future)

    def adopt(self, past: Sequence[Objects], now: Objects, future: Sequence[Objects]) -> None:
        """Take over what was done elsewhere, where no step was made here; the next undo and redo come last."""
        self._past = deque((before, step_bytes(before, after)) for before, after in pairwise((*past, now)))
        self._past_bytes = sum(nbytes for _, nbytes in self._past)
        self.now, self._future = now, [*future]
        self._forget()

    def put(self, changed: SessionObject) -> None:
        """Make a step: one object is new or changed."""
        self._step({**self.now, changed.id: changed})

    def remove(self, ids: set[int]) -> None:
        """Make a step: objects are gone. No step where none of them is there."""
        if ids & self.now.keys():
            self._step({id_: kept for id_, kept in self.now.items() if id_ not in ids})

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
    def before(self) -> Objects:
        """The objects that `undo` would bring back."""
        return self._past[-1][0] if self._past else self.now

    @property
    def after(self) -> Objects:
        """The objects that `redo` would bring back."""
        return self._future[-1] if self._future else self.now

    def rewrite(self, change: Callable[[SessionObject], SessionObject]) -> None:
        """Put another object in the place of each, in every step; itself not a step.

        An object that several steps share is changed once and stays shared.
        """
        old = [*(objects for objects, _ in self._past), self.now, *self._future]  # also keeps every id() taken
        new: dict[int, SessionObject] = {}
        for item in (item for objects in old for item in objects.values()):
            if id(item) not in new:
                new[id(item)] = change(item)
        states: list[Objects] = [{id_: new[id(item)] for id_, item in objects.items()} for objects in old]
        now = len(self._past)
        self._past = deque((before, step_bytes(before, after)) for before, after in pairwise(states[: now + 1]))
        self._past_bytes = sum(nbytes for _, nbytes in self._past)
        self.now, self._future = states[now], states[now + 1 :]
        self._forget()

    def _step(self, after: Objects) -> None:
        self._future.clear()
        self._remember(after)

    def _remember(self, after: Objects) -> None:
        nbytes = step_bytes(self.now, after)
        self._past.append((self.now, nbytes))
        self._past_bytes += nbytes
        self.now = after
        self._forget()

    def _forget(self) -> None:
        """Forget the oldest steps beyond the bounds."""
        while len(self._past) > self._max_steps or (self._past_bytes > self._max_bytes and len(self._past) > 1):
            self._past_bytes -= self._past.popleft()[1]


def step_bytes(before: Objects, after: Objects) -> int:
    """Return the memory that only this step holds: the objects that changed in it."""
    return sum(item.nbytes for id_, item in before.items() if after.get(id_) is not item)


def difference(before: Objects, after: Objects) -> tuple[list[SessionObject], list[int]]:
    """Return the objects to show again, and the ids of those to take away, to come from one state to the other."""
    shown = [item for id_, item in after.items() if before.get(id_) is not item]
    return shown, [id_ for id_ in before if id_ not in after]
