"""The client without `async`, wherever it may be called: in a running loop, in threads, interrupted, left open."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.client import BlockingSession, connect_blocking
from app.client.loop_thread import LoopThread
from app.protocol import messages as m
from app.protocol.messages import ServerMessage
from tests.helpers.protocol_server import HEIGHT, PHOTO, WIDTH, FakeServer, running, unused_url

DEADLINE_S = 60.0
PATH = [(x, 1) for x in range(4)]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server in a loop of its own: that of a test may stand still."""
    home = LoopThread(running())
    yield home.enter()
    home.end()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return path


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    gc.collect()  # a coroutine that was never awaited would fail the test
    left = [thread for thread in threading.enumerate() if thread.name == "hoversam client"]
    for thread in left:  # a session that is collected in its own thread isn't waited for
        thread.join(DEADLINE_S)
    assert [thread for thread in left if thread.is_alive()] == []


def work(url: str, photo: Path) -> tuple[int, list[float], set[int], float]:
    with connect_blocking(url) as session:
        session.open(photo)
        clicked = session.click(1, 1)
        previews = [preview.x for preview in session.hover(PATH)]
        session.label(clicked.id, "cat")
        known = set(session.objects)
        session.clear()
        return int(clicked.mask.sum()), previews, known, session.ping().decode_ms


WORKED = (HEIGHT * WIDTH // 2, [0, 1, 2, 3], {7}, 2.0)


def in_no_loop(call: Callable[[], Any]) -> Any:
    return call()


def in_a_cell(call: Callable[[], Any]) -> Any:
    async def cell() -> Any:
        return call()

    return asyncio.run(cell())


def in_a_cell_of_uvloop(call: Callable[[], Any]) -> Any:
    uvloop = pytest.importorskip("uvloop", reason="there is none for this system")

    async def cell() -> Any:
        return call()

    loop = uvloop.new_event_loop()
    try:
        return loop.run_until_complete(cell())
    finally:
        loop.close()


def in_a_callback(call: Callable[[], Any]) -> Any:
    async def cell() -> Any:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        loop.call_soon(lambda: done.set_result(call()))
        return await done

    return asyncio.run(cell())


def in_a_thread_of_a_cell(call: Callable[[], Any]) -> Any:
    async def cell() -> Any:
        nested: Awaitable[Any] = asyncio.to_thread(in_a_cell, call)
        return await nested

    return asyncio.run(cell())


@pytest.mark.parametrize("place", [in_no_loop, in_a_cell, in_a_cell_of_uvloop, in_a_callback, in_a_thread_of_a_cell])
def test_a_session_does_the_same_wherever_it_is_called(
    server: FakeServer, photo: Path, place: Callable[[Callable[[], Any]], Any]
) -> None:
    assert place(lambda: work(server.url, photo)) == WORKED


@pytest.mark.parametrize("place", [in_no_loop, in_a_cell])
@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_the_error_inside_is_what_is_raised(
    server: FakeServer, place: Callable[[Callable[[], Any]], Any], kind: type[BaseException]
) -> None:
    raised = kind("mine")

    def cell() -> str:
        try:
            with connect_blocking(server.url):
                raise raised
        except BaseException as error:
            return f"{error is raised}, {error.__context__}"

    assert place(cell) == "True, None"


def test_where_no_server_is_it_says_so() -> None:
    with pytest.raises(ConnectionRefusedError), connect_blocking(unused_url()):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there a process can't send itself an interrupt")
@pytest.mark.parametrize("place", [in_no_loop, in_a_cell_of_uvloop])
@pytest.mark.parametrize("kind", [m.Hello, m.Open, m.Click])
def test_an_interrupt_ends_the_wait_and_nothing_else(
    server: FakeServer, photo: Path, place: Callable[[Callable[[], Any]], Any], kind: Any
) -> None:
    usual = server.script[kind]

    def interrupt(_: Any) -> list[ServerMessage]:
        server.script[kind] = usual
        os.kill(os.getpid(), signal.SIGINT)  # the main thread waits for an answer that doesn't come
        return []

    def cell() -> int:
        server.script[kind] = interrupt
        with pytest.raises(KeyboardInterrupt):
            work(server.url, photo)
        with connect_blocking(server.url) as session:
            session.open(photo)
            return session.click(1, 1).id

    assert place(cell) == 7


@pytest.mark.parametrize("begins", [False, True], ids=["before it begins", "as it begins"])
def test_an_interrupt_in_the_start_of_the_thread_leaves_none(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, begins: bool
) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        if begins or thread.name != "hoversam client":
            start(thread)
        if thread.name == "hoversam client":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            connect_blocking(server.url)


def test_a_path_may_be_left_early_and_its_session_goes_on(server: FakeServer, photo: Path) -> None:
    with connect_blocking(server.url) as session:
        session.open(photo)
        for _ in session.hover(PATH):
            break
        kept = session.hover(PATH)
        assert next(kept).x == 0
        assert session.click(1, 1).id == 7
        assert next(kept).x == 1


def test_a_path_may_outlive_its_session(server: FakeServer, photo: Path) -> None:
    with connect_blocking(server.url) as session:
        session.open(photo)
        path, fresh = session.hover(PATH), session.hover(PATH)
        next(path)
    path.close()
    with pytest.raises(ConnectionError, match="closed"):
        next(fresh)


def test_a_closed_session_says_so(server: FakeServer) -> None:
    session = connect_blocking(server.url)
    session.close()
    session.close()
    with pytest.raises(ConnectionError, match="connect again"):
        session.ping()


def test_a_session_that_is_forgotten_is_closed(server: FakeServer) -> None:
    session: BlockingSession | None = connect_blocking(server.url)
    assert "hoversam client" in {thread.name for thread in threading.enumerate()}
    del session  # the fixture looks for its thread


def test_a_call_from_ones_own_callback_is_refused_where_it_would_wait_for_ever(server: FakeServer, photo: Path) -> None:
    with connect_blocking(server.url) as session:

        def progress(_: object) -> None:
            session.ping()

        with pytest.raises(RuntimeError, match="callback"):
            session.open(photo, progress=progress)


def test_who_waits_in_another_thread_is_told_of_the_end(server: FakeServer, photo: Path) -> None:
    asked, told = threading.Event(), []

    def never(_: Any) -> list[ServerMessage]:
        asked.set()
        return []

    server.script[m.Click] = never
    with connect_blocking(server.url) as session:
        session.open(photo)

        def wait() -> None:
            with pytest.raises(ConnectionError) as error:
                session.click(1, 1)
            told.append(str(error.value))

        waiter = threading.Thread(target=wait)
        waiter.start()
        assert asked.wait(DEADLINE_S)
    waiter.join(DEADLINE_S)
    assert told


LEFT_OPEN = {
    "a with that was only entered, a path half way, a knot": """
entered = connect_blocking(url); one = entered.__enter__()
two = connect_blocking(url); two.open(photo); path = two.hover(path); next(path)
three = connect_blocking(url); three.open(photo); knot = []; knot += [knot, three]; del three
""",
    "a session in a running loop": "asyncio.run(cell())",
}
PROGRAM = """
import asyncio, sys
from app.client import connect_blocking
url, photo, path = sys.argv[1], sys.argv[2], [(x, 1) for x in range(4)]
async def cell():
    global session
    session = connect_blocking(url)
{end}
"""


@pytest.mark.parametrize("end", LEFT_OPEN.values(), ids=LEFT_OPEN)
def test_a_program_that_closes_nothing_ends_and_says_nothing(server: FakeServer, photo: Path, end: str) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM.format(end=end), server.url, str(photo)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


FORKED = """
import os, sys
from app.client import connect_blocking

session = connect_blocking(sys.argv[1])
if (child := os.fork()) == 0:
    try:
        session.ping()
    except ConnectionError as error:
        print(error, flush=True)
    session.close()
    os._exit(0)
os.waitpid(child, 0)
print(session.ping().decode_ms)
session.close()
"""


def test_a_forked_process_is_told_to_connect_itself_and_the_session_goes_on_where_it_is(server: FakeServer) -> None:
    command = [sys.executable, "-c", FORKED, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    told = "the session stayed in the process that this one was forked from; connect in this one, too"
    assert done.stdout.splitlines() == [told, "2.0"], done.stderr
