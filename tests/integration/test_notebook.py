"""The client in a notebook: cells that a real kernel runs, on a loop of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from app.client.loop_thread import LoopThread
from tests.helpers.protocol_server import HEIGHT, PHOTO, WIDTH, FakeServer, running

DEADLINE_S = 60.0


@dataclass
class Cell:
    """What a notebook shows under a cell."""

    result: str = ""
    error: str = ""
    printed: dict[str, str] = field(default_factory=dict)


class Notebook:
    """A kernel that waits for cells."""

    def __init__(self, kernel: Any, client: Any) -> None:
        self.kernel, self._client = kernel, client

    def run(self, code: str, *, interrupted: bool = False) -> Cell:
        """Return what a cell shows; an interrupted one is stopped once it prints something."""
        cell, asked = Cell(), self._client.execute(code)
        while True:
            message = self._client.get_iopub_msg(timeout=DEADLINE_S)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                cell.printed[content["name"]] = cell.printed.get(content["name"], "") + content["text"]
                if interrupted:
                    self.kernel.interrupt_kernel()
            elif kind == "execute_result":
                cell.result = content["data"]["text/plain"]
            elif kind == "error":
                cell.error = content["ename"]
            elif kind == "status" and content["execution_state"] == "idle":
                return cell


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    home = LoopThread(running())
    yield home.enter()
    home.end()


@pytest.fixture(scope="module")
def notebook(server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    photo = tmp_path_factory.mktemp("notebook") / "photo.png"
    photo.write_bytes(PHOTO)
    kernel, client = start_new_kernel(startup_timeout=DEADLINE_S, cwd=str(Path.cwd()))
    try:
        found = Notebook(kernel, client)
        found.run(f"from app.client import connect_blocking\nurl, photo = {server.url!r}, {str(photo)!r}")
        yield found
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def test_a_cell_works_and_ends_quietly(notebook: Notebook) -> None:
    cell = notebook.run(
        "with connect_blocking(url) as s:\n    s.open(photo)\n    area = s.click(1, 1).mask.sum()\nint(area)"
    )
    assert cell == Cell(result=str(HEIGHT * WIDTH // 2))


def test_the_error_of_a_cell_is_what_is_shown(notebook: Notebook) -> None:
    assert notebook.run("with connect_blocking(url) as s:\n    s.open(photo)\n    1 / 0") == Cell(
        error="ZeroDivisionError"
    )


def test_a_session_is_there_for_the_next_cells(notebook: Notebook) -> None:
    assert notebook.run("s = connect_blocking(url); s.open(photo); s.click(1, 1).id") == Cell(result="7")
    assert notebook.run("path = s.hover([(x, 1) for x in range(4)]); next(path).x") == Cell(result="0.0")
    assert notebook.run("import asyncio; await asyncio.sleep(0); next(path).x") == Cell(result="1.0")
    assert notebook.run("del path; s.close(); s.close()") == Cell()
    assert notebook.run("s.ping()") == Cell(error="LostError")


def test_an_interrupted_cell_shows_that_and_the_next_one_works(notebook: Notebook, server: FakeServer) -> None:
    cell = notebook.run(
        "def endless():\n    while True: yield 1, 1\n"
        "with connect_blocking(url) as s:\n    s.open(photo)\n    print('begun', flush=True)\n"
        "    for preview in s.hover(endless()): pass",
        interrupted=True,
    )
    assert (cell.error, set(cell.printed)) == ("KeyboardInterrupt", {"stdout"})
    assert notebook.run("with connect_blocking(url) as s: x = s.welcome.model\nx") == Cell(result="'nano'")


def test_a_kernel_that_is_shut_down_closes_what_is_open(notebook: Notebook, server: FakeServer) -> None:
    notebook.run("s = connect_blocking(url); s.open(photo)")
    notebook.kernel.shutdown_kernel()  # asks it, and would kill it only in the end
    assert not notebook.kernel.is_alive()
