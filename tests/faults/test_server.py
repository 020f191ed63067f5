"""The server itself in trouble: stopped, killed, hanging, blocked, short of descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.protocol import messages as m
from app.protocol.messages import CloseCode
from app.service.scheduler import MAX_HUNG
from tests.faults.conftest import SHORT
from tests.helpers.image_files import png
from tests.helpers.observed import Observed
from tests.helpers.peer import Peer, dialled_at, post_picture_to
from tests.helpers.program import Program, free_port
from tests.helpers.slow_program import HANGING, HANGING_FORMAT

pytestmark = pytest.mark.anyio
EXIT_DEADLINE_S = 12.0


@pytest.fixture
def slow_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decodes that take so long that a signal comes in the middle of one."""
    monkeypatch.setenv("FAULT_DECODE_S", "0.7")


@asynccontextmanager
async def running(port: int | None = None, **limits: float) -> AsyncIterator[Observed]:
    """Give a program of the test's own, which it may end as it likes, with little patience but where it says more."""
    program = Program(port or free_port(), module="tests.helpers.slow_program", limits={**SHORT, **limits}, forked=True)
    try:
        await asyncio.to_thread(program.wait_until_ready)
        yield Observed(program, await post_picture_to(program.url, png(64, 48)))
    finally:
        program.kill()


async def exit_code(server: Observed) -> int:
    """Return how the program ended; it never does where that takes longer than any of its waits."""
    return await asyncio.to_thread(server.program.process.wait, EXIT_DEADLINE_S)


@pytest.mark.usefixtures("slow_model")
async def test_a_stopping_server_finishes_the_click_at_hand_and_asks_for_the_rest_again() -> None:
    async with running(shutdown_timeout_s=4) as server, server.session() as peer:
        for x in range(4):
            await peer.send(m.Click(seq=peer.seq(), x=x, y=1))
        await peer.until_pong()  # the server has them all
        server.program.process.send_signal(signal.SIGTERM)
        code, said = await peer.closed()
        assert code == CloseCode.RESTART
        assert [item.points[0][0] for item in said if isinstance(item, m.Object)] == [0]
        assert await exit_code(server) == 0
        assert "Traceback" not in server.program.said


@pytest.fixture
def stuck_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decode that outlasts every patience."""
    monkeypatch.setenv("FAULT_DECODE_S", "100")


@pytest.mark.usefixtures("stuck_model")
async def test_a_click_that_never_ends_does_not_keep_the_server() -> None:
    async with running(click_timeout_s=100) as server, server.session() as peer:
        await peer.send(m.Click(seq=peer.seq(), x=1, y=1))
        await peer.until_pong()
        server.program.process.send_signal(signal.SIGTERM)
        assert (await peer.closed())[0] == CloseCode.RESTART
        assert await exit_code(server) == 0


async def test_a_file_that_is_never_done_does_not_keep_the_server() -> None:
    async with running() as server, server.session() as peer:
        await peer.click(5, 5)
        await peer.send(m.Export(seq=peer.seq(), format=HANGING_FORMAT))
        await peer.until_pong()
        server.program.process.send_signal(signal.SIGTERM)
        assert (await peer.closed())[0] == CloseCode.RESTART
        assert await exit_code(server) == 0


@pytest.mark.usefixtures("stuck_model")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_is_not_waited_for(how: signal.Signals) -> None:
    async with running(click_timeout_s=100, shutdown_timeout_s=60) as server, server.session() as peer:
        await peer.send(m.Click(seq=peer.seq(), x=1, y=1))
        await peer.until_pong()
        for _ in range(2):
            server.program.process.send_signal(how)
            await asyncio.sleep(0.3)
        assert await exit_code(server) == 0
    assert "Traceback" not in server.program.said


async def test_a_model_that_hangs_for_good_is_seen_and_the_server_ends_for_a_new_start() -> None:
    async with running(click_timeout_s=0.3) as server, dialled_at(server.ws_url) as peer:
        await peer.hello()
        await peer.open(await post_picture_to(server.url, png(HANGING, 40)))
        for _ in range(2 * MAX_HUNG):  # one that waits for a thread to be given up may end before it begins
            await peer.send(m.Click(seq=peer.seq(), x=1, y=1))
        code, said = await peer.closed()
        codes = [message.code for message in said if isinstance(message, m.Error)]
        assert set(codes) == {"engine_failed"}
        assert len(codes) >= MAX_HUNG
        assert code == CloseCode.RESTART
        assert await exit_code(server) == 70
        assert "model_lost" in server.program.said


@contextlib.asynccontextmanager
async def restored(url: str, at: list[tuple[float, float]]) -> AsyncIterator[tuple[Peer, list[m.Object]]]:
    """Do what a client does after a restart: the picture again, then every prompt."""
    async with dialled_at(url.replace("http", "ws", 1) + "/ws") as peer:
        await peer.hello()
        await peer.open(await post_picture_to(url, png(64, 48)))
        yield peer, [await peer.click(x, y) for x, y in at]


async def test_after_a_kill_the_same_prompts_give_the_same_masks() -> None:
    port, clicks = free_port(), [(5.0, 5.0), (50.0, 40.0)]
    async with running(port) as server, restored(server.url, clicks) as (peer, before):
        await peer.send(m.Click(seq=peer.seq(), x=30, y=20))
        server.program.process.kill()
        with contextlib.suppress(Exception):
            await peer.closed()
    async with running(port) as again, restored(again.url, clicks) as (_, after):
        assert [item.masks for item in after] == [item.masks for item in before]


async def test_a_session_of_before_a_restart_is_a_new_one(victim: Observed) -> None:
    async with dialled_at(victim.ws_url) as peer:
        await peer.send(m.Hello(version=1, session="0" * 32, token="1" * 32))
        assert not (await peer.expect(m.Welcome)).resumed


async def test_few_descriptors_turn_new_clients_away_and_keep_the_old_ones(victim: Observed) -> None:
    if not hasattr(resource, "prlimit"):
        pytest.skip("limits of another process can be set on Linux alone")
    pid = victim.program.process.pid
    before = await victim.figures()
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    async with victim.session() as old:
        open_now = (await victim.figures()).descriptors
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (int(open_now) + 5, usual[1]))
        sockets = [asyncio.open_connection("127.0.0.1", int(victim.url.rsplit(":", 1)[1])) for _ in range(20)]
        opened = await asyncio.gather(*sockets)
        assert (await old.hover(5, 5)).x == 5
        for _, writer in opened:
            writer.transport.abort()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        assert (await victim.get("/healthz")).status_code == 200
        assert (await old.click(5, 5)).id == 1
    await victim.recovered(before)


async def test_sessions_are_forgotten_without_anyone_coming(victim: Observed) -> None:
    async with victim.session():
        pass
    nobody = dataclasses.replace(await victim.figures(), connections=0, sessions=0)
    await victim.recovered(nobody)


async def test_the_log_tells_nothing_of_what_clients_do(victim: Observed) -> None:
    """No token, no picture's name and no message is ever in the log."""
    async with victim.session() as peer:
        made = await peer.click(5, 5)
        await peer.send(m.Label(seq=peer.seq(), object=made.id, name="very\r\nsecret"))
        await peer.expect(m.Classes)
        await peer.expect(m.Object)
        await peer.socket.send(b"\xc1" * 20)
        await peer.until_pong()
    said = victim.program.said
    assert victim.image_id not in said
    assert "secret" not in said
