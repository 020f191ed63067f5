"""A script played against a server, step after step, each awaited; what came of it and how long it took."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from app.cli.script_line import ScriptLine
from app.client import ClientSession, File, Image, Latency, Object, Preview
from app.client.pending_requests import UNNUMBERED
from app.errors import BadMessageError, HoverError, UnknownObjectError
from app.protocol.fields import PathXy
from app.protocol.messages import Given, OpenedClip, Regions, Window
from app.protocol.values import ListedClasses

METHODS: Final = {"hover": "preview", "classes": "set_classes", "rename": "rename_class"}
"""The client's own name of a message, where it has another."""
ELEMENTS: Final[dict[str, Any]] = {"classes": ListedClasses, "path": PathXy, "objects": list[Given]}
"""What a list of a script holds, where that is more than numbers."""


@dataclass(frozen=True)
class Outcome:
    """What came of a step: how long it took in milliseconds, in words, and the error's code where it failed."""

    step: ScriptLine
    ms: float
    text: str
    code: str | None = None

    @property
    def line(self) -> str:
        """Return one line of text."""
        verdict = self.text if self.code is None else f"FAILED {self.code}: {self.text}"
        return f"{self.step.number:4d}  {self.ms:9.1f} ms  {self.step.fields['t']:<8}  {verdict}"

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        base = {"line": self.step.number, "t": self.step.fields["t"], "ms": round(self.ms, 3), "reply": self.text}
        return base if self.code is None else {**base, "error": self.code}


async def play(
    session: ClientSession, steps: Sequence[ScriptLine], folder: Path, *, paced: bool = True
) -> AsyncIterator[Outcome]:
    """Yield what came of each step.

    Args:
        session: a session that was not used before.
        steps: the script.
        folder: where its paths begin.
        paced: False goes on as soon as an answer is there, whatever `at` says.

    Raises:
        ConnectionError: the connection was lost for good.
    """
    names: dict[str, int] = {}
    began = time.perf_counter()
    for step in steps:
        if paced:
            await asyncio.sleep(max(0.0, began + step.at_s - time.perf_counter()))
        yield await _outcome(session, step, names, folder)


async def _outcome(session: ClientSession, step: ScriptLine, names: dict[str, int], folder: Path) -> Outcome:
    began = time.perf_counter()
    try:
        reply = await _do(session, _resolved(step, names), step, folder)
        took_ms = _ms_since(began)
        if step.out is not None and isinstance(reply, File):
            await asyncio.to_thread((folder / step.out).write_bytes, reply.data)
    except ConnectionError:
        raise
    except (HoverError, TimeoutError, OSError) as error:
        return Outcome(step, _ms_since(began), str(error), getattr(error, "code", type(error).__name__))
    if step.name is not None and isinstance(reply, Object):
        names[step.name] = reply.id
    return Outcome(step, took_ms, told(reply))


def _resolved(step: ScriptLine, names: dict[str, int]) -> dict[str, Any]:
    """Return the message with the server's ids in place of the script's names."""

    def id_of(name: int | str) -> int:
        if isinstance(name, int):
            return name
        if name not in names:
            known = ", ".join(names) or "none yet"
            raise UnknownObjectError(f"no line before this one made an object as {name!r}; made so far: {known}")
        return names[name]

    fields = {name: value for name, value in step.fields.items() if name != "t"}
    if "object" in fields:
        fields["object"] = id_of(fields["object"])
    if "objects" in fields and step.fields["t"] != "give":
        fields["objects"] = [id_of(each) for each in fields["objects"]]
    return fields


async def _do(session: ClientSession, fields: dict[str, Any], step: ScriptLine, folder: Path) -> object:
    kind = step.fields["t"]
    if step.is_clip or kind in {"track", "stop"}:
        return await _do_with_clip(session, fields, step, folder)
    if kind == "open":
        return await session.open(_source_of(step, folder))
    if kind == "box":
        return await session.box(tuple(fields.pop("box")), **fields)
    if kind == "look":
        return Window(seq=UNNUMBERED, window=await session.look(**fields))
    if kind == "regions":
        return Regions(seq=UNNUMBERED, regions=await session.regions())
    if kind == "export":
        fields |= fields.pop("options", {})
    for field, wanted in ELEMENTS.items():
        if field in fields and kind not in {"combine", "export"}:
            fields[field] = msgspec.convert(fields[field], wanted)
    reply: object = await getattr(session, METHODS.get(kind, kind))(**fields)
    return reply[0] if isinstance(reply, list) and len(reply) == 1 else reply


async def _do_with_clip(session: ClientSession, fields: dict[str, Any], step: ScriptLine, folder: Path) -> object:
    if step.is_clip:
        return await session.open_clip(_source_of(step, folder), **fields)
    if step.fields["t"] == "track":
        return {frame: masks async for frame, masks in session.track(**fields)}
    with contextlib.suppress(BadMessageError):  # what was stopped when it was recorded has come to its end here
        await session.stop()
    return None


def _source_of(step: ScriptLine, folder: Path) -> Path | bytes:
    return step.picture if isinstance(step.picture, bytes) else folder / (step.picture or "")


def told(reply: object) -> str:
    """Return a reply in words."""
    if isinstance(reply, OpenedClip):
        return f"{reply.width} x {reply.height}, {len(reply.times)} frames in {reply.duration:g} s"
    if isinstance(reply, dict):
        return f"{len(reply)} frames"
    if isinstance(reply, Image):
        kept = "cached" if reply.cached else f"encoded in {reply.encode_ms:.0f} ms"
        return f"{reply.width} x {reply.height}, {reply.model}, {kept}"
    if isinstance(reply, Preview):
        return f"score {reply.score:.3f}, {reply.area} px, {len(reply.masks)} candidates, {reply.nbytes} bytes"
    if isinstance(reply, Object):
        prompts = f"{len(reply.points)} points" + (" and a box" if reply.box else "")
        shown = f"score {reply.score:.3f}, {reply.area} px, {reply.nbytes} bytes"
        return f"object {reply.id} {reply.name!r}, {prompts}, {shown}"
    return told_briefly(reply)


def told_briefly(reply: object) -> str:
    """Return what is no picture and no mask in words."""
    if isinstance(reply, File):
        return f"{reply.name}, {len(reply.data)} bytes"
    if isinstance(reply, Latency):
        return f"waits {reply.queue_ms:.1f} ms for the device, decodes in {reply.decode_ms:.1f} ms"
    if isinstance(reply, Window):
        return "all of the picture" if reply.window is None else f"sharp in {','.join(map(str, reply.window))}"
    if isinstance(reply, Regions):
        return f"{len(reply.regions)} things"
    if isinstance(reply, (list, tuple)):
        return f"{len(reply)} {'objects' if isinstance(reply, list) else 'classes'}"
    return "done"


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
