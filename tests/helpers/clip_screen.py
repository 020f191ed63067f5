"""What a client that believes every message has of a clip: the objects, and the mask of each on every frame."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from app.protocol import messages as m
from app.protocol.messages import ClientMessage, ServerMessage
from app.protocol.recipe import Recipe, RecipeObject, TrackStep
from tests.helpers.peer import DEADLINE_S, Peer

T = TypeVar("T", bound=ServerMessage)
Masks = dict[tuple[int, int], m.Mask]
"""By object and frame."""


async def uploaded_clip(url: str, data: bytes) -> str:
    """Upload a ZIP of frames to a server; return the clip's name."""
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE_S) as client:
        answer = await client.post(f"{url}/api/clips", files={"file": ("clip.zip", data)})
        return str(answer.raise_for_status().json()["clip_id"])


@dataclass
class ClipScreen:
    """One client of a clip.

    Attributes:
        peer: its socket, welcomed.
        heard: all that came.
    """

    peer: Peer
    clip: m.OpenedClip | None = None
    image: m.Image | None = None
    objects: dict[int, m.Object] = field(default_factory=dict)
    masks: Masks = field(default_factory=dict)
    heard: list[ServerMessage] = field(default_factory=list)
    seqs: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def receive(self) -> ServerMessage:
        message = await self.peer.receive()
        self.take(message)
        return message

    def take(self, message: ServerMessage) -> None:
        self.heard.append(message)
        if isinstance(message, m.OpenedClip):
            self.clip = message
            self.objects.clear()
        elif isinstance(message, m.Image):
            self.image = message
        elif isinstance(message, m.Object):
            self.objects[message.id] = message
            assert message.frame is not None
            self.put(message.id, message.frame, message.masks[message.chosen] if message.masks else None)
        elif isinstance(message, m.Gone):
            for id_ in message.objects:
                self.objects.pop(id_, None)
                self.masks = {key: mask for key, mask in self.masks.items() if key[0] != id_}
        elif isinstance(message, m.Masks):
            for one in message.objects:
                self.put(one.id, message.frame, one.mask)

    def put(self, id_: int, frame: int, mask: m.Mask | None) -> None:
        if mask is None or not mask.area:
            self.masks.pop((id_, frame), None)
        else:
            self.masks[id_, frame] = mask

    async def until(self, kind: type[T], holds: Callable[[T], bool] = lambda _: True) -> T:
        """Return the next message of a kind that something holds of; none may be an error but it."""
        while True:
            message = await self.receive()
            if isinstance(message, kind) and holds(message):
                return message
            assert not isinstance(message, m.Error), message

    async def ask(self, message: ClientMessage) -> int:
        """Make a change and return its number, once all of its answer is here."""
        seq = getattr(message, "seq", 0)
        await self.peer.send(message)
        await self.until(m.Object | m.Gone | m.Classes | m.Image, lambda reply: reply.seq == seq and reply.last)  # type: ignore[arg-type]
        return seq

    async def open(self, clip_id: str, frame: int = 0, recipe: Recipe | None = None) -> int:
        return await self.ask(m.Open(seq=next(self.seqs), image_id=clip_id, frame=frame, recipe=recipe))

    async def show(self, frame: int) -> None:
        await self.ask(m.ShowFrame(seq=next(self.seqs), index=frame))
        assert self.image is not None
        assert self.image.frame == frame

    async def click(self, x: float, y: float, object: int | None = None, label: int = 1) -> None:
        await self.ask(m.Click(seq=next(self.seqs), x=x, y=y, object=object, label=label))

    async def track(self, **how: object) -> m.TrackProgress:
        """Have objects followed; return the last word on it."""
        return await self.followed(await self.ask(m.Track(seq=next(self.seqs), **how)))  # type: ignore[arg-type]

    async def undo(self) -> int:
        return await self.ask(m.Undo(seq=next(self.seqs)))

    async def redo(self) -> int:
        return await self.ask(m.Redo(seq=next(self.seqs)))

    async def refused(self, message: ClientMessage) -> m.Error:
        """Return the error that answers a message."""
        await self.peer.send(message)
        while not isinstance(reply := await self.receive(), m.Error):
            pass
        return reply

    async def followed(self, seq: int) -> m.TrackProgress:
        """Return the last word on what a change has had followed, unless it came already."""
        for message in self.heard:
            if isinstance(message, m.TrackProgress) and message.seq == seq and message.last:
                return message
        return await self.until(m.TrackProgress, lambda told: told.seq == seq and told.last)

    async def settled(self) -> None:
        """Return once all that was told before now is here."""
        for message in await self.peer.until_pong():
            self.take(message)

    def recipe(self) -> Recipe:
        """Return what a page keeps of the clip, without undo steps."""
        assert self.clip is not None
        assert self.image is not None
        made = tuple(
            RecipeObject(id=each.id, name=each.name, color=each.color, trail=each.trail)
            for each in self.objects.values()
        )
        return Recipe(
            format="hoversam-recipe",
            version=1,
            image_id=self.clip.clip_id,
            width=self.clip.width,
            height=self.clip.height,
            model=self.image.model,
            objects=made,
        )

    def tracks(self, id_: int) -> list[tuple[int | None, str, int]]:
        """Return from where, which way and how far an object was followed."""
        steps = [step for step in self.objects[id_].trail if isinstance(step, TrackStep)]
        return [(step.frame, step.direction, step.last) for step in steps]
