"""What a client knows of its session: the picture, the objects, what can be undone. Pure; knows no socket."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from app.client.values import File, Gone, Image, Object, Preview

Reply: TypeAlias = Image | Preview | Object | Gone | File
"""What answers a message; progress only precedes it."""


class Names:
    """The ids by which the caller knows the objects, and those of the server that has the session now.

    They differ only after a session was lost and made again on a server that counts from the start: objects keep the
    ids that their caller holds.
    """

    def __init__(self) -> None:
        self._known: dict[int, int] = {}  # from the server's to the caller's
        self._server: dict[int, int] = {}
        self._highest = 0
        self._counts_alike = True

    def forget(self) -> None:
        """Forget what the server called them: it is another, or the session is new."""
        self._known.clear()
        self._server.clear()
        self._counts_alike = False

    def bind(self, server: int, known: int) -> None:
        """Note that the server made an object which the caller knows by an id of its own."""
        self._known[server], self._server[known] = known, server
        self._highest = max(self._highest, known)

    def known(self, server: int) -> int:
        """Return the caller's id of an object of the server, a new one where it wasn't known."""
        if server not in self._known:
            self.bind(server, server if self._counts_alike else self._highest + 1)
        return self._known[server]

    def server(self, known: int) -> int:
        """Return the server's id of an object; an id that nobody knows stays, and the server says so."""
        return self._server.get(known, known)


class Book:
    """The session's state as the server's messages told it, in the order they came."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()
        self.image: Image | None = None
        self.objects: dict[int, Object] = {}
        self.can_undo = False
        self.can_redo = False

    def note(self, message: Reply, nbytes: int) -> Reply:
        """Return the message under the caller's ids and with the picture's size, after the state has taken it in.

        Args:
            message: any message that answers a `seq`, errors aside.
            nbytes: its size on the wire.
        """
        if isinstance(message, Preview):
            number = None if message.object is None else self._names.known(message.object)
            return replace(message, object=number, size_hw=self._size_hw(), nbytes=nbytes)
        if isinstance(message, Object):
            number = self._names.known(message.id)
            value = replace(message, id=number, size_hw=self._size_hw(), nbytes=nbytes)
            self.objects[number] = value
            self.can_undo, self.can_redo = message.can_undo, message.can_redo
            return value
        if isinstance(message, Gone):
            gone = replace(message, objects=tuple(self._names.known(number) for number in message.objects))
            for number in gone.objects:
                self.objects.pop(number, None)
            self.can_undo, self.can_redo = message.can_undo, message.can_redo
            return gone
        if isinstance(message, Image):
            if self.image is None or self.image.image_id != message.image_id:
                self.objects.clear()
            self.image = message
        return message

    def become(self, other: Book) -> None:
        """Take over the whole state of another, so that nobody ever sees half of it."""
        self.image, self.can_undo, self.can_redo = other.image, other.can_undo, other.can_redo
        self.objects.clear()
        self.objects.update(other.objects)

    def _size_hw(self) -> tuple[int, int]:
        return (self.image.height, self.image.width) if self.image is not None else (0, 0)
