"""The classes of a session: an ordered list, in which the place of a class is its number. Pure values.

The list is the session's and not the picture's: a class has the same number on every picture and in every file,
whether or not an object of it is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Final, TypeAlias

from app.errors import BadMessageError, UnknownObjectError
from app.protocol.messages import RenameClass, SetClasses
from app.protocol.values import Class
from app.session.class_names import Found, names_of
from app.session.names import given_class, readable, unnamed
from app.session.objects import SessionObject
from app.session.palette import PALETTE

Listed: TypeAlias = str | Class
"""A class as a client names it: with its colour, or with one of our choice."""
NAMES_SHOWN: Final = 5
"""Classes that an error names."""


@dataclass(frozen=True)
class ClassList:
    """Classes in their order, numbered from 0. Never changed in place: every step of the history holds its own."""

    entries: tuple[Class, ...] = ()

    def __len__(self) -> int:
        """Number of classes."""
        return len(self.entries)

    def __contains__(self, name: str) -> bool:
        """Return whether a class of this name is in the list."""
        return name in self._numbers

    @property
    def names(self) -> tuple[str, ...]:
        """Names in their order."""
        return tuple(entry.name for entry in self.entries)

    def color_of(self, item: SessionObject) -> int:
        """Return the colour in which an object is shown: its class's, its own where it has none."""
        number = self._numbers.get(given_class(item) or "")
        return item.color if number is None else self.entries[number].color

    def entries_of(self, items: Iterable[SessionObject]) -> list[Class]:
        """Return the classes of objects that are in the list, each once, in the order of the objects."""
        names = dict.fromkeys(given_class(item) or "" for item in items)
        return [self.entries[self._numbers[name]] for name in names if name in self]

    def with_class(self, name: str | None, wish: int | None = None) -> ClassList:
        """Return the list with one more class at its end; the same where it is in it, or where there is no name.

        Args:
            name: as `given_class` gives it.
            wish: the colour that it gets where no other class needs it more.

        Raises:
            BadMessageError: there are as many as a list takes.
        """
        if name is None or name in self:
            return self
        return ClassList(checked((*self.entries, Class(name=name, color=free_color(colors_used(self.entries), wish)))))

    def with_all(self, entries: Iterable[Class]) -> ClassList:
        """Return the list and, after it, the classes that it hasn't; raises as `with_class`."""
        return ClassList(checked((*self.entries, *(entry for entry in entries if entry.name not in self))))

    def with_listed(self, listed: Iterable[Listed]) -> ClassList:
        """Return the list and, after it, the classes of another that it hasn't; raises as `with_class`."""
        classes = self
        for each in listed:
            name, wish = (each.name, each.color) if isinstance(each, Class) else (each, None)
            classes = classes.with_class(readable(name) or None, wish)
        return classes

    def with_classes_of(self, items: Iterable[SessionObject]) -> ClassList:
        """Return the list with the classes of objects, each in the object's colour if that is free; raises as above."""
        return reduce(lambda classes, item: classes.with_class(given_class(item), item.color), items, self)

    def covering(self, items: Iterable[SessionObject]) -> ClassList:
        """Return the list, where it has the class of every object; where it is empty, every name is a class.

        Raises:
            BadMessageError: an object is of another class. Taken in, that would get a number that means another class
                on another picture.
        """
        for item in items:
            name = given_class(item)
            if self.entries and name is not None and name not in self:
                raise BadMessageError(
                    f"object {item.id} is named {name!r}, which isn't in the list of classes ({shown(self.names)}); "
                    "correct one of them"
                )
        return self

    def renamed(self, name: str, to: str) -> ClassList:
        """Return the list with a class under another name, under which it is one with a class that has that already.

        Args:
            name: of the class.
            to: its new name; an empty one takes the class off the list.

        Raises:
            UnknownObjectError: there is no such class.
        """
        number = self._numbers.get(name)
        if number is None:
            raise UnknownObjectError(f"there is no class {name!r} in the list, which has {shown(self.names)}")
        if name == to:
            return self
        stays = () if not to or to in self else (Class(name=to, color=self.entries[number].color),)
        return ClassList((*self.entries[:number], *stays, *self.entries[number + 1 :]))

    def replaced(self, listed: Sequence[Listed]) -> ClassList:
        """Return another list; a class without a colour keeps the one that it has in this list.

        Raises:
            BadMessageError: two classes of one name, one without a name, or too many.
        """
        known = {entry.name: entry for entry in self.entries}
        kept = [each if isinstance(each, Class) else known.get(readable(each)) for each in listed]
        used = colors_used(entry for entry in kept if entry is not None)
        entries: list[Class] = []
        for each, entry in zip(listed, kept, strict=True):
            color = free_color(used) if entry is None else entry.color
            used[color] += entry is None
            entries.append(Class(name=readable(each.name if isinstance(each, Class) else each), color=color))
        return ClassList(checked(tuple(entries)))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {entry.name: number for number, entry in enumerate(self.entries)}


def colors_used(entries: Iterable[Class]) -> Counter[int]:
    """Return how many classes have each colour of the palette."""
    return Counter(entry.color % len(PALETTE) for entry in entries)


def free_color(used: Counter[int], wish: int | None = None) -> int:
    """Return the colour that the fewest classes have: the one wished for, else the palette's first."""
    wished = None if wish is None else wish % len(PALETTE)
    return min(range(len(PALETTE)), key=lambda color: (used[color], color != wished, color))


def classified(
    classes: ClassList, items: Collection[SessionObject], message: SetClasses | RenameClass
) -> tuple[ClassList, list[SessionObject]]:
    """Return the list as a message has it, and the objects that get another name with it.

    Args:
        classes: the list as it is.
        items: the objects that are there; their classes stay in the list.
        message: what is to change.

    Raises:
        BadMessageError: no such list can be.
        UnknownObjectError: there is no class of the name that is to change.
    """
    if isinstance(message, SetClasses):
        items = sorted(items, key=lambda item: item.id)  # undo may have brought an older object back as the last
        return classes.replaced(message.classes).with_all(classes.entries_of(items)).with_classes_of(items), []
    name, to = readable(message.name), readable(message.to)
    renamed = [replace(item, name=to or unnamed(item.id)) for item in items if given_class(item) == name != to]
    return classes.renamed(name, to), renamed


def checked(entries: tuple[Class, ...]) -> tuple[Class, ...]:
    """Return the entries of a list that may be one; raises as `names_of`."""
    names_of([Found(entry.name, f"class {place}") for place, entry in enumerate(entries, 1)])
    return entries


def shown(names: Sequence[str]) -> str:
    """Return the first names of a list, for an error."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(map(repr, names[:NAMES_SHOWN])) + more or "none"
