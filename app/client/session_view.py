"""What a client knows of its session: picture, classes, objects, what can be undone. Pure; knows no socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from app.client.values import Object, Preview, object_of, preview_of
from app.protocol import messages as m

StateReply: TypeAlias = m.Image | m.Classes | Object | m.Gone
"""What the answer to a change is made of."""
Reply: TypeAlias = StateReply | Preview | m.Regions | m.Window | m.File
"""What answers a message; progress only precedes it."""


class SessionView:
    """The session's state as the server's messages told it, in the order they came.

    An answer of several messages is taken in with the last of them, so that nobody ever sees half of it. One that
    begins with a picture tells the whole state; another tells what has changed.
    """

    def __init__(self) -> None:
        self.image: m.Image | None = None
        self.objects: dict[int, Object] = {}
        self.classes: tuple[m.Class, ...] = ()
        self.can_undo = False
        self.can_redo = False
        self._parts: list[StateReply] = []
        """Those of an answer that isn't whole yet."""

    def take(
        self,
        message: m.Image | m.Preview | m.Classes | m.Object | m.Gone | m.Regions | m.Window | m.File,
        nbytes: int,
    ) -> list[Reply]:
        """Take in what came; return the whole answer that ends with it, nothing where more of it is to come.

        Args:
            message: any message that answers a `seq`, errors aside.
            nbytes: its size on the wire.
        """
        if isinstance(message, m.Preview):
            return [preview_of(message, self._size_hw(), nbytes)]
        if isinstance(message, (m.File, m.Window)):
            return [message]
        if isinstance(message, m.Regions):  # those before the last are in it
            return [message] if message.last else []
        self._parts.append(object_of(message, self._size_hw(), nbytes) if isinstance(message, m.Object) else message)
        if not message.last:
            return []
        answer, self._parts = self._parts, []
        self._become(answer)
        return [*answer]

    def forget_parts(self) -> None:
        """Forget an answer that isn't whole: the rest of it was lost with its socket."""
        self._parts.clear()

    def _become(self, answer: Sequence[StateReply]) -> None:
        for message in answer:
            if isinstance(message, m.Image):
                self.image, self.can_undo, self.can_redo = message, False, False
                self.objects.clear()
                self.classes = ()
                continue
            self.can_undo, self.can_redo = message.can_undo, message.can_redo
            if isinstance(message, Object):
                self.objects[message.id] = message
            elif isinstance(message, m.Classes):
                self.classes = message.classes
            else:
                for number in message.objects:
                    self.objects.pop(number, None)
        if list(self.objects) != (order := sorted(self.objects)):  # one that is back has its old place, as in files
            for number in order:
                self.objects[number] = self.objects.pop(number)

    def _size_hw(self) -> tuple[int, int]:
        """Return height and width of the picture that the message at hand is about."""
        told = [part for part in self._parts if isinstance(part, m.Image)]
        image = told[-1] if told else self.image
        return (0, 0) if image is None else (image.height, image.width)
