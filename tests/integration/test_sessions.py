"""Sessions that outlive their sockets, and those that don't."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from app.protocol import messages as m
from app.protocol.messages import CloseCode
from app.realtime.connection_tasks import ConnectionTasks
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.limits import shrunk
from tests.helpers.peer import DEADLINE_S, dialled, greeted, happened, opened, until, uploaded
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio


async def test_the_owner_comes_back_to_picture_and_objects(server: Server) -> None:
    image_id = await uploaded(server, png())
    async with dialled(server) as peer:
        welcome = await peer.hello()
        image = await peer.open(image_id)
        first = await peer.click(5, 5)
        second = await peer.click(50, 40)
    async with dialled(server) as back:
        again = await back.hello(welcome)
        assert (again.resumed, again.session) == (True, welcome.session)
        assert again.token != welcome.token
        shown = await back.expect(m.Image)
        assert (shown.image_id, shown.width, shown.height) == (image.image_id, 64, 48)
        objects = [await back.expect(m.Object) for _ in range(2)]
        assert [item.masks for item in objects] == [first.masks, second.masks]
        await back.send(m.Undo(seq=100))
        assert (await back.expect(m.Gone)).objects == (second.id,)


async def test_a_click_that_was_made_before_the_socket_broke_is_not_made_again(server: Server) -> None:
    image_id = await uploaded(server, png())
    async with dialled(server) as peer:
        welcome = await peer.hello()
        await peer.open(image_id)
        click = m.Click(seq=peer.seq(), x=5, y=5)
        await peer.send(click)
        made = await peer.expect(m.Object)
    async with dialled(server) as back:
        await back.hello(welcome)
        await back.expect(m.Image)
        await back.expect(m.Object)
        await back.send(click)
        assert await back.expect(m.Object) == made
        assert await back.until_pong() == []


async def test_a_returned_owner_is_told_whether_the_picture_is_to_be_encoded_again(
    server: Server, engine: FakeEngine
) -> None:
    image_id = await uploaded(server, png())
    async with dialled(server) as peer:
        welcome = await peer.hello()
        await peer.open(image_id)
        made = await peer.click(5, 5)
    async with dialled(server) as back:
        welcome = await back.hello(welcome)
        assert (await back.expect(m.Image)).cached
    server.backend.store.drop()
    async with dialled(server) as back:
        await back.hello(welcome)
        assert not (await back.expect(m.Image)).cached
        assert (await back.expect(m.Object)).masks == made.masks
        await back.send(m.Click(seq=100, x=5, y=5))
        assert (await back.expect(m.Object)).masks == made.masks
    assert engine.encodes == 2


async def test_a_session_without_a_picture_is_taken_up_too(server: Server) -> None:
    async with dialled(server) as peer:
        welcome = await peer.hello()
    async with dialled(server) as back:
        assert (await back.hello(welcome)).resumed
        assert await back.until_pong() == [m.Gone(seq=0, objects=(), can_undo=False, can_redo=False, last=True)]


@pytest.mark.parametrize("token", [None, "", "0" * 32])
async def test_a_wrong_token_closes_and_leaves_the_owner_alone(server: Server, token: str | None) -> None:
    async with dialled(server) as owner:
        welcome = await owner.hello()
        async with dialled(server) as thief:
            await thief.send(m.Hello(version=1, session=welcome.session, token=token))
            assert await thief.closed() == (CloseCode.WRONG_TOKEN, [])
        assert await owner.until_pong() == []


async def test_a_token_whose_successor_was_used_closes(server: Server) -> None:
    async with dialled(server) as peer:
        first = await peer.hello()
    async with dialled(server) as peer:
        second = await peer.hello(first)
    async with dialled(server) as peer:
        await peer.hello(second)
    async with dialled(server) as late:
        await late.send(m.Hello(version=1, session=first.session, token=first.token))
        assert await late.closed() == (CloseCode.WRONG_TOKEN, [])


async def test_an_owner_who_comes_back_too_late_gets_a_new_session(engine: FakeEngine) -> None:
    server = await started(Settings(), engine, limits=shrunk(resume_s=0.05, shutdown_timeout_s=2.0))
    async with dialled(server) as peer:
        welcome = await peer.hello()
        await peer.open(await uploaded(server, png()))
        await peer.click(5, 5)

    def is_forgotten() -> bool:
        server.shared_state.registry.forget_expired()
        return len(server.shared_state.registry) == 0

    await until(is_forgotten)
    async with dialled(server) as late:
        again = await late.hello(welcome)
        assert (again.resumed, again.session == welcome.session) == (False, False)
        assert await late.until_pong() == []
        await late.open(await uploaded(server, png()))
        assert (await late.click(5, 5)).id == 1
    await server.stop()


async def test_a_session_that_is_not_known_any_more_becomes_a_new_one(server: Server) -> None:
    async with dialled(server) as peer:
        await peer.send(m.Hello(version=1, session="0" * 32, token="0" * 32))
        welcome = await peer.expect(m.Welcome)
        assert not welcome.resumed
        assert welcome.session != "0" * 32


async def test_a_newer_socket_of_the_owner_takes_over(server: Server) -> None:
    async with dialled(server) as old, dialled(server) as new:
        welcome = await old.hello()
        await old.open(await uploaded(server, png()))
        assert (await new.hello(welcome)).resumed
        assert (await old.closed())[0] == CloseCode.TAKEN_OVER
        await new.expect(m.Image)
        await new.send(m.Click(seq=10, x=5, y=5))
        assert (await new.expect(m.Object)).id == 1
    assert len(server.shared_state.registry) == 1


async def test_a_full_server_says_so_and_lets_the_next_in_when_one_leaves(engine: FakeEngine) -> None:
    server = await started(Settings(max_sessions=2), engine)
    async with greeted(server):
        async with greeted(server), dialled(server) as third:
            await third.send(m.Hello(version=1))
            code, [error] = await third.closed()
            assert isinstance(error, m.Error)
            assert (code, error.code, error.fatal) == (CloseCode.FULL, "busy", True)
            assert error.retry_after
        await until(lambda: server.shared_state.registry.held == 1)
        async with greeted(server) as third:
            assert await third.until_pong() == []
    await server.stop()


async def test_no_hello_in_time_closes(engine: FakeEngine) -> None:
    server = await started(Settings(), engine, limits=shrunk(hello_timeout_s=0.05, shutdown_timeout_s=2.0))
    async with dialled(server) as silent:
        assert await silent.closed() == (CloseCode.BAD_MESSAGES, [])
    assert len(server.shared_state.registry) == 0
    await server.stop()


async def test_an_idle_session_is_closed_and_can_be_taken_up(engine: FakeEngine) -> None:
    server = await started(Settings(), engine, limits=shrunk(idle_timeout_s=0.05, shutdown_timeout_s=2.0))
    async with dialled(server) as idle:
        welcome = await idle.hello()
        assert await idle.closed() == (CloseCode.IDLE, [])
    async with dialled(server) as back:
        assert (await back.hello(welcome)).resumed
    await server.stop()


@pytest.mark.parametrize("abruptly", [True, False])
async def test_a_client_that_goes_during_a_decode_leaves_nothing_behind(
    server: Server, engine: FakeEngine, abruptly: bool
) -> None:
    engine.decode_gate = threading.Event()
    before = asyncio.all_tasks()
    async with opened(server, png()) as peer:
        await peer.send(m.Click(seq=peer.seq(), x=5, y=5))
        await peer.send(m.Click(seq=peer.seq(), x=6, y=6))
        await happened(engine.decoding)
        if abruptly:
            peer.socket.transport.abort()
    await until(lambda: not server.shared_state.registry.held)
    await until(lambda: asyncio.all_tasks() <= before)
    engine.decode_gate.set()
    async with opened(server, png()) as other:
        assert (await other.click(7, 7)).id == 1
    assert [prompts[0].points_xy[0] for prompts in engine.decoded] == [(5, 5), (7, 7)]


async def test_a_socket_that_is_taken_over_while_it_goes_raises_nothing_unseen(server: Server) -> None:
    unseen: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    async with dialled(server) as peer:
        welcome = await peer.hello()
        [entry] = server.shared_state.registry._entries.values()
        connection = entry.holder
    await until(lambda: not server.shared_state.registry.held)
    assert connection is not None
    connection.taken_over()
    del connection
    async with dialled(server) as back:
        await back.hello(welcome)
    gc.collect()
    assert unseen == []


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    tasks = ConnectionTasks()
    tasks.start(stubborn())
    await asyncio.sleep(0)
    results = await asyncio.wait_for(tasks.stop(), DEADLINE_S)
    assert swallowed.is_set()
    assert [type(result) for result in results] == [asyncio.CancelledError, type(None)]


async def test_a_session_that_only_waits_has_no_workers(server: Server) -> None:
    async with greeted(server) as peer:
        await peer.until_pong()
        waiting = len(asyncio.all_tasks())
        await peer.send(m.Undo(seq=peer.seq()))
        await peer.receive()
        assert len(asyncio.all_tasks()) > waiting + 2


async def test_a_stopping_server_closes_sockets_with_restart(server: Server, engine: FakeEngine) -> None:
    engine.decode_gate = threading.Event()
    async with opened(server, png()) as busy, greeted(server) as idle:
        await busy.send(m.Click(seq=busy.seq(), x=5, y=5))
        await happened(engine.decoding)
        stopping = asyncio.create_task(server.stop())
        codes = [(await peer.closed())[0] for peer in (busy, idle)]
        assert codes == [CloseCode.RESTART, CloseCode.RESTART]
        await stopping  # although a prompt is still with the device
    assert server.task.done()


async def test_hovers_of_a_client_that_reads_nothing_take_no_memory(engine: FakeEngine) -> None:
    limits = shrunk(max_messages_burst=2100, max_frames_per_s=10**5, shutdown_timeout_s=2.0)
    server = await started(Settings(), engine, limits=limits)
    async with opened(server, png()) as peer:
        for number in range(2000):
            await peer.send(m.Hover(seq=peer.seq(), x=number % 60, y=5))
        said = await peer.until_pong()
        assert all(isinstance(message, m.Preview) for message in said)
    await server.stop()
