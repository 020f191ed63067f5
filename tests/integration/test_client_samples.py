"""What the client's documentation shows runs as it stands."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from app.client import ClientSession
from app.client import session as documented
from tests.helpers.image_files import file_of, noise
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio


def coroutine_of(sample: str, names: dict[str, Any]) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return a sample as a function to await."""
    code = "async def sample():\n" + textwrap.indent(textwrap.dedent(sample), "    ")
    exec(code, names)  # our own documentation
    made: Callable[[], Coroutine[Any, Any, None]] = names["sample"]
    return made


async def test_the_sample_of_the_session_runs(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cat.jpg").write_bytes(file_of(noise(640, 480), "JPEG"))
    monkeypatch.chdir(tmp_path)
    assert documented.__doc__ is not None
    [sample] = re.findall(r"\n((?:    .*\n)+)", documented.__doc__)
    names: dict[str, Any] = {"connect": documented.connect}
    await coroutine_of(sample.replace("http://127.0.0.1:8000", server.url), names)()
    assert len(capsys.readouterr().out.splitlines()) in (1, 2, 3)  # a preview that was overtaken is left out


async def test_every_message_has_a_method_of_its_name() -> None:
    kinds = {"open", "hover", "leave", "click", "box", "move", "unpoint", "choose", "label", "delete", "clear", "undo"}
    assert all(hasattr(ClientSession, kind) for kind in kinds | {"redo", "model", "export", "ping"})
