"""What a client knows of its session: the picture, the objects, what can be undone. Pure; knows no socket."""

from __future__ import annotations

from typing import TypeAlias

from app.client.values import Object, Preview
from app.errors import HoverError
from app.protocol import messages

Reply: TypeAlias = messages.Progress | messages.Image | Preview | Object | messages.Gone | messages.File


class Book:
    """The session's state as the server's messages told it, in the order they came."""

    def __init__(self) -> None:
        self.image: messages.Image | None = None
        self.objects: dict[int, Object] = {}
        self.can_undo = False
        self.can_redo = False

    def note(self, message: Reply | messages.Preview | messages.Object, nbytes: int) -> Reply:
        """Return the message as the client's value, after the state has taken it in.

        Args:
            message: any message that answers a `seq`, errors aside.
            nbytes: its size on the wire.
        """
        if isinstance(message, messages.Preview):
            return Preview(message, self._size_hw(message.masks), nbytes)
        if isinstance(message, messages.Object):
            self.can_undo, self.can_redo = message.can_undo, message.can_redo
            self.objects[message.id] = value = Object(message, self._size_hw(message.masks), nbytes)
            return value
        if isinstance(message, messages.Gone):
            self.can_undo, self.can_redo = message.can_undo, message.can_redo
            for number in message.objects:
                self.objects.pop(number, None)
        elif isinstance(message, messages.Image):
            if self.image is None or self.image.image_id != message.image_id:
                self.objects.clear()
            self.image = message
        return message

    def _size_hw(self, masks: tuple[messages.Mask, ...]) -> tuple[int, int]:
        if self.image is not None:
            return self.image.height, self.image.width
        return masks[0].size if masks else (0, 0)


def error_of(message: messages.Error) -> HoverError:
    """Return the server's error as the exception of its code; `HoverError` itself for a code that is not known."""
    kinds = {kind.code: kind for kind in HoverError.__subclasses__()}
    return kinds.get(message.code, HoverError)(message.message, retry_after_s=message.retry_after)
