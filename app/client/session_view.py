"""What a client knows of its session: the picture, the objects, what can be undone. Pure; knows no socket."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from app.client.values import File, Gone, Image, Object, Preview

Reply: TypeAlias = Image | Preview | Object | Gone | File
"""What answers a message; progress only precedes it."""


class SessionView:
    """The session's state as the server's messages told it, in the order they came."""

    def __init__(self) -> None:
        self.image: Image | None = None
        self.objects: dict[int, Object] = {}
        self.can_undo = False
        self.can_redo = False

    def note(self, message: Reply, nbytes: int) -> Reply:
        """Return the message with the picture's size, after the state has taken it in.

        Args:
            message: any message that answers a `seq`, errors aside.
            nbytes: its size on the wire.
        """
        if isinstance(message, Preview):
            return replace(message, size_hw=self._size_hw(), nbytes=nbytes)
        if isinstance(message, Object):
            value = replace(message, size_hw=self._size_hw(), nbytes=nbytes)
            self.objects[message.id] = value
            self.can_undo, self.can_redo = message.can_undo, message.can_redo
            return value
        if isinstance(message, Gone):
            for number in message.objects:
                self.objects.pop(number, None)
            self.can_undo, self.can_redo = message.can_undo, message.can_redo
        if isinstance(message, Image):
            if self.image is None or self.image.image_id != message.image_id:
                self.objects.clear()
            self.image = message
        return message

    def become(self, other: SessionView) -> None:
        """Take over the whole state of another, so that nobody ever sees half of it."""
        self.image, self.can_undo, self.can_redo = other.image, other.can_undo, other.can_redo
        self.objects.clear()
        self.objects.update(other.objects)

    def _size_hw(self) -> tuple[int, int]:
        return (self.image.height, self.image.width) if self.image is not None else (0, 0)
