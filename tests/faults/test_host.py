"""A machine in trouble: its disk is full, its logs can't be written, it is told to stop in the middle of everything."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.engine.openvino.graph_store import ENCODER, GraphKey, GraphStore
from app.protocol import messages as m
from app.protocol.messages import CloseCode
from tests.faults.conftest import SHORT
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.observed import Observed
from tests.helpers.peer import DEADLINE_S, Peer, post_picture_to
from tests.helpers.program import Program, free_port

pytestmark = pytest.mark.anyio
EXIT_DEADLINE_S = 12.0
LARGE = file_of(noise(1200, 1000), "PNG")
"""More than a megabyte, which is the most of an upload that is kept in memory while it comes."""
KEY = GraphKey("tiny", "abc", "bf16", "1.0", "a CPU")


@asynccontextmanager
async def running() -> AsyncIterator[Observed]:
    """Give a program of the test's own."""
    program = Program(
        free_port(), module="tests.helpers.slow_program", limits={**SHORT, "shutdown_timeout_s": 4}, forked=True
    )
    try:
        await asyncio.to_thread(program.wait_until_ready)
        yield Observed(program, await post_picture_to(program.url, png(64, 48)))
    finally:
        program.kill()


@contextlib.contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """Let a process write nothing more to any file; Linux alone can do that to another's."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("limits of another process can be set on Linux alone")
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)


async def post(server: Observed, data: bytes) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE_S) as client:
        return await client.post(f"{server.url}/api/upload", files={"file": ("p", data)})


async def test_a_full_disk_refuses_large_pictures_and_nothing_else() -> None:
    async with running() as server, server.session() as peer:
        with full_disk(server.program.process.pid):
            refused = await post(server, LARGE)
            assert refused.status_code == 503
            assert refused.json()["detail"]["code"] == "MODEL_NOT_READY"
            assert "disk" in refused.json()["detail"]["message"]
            assert (await post(server, png(50, 50))).status_code == 200
            assert (await peer.click(5, 5)).id == 1
        assert (await post(server, LARGE)).status_code == 200
        assert "Traceback" not in server.program.said


async def test_logs_that_can_not_be_written_are_lost_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULT_LOG_FILE", str(tmp_path / "log"))
    async with running() as server:
        with full_disk(server.program.process.pid):
            async with server.session() as peer:
                await peer.socket.send("text")
                assert (await peer.closed())[0] == CloseCode.TEXT_FRAME  # which is logged
            assert (await server.get("/healthz")).status_code == 200
            async with server.session() as peer:
                assert (await peer.click(5, 5)).id == 1
        written = (tmp_path / "log").stat().st_size
        async with server.session() as peer:
            await peer.socket.send("text")
            await peer.closed()
        assert (tmp_path / "log").stat().st_size > written


def test_a_disk_that_is_full_while_a_model_is_compiled_leaves_no_half_graphs(tmp_path: Path) -> None:
    def write(folder: Path | None) -> None:
        assert folder is not None
        (folder / ENCODER).touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    store = GraphStore(tmp_path / "graphs")
    with pytest.raises(OSError, match="No space left"), store.writing(KEY) as folder:
        write(folder)
    assert store.find(KEY) is None
    assert [path for path in (tmp_path / "graphs").iterdir() if path.is_dir()] == []


async def hovers_and_clicks(peer: Peer) -> tuple[int | None, int, int]:
    """Hover and click until the server closes; return its code, and how many clicks were sent and answered."""
    reading, sent = asyncio.create_task(peer.closed()), 0
    with contextlib.suppress(Exception):
        while not reading.done():
            await peer.send(m.Hover(seq=peer.seq(), x=sent % 60, y=5))
            await peer.send(m.Click(seq=peer.seq(), x=sent % 60, y=9))
            sent += 1
            await asyncio.sleep(0.05)
    code, said = await reading
    return code, sent, sum(isinstance(message, m.Object) for message in said)


async def test_a_server_that_is_stopped_under_load_ends_in_time_and_in_order() -> None:
    async with running() as server, AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(server.session()) for _ in range(8)]
        busy = [asyncio.create_task(hovers_and_clicks(peer)) for peer in peers]
        await asyncio.sleep(1)
        server.program.process.send_signal(signal.SIGTERM)
        exit_code = await asyncio.wait_for(asyncio.to_thread(server.program.process.wait), EXIT_DEADLINE_S)
        ends = await asyncio.gather(*busy)
        assert exit_code == 0
        assert {code for code, _, _ in ends} == {CloseCode.RESTART}
        assert all(answered > 0 for _, _, answered in ends)
        assert "Traceback" not in server.program.said
