"""Follows one message through the server: which modules are handed it, or what has become of it, in which order.

A profiler sees every call in every thread. A stop is a module that another calls with the message in hand, and the
reader, which takes it off the socket itself. What a module hands back to its caller is no further stop, nor is a method
of the thing itself; `app.session` and `app.engine` are each entered by one door, and what they do behind it is theirs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from inspect import CO_VARARGS
from pathlib import Path
from types import FrameType, FunctionType, MethodType
from typing import Any, Final

from app.engine.contract import Candidates, Prompt
from app.protocol.messages import Click, Object
from app.service.answers import Replay
from app.session.objects import Answer
from app.session.query import Query

ROOT: Final = Path(__file__).parents[2]
FORMS: Final = (Click, Query, Replay, Prompt, Candidates, Answer, Object)
"""What a click becomes on its way; at both ends it is a frame."""
FRAME_HEADS: Final = tuple(b"\xa1t" + bytes([0xA0 + len(kind)]) + kind for kind in (b"click", b"object"))
"""How a frame of the protocol begins, after the byte that counts its fields."""
FOLLOWED: Final = ("app/web/socket.py", "app/realtime/", "app/service/", "app/session/", "app/engine/")
DOORS: Final = ("app/session/", "app/engine/")
THE_ENGINE: Final = "app/engine/contract.py"
"""What an engine without a model is counted as."""


class Trip:
    """Keeps the stops of one message.

    Attributes:
        stops: the modules in order, as they are called in the repository.
    """

    def __init__(self) -> None:
        self.stops: list[str] = []
        self._seen: dict[int, FrameType] = {}  # kept, so that no other frame gets the same id

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Watch every thread that begins inside the `with`, and this one."""
        threading.setprofile(self._watch)
        sys.setprofile(self._watch)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def begin(self) -> None:
        """Forget what came before."""
        self.stops.clear()

    def _watch(self, frame: FrameType, event: str, value: Any) -> None:
        module = module_of(frame.f_code.co_filename)
        if not module.startswith(FOLLOWED):
            return
        if event == "return" and not self.stops and carries(value):
            self.stops.append(module)  # where it came in: nobody in the product hands it over
        elif event == "call" and id(frame) not in self._seen:
            self._seen[id(frame)] = frame  # a coroutine is called again whenever it goes on
            if any(map(carries, arguments(frame))) and not self._is_inside(module, frame.f_back):
                self._stop(module)

    def _is_inside(self, module: str, caller: FrameType | None) -> bool:
        called_by = "" if caller is None else module_of(caller.f_code.co_filename)
        if any(module.startswith(door) and called_by.startswith(door) for door in DOORS):
            return True
        return called_by == module and module in self.stops  # else it has pulled the message in: the reader has

    def _stop(self, module: str) -> None:
        if not self.stops or self.stops[-1] != module:
            self.stops.append(module)


@cache
def module_of(file: str) -> str:
    """Return a module as its file is called in the repository; an empty string for others."""
    path = Path(file)
    if path.name == "fake_engine.py":
        return THE_ENGINE
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""


def arguments(frame: FrameType) -> list[Any]:
    """Return what a function was called with, other than the thing whose method it is."""
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & CO_VARARGS)
    names = code.co_varnames[:count]
    return [frame.f_locals[name] for name in names if name != "self" and name in frame.f_locals]


def carries(value: Any, depth: int = 3) -> bool:
    """Return whether a value is the message in one of its forms, or holds it: in a list, or as what it works on."""
    if isinstance(value, FORMS):
        return True
    if isinstance(value, bytes):
        return value[1:].startswith(FRAME_HEADS)
    if depth == 0:
        return False
    parts: list[Any] = []
    if isinstance(value, (list, tuple)):
        parts = list(value)
    elif isinstance(value, MethodType):
        parts = [value.__self__]
    elif isinstance(value, FunctionType):
        parts = [cell.cell_contents for cell in value.__closure__ or ()]
    return any(carries(part, depth - 1) for part in parts)
