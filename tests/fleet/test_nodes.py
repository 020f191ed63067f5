"""A cluster of nodes whose machines, front ends and head die: `./start.sh soak` runs them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from statistics import median

import httpx
import pytest

from app.client import connect
from app.fleet.routing import ranked
from app.service.embeddings import EmbeddingKey
from tests.fleet.test_soak import PICTURE, STEPS, TIMES, Seen, pointed, walked
from tests.helpers.family import pids_of
from tests.helpers.image_files import png
from tests.helpers.load import SOAKS
from tests.helpers.observed import session_at, show
from tests.helpers.peer import Peer, opened, post_picture_to
from tests.helpers.program import PATIENT, Program, free_port
from tests.helpers.ray_nodes import RayNodes
from tests.helpers.server import Server

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not SOAKS or sys.platform != "linux", reason="takes minutes: ./start.sh soak"),
]
HOVERS_AFTER = 10
"""Rounds of hovers after a strike."""
ROUND = 6
"""Walks of a session around a fault."""
WITHOUT_HEAD_S = 75.0
PATIENCE_S = 60.0


def front_end(nodes: RayNodes, monkeypatch: pytest.MonkeyPatch, *, port: int, workers: int) -> Program:
    """Start a server of the cluster, and its workers where they aren't there yet."""
    for name, value in nodes.env.items():
        monkeypatch.setenv(name, value)
    options = "--offline", "--ray-address", nodes.address, "--workers", str(workers)
    return Program(port, *options, module="tests.helpers.fleet_program")


async def figures(program: Program, name: str) -> dict[str, float]:
    """Return a figure of each worker."""
    async with httpx.AsyncClient(trust_env=False) as http:
        rows = (await http.get(f"{program.url}/metrics")).text.splitlines()
    found = [row.split("}") for row in rows if row.startswith(f"hoversam_worker_{name}{{")]
    return {head.split('"')[1]: float(value) for head, value in found}


async def are_up(program: Program, count: int) -> None:
    """Return once so many workers answer."""
    until = time.monotonic() + PATIENCE_S
    while sum((await figures(program, "up")).values()) != count:
        assert time.monotonic() < until, await figures(program, "up")
        await asyncio.sleep(0.1)


def ws_url(program: Program) -> str:
    return f"{program.url.replace('http', 'ws', 1)}/ws"


async def wanted_of(server: Server) -> list[Seen]:
    """Return what one process answers to a walk."""
    async with opened(server, PICTURE) as alone:
        return [await walked(alone, number) for number in range(STEPS)]


async def timed(work: Awaitable[Seen]) -> tuple[Seen, float]:
    began = time.monotonic()
    return await work, time.monotonic() - began


def node_of(nodes: RayNodes, program: Program, worker: str) -> subprocess.Popen[bytes]:
    """Return the node that a worker runs on, by what the server's log says of its process."""
    told = [line for line in program.said.splitlines() if "'worker_ready'" in line and f"'{worker}'" in line]
    pid = int(told[-1].partition("pid=")[2].split()[0])
    [node] = [node for node in nodes.nodes if pid in pids_of(node.pid)]
    return node


async def slowest_hover(peer: Peer, wanted: Mapping[float, object], strike: Awaitable[None]) -> float:
    """Hover without a pause while something is struck and for a while after; return what the slowest took."""
    struck, after, slowest = asyncio.ensure_future(strike), 0, 0.0
    while after < HOVERS_AFTER:
        for x, masks in wanted.items():
            began = time.monotonic()
            assert (await pointed(peer, x, 50)).masks == masks
            slowest = max(slowest, time.monotonic() - began)
        after += struck.done()
    await struck
    return slowest


async def holders_of(program: Program, before: dict[str, float], count: int) -> list[str]:
    """Return the workers that have encoded one more picture, once so many have."""
    until = time.monotonic() + PATIENCE_S
    while True:
        now = await figures(program, "embedding_bytes")
        grown = [name for name in now if now[name] > before[name]]
        if len(grown) == count:
            return grown
        assert time.monotonic() < until, now
        await asyncio.sleep(0.05)


async def around(peers: list[Peer], wanted: list[Seen], strike: asyncio.Task[None]) -> float:
    """Walk in all sessions while something is struck; return how long the longest walk took."""
    slowest = 0.0
    for number in range(ROUND):
        for seen, took_s in await asyncio.gather(*(timed(walked(peer, number)) for peer in peers)):
            assert seen == wanted[number]
            slowest = max(slowest, took_s)
    await strike
    return slowest


async def test_a_node_killed_ten_times_in_mid_hover_and_beside_clicks_costs_no_prompt_and_no_socket(
    nodes: RayNodes, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, took = await wanted_of(server), list[float]()
    await asyncio.to_thread(nodes.join)
    await asyncio.to_thread(nodes.join)
    program = front_end(nodes, monkeypatch, port=free_port(), workers=2)
    try:
        await asyncio.to_thread(program.wait_until_ready)
        image_id = await post_picture_to(program.url, PICTURE)
        for number in range(TIMES):
            await are_up(program, 2)
            async with session_at(ws_url(program), image_id) as one, session_at(ws_url(program), image_id) as two:
                await asyncio.gather(walked(one, 0), walked(two, 0))
                node = nodes.nodes[number % 2]
                strike = asyncio.create_task(asyncio.to_thread(nodes.kill_node, node))
                took.append(await around([one, two], wanted, strike))
            await asyncio.to_thread(nodes.join)
        show(
            f"node killed: slowest of {ROUND} walks of five prompts, median {median(took):.2f} s, most {max(took):.2f}"
        )
        assert program.stop() == 0
    finally:
        program.kill()
        show(program.said[-1000:])


@pytest.mark.parametrize("sessions", [2, 1], ids=["with a copy", "without a copy"])
async def test_the_next_hover_after_a_node_was_killed_comes_within_a_second(
    nodes: RayNodes, server: Server, monkeypatch: pytest.MonkeyPatch, sessions: int
) -> None:
    took = list[float]()
    await asyncio.to_thread(nodes.join)
    await asyncio.to_thread(nodes.join)
    program = front_end(nodes, monkeypatch, port=free_port(), workers=2)
    try:
        await asyncio.to_thread(program.wait_until_ready)
        for number in range(TIMES):
            await are_up(program, 2)
            picture = png(300 + number, 200)
            async with opened(server, picture) as alone:
                wanted = {x: (await pointed(alone, x, 50)).masks for x in (20.0, 90.0, 160.0)}
            before, image_id = await figures(program, "embedding_bytes"), await post_picture_to(program.url, picture)
            async with session_at(ws_url(program), image_id) as peer, AsyncExitStack() as others:
                for _ in range(sessions - 1):
                    await others.enter_async_context(session_at(ws_url(program), image_id))
                first = ranked(await holders_of(program, before, sessions), EmbeddingKey("tiny", image_id))[0]
                strike = asyncio.to_thread(nodes.kill_node, node_of(nodes, program, first))
                took.append(await slowest_hover(peer, wanted, strike))
                show(f"node killed: slowest hover {took[-1]:.2f} s")
            await asyncio.to_thread(nodes.join)
    finally:
        program.kill()
        show(program.said[-3000:])
    show(f"node killed, {sessions} sessions: slowest hover of each, {sorted(round(each, 2) for each in took)} s")
    assert median(took) <= 0.5
    assert max(took) <= 1.0


async def test_a_front_end_killed_ten_times_costs_the_other_nothing_and_its_own_sessions_resume(
    nodes: RayNodes, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, took, port = await wanted_of(server), list[float](), free_port()
    await asyncio.to_thread(nodes.join)
    await asyncio.to_thread(nodes.join)
    programs = [front_end(nodes, monkeypatch, port=each, workers=2) for each in (free_port(), port)]
    try:
        for program in programs:
            await asyncio.to_thread(program.wait_until_ready)
        image_id = await post_picture_to(programs[0].url, PICTURE)
        async with (
            session_at(ws_url(programs[0]), image_id) as other,
            connect(programs[1].url, reconnect=PATIENT) as session,
        ):
            await session.open(PICTURE)
            cup = await session.click(60, 70)
            for number in range(TIMES):
                click = asyncio.create_task(session.click(60 + 5 * number, 90, object=cup.id))
                await asyncio.to_thread(programs[1].kill)
                programs[1] = front_end(nodes, monkeypatch, port=port, workers=2)
                began = time.monotonic()
                while not click.done():
                    assert await walked(other, number) == wanted[number]
                cup = await click
                took.append(time.monotonic() - began)
                assert len(cup.points) == number + 2
        show(f"front end killed: next click of its session after median {median(took):.1f} s, most {max(took):.1f}")
    finally:
        for program in programs:
            program.kill()


async def test_without_its_head_for_more_than_a_minute_work_goes_on(
    nodes: RayNodes, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, took = await wanted_of(server), list[float]()
    await asyncio.to_thread(nodes.join)
    program = front_end(nodes, monkeypatch, port=free_port(), workers=1)
    try:
        await asyncio.to_thread(program.wait_until_ready)
        image_id = await post_picture_to(program.url, PICTURE)
        async with session_at(ws_url(program), image_id) as peer:
            assert await walked(peer, 0) == wanted[0]
            nodes.kill_head()
            began = time.monotonic()
            while time.monotonic() < began + WITHOUT_HEAD_S:
                seen, took_s = await timed(walked(peer, len(took)))
                assert seen == wanted[len(took) % STEPS]
                took.append(took_s)
                await asyncio.sleep(0.2)
        show(f"without a head for {WITHOUT_HEAD_S:.0f} s: {len(took)} walks, the slowest {max(took):.2f} s")
    finally:
        program.kill()


async def test_of_gpu_and_cpu_workers_the_gpu_answers_and_the_cpu_stands_by(
    nodes: RayNodes, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await wanted_of(server)
    await asyncio.to_thread(nodes.join, "--num-cpus=0", "--num-gpus=1")
    await asyncio.to_thread(nodes.join)
    program = front_end(nodes, monkeypatch, port=free_port(), workers=2)
    try:
        await asyncio.to_thread(program.wait_until_ready)
        async with httpx.AsyncClient(base_url=program.url, trust_env=False) as http:
            assert (await http.get("/engines")).json()["tiny"] == "geometry on cuda, 1 worker"
            image_id = await post_picture_to(program.url, PICTURE)
            async with session_at(ws_url(program), image_id) as peer:
                assert await walked(peer, 0) == wanted[0]
                calls = await figures(program, "calls_total")
                assert (calls["worker-0"] > 0, calls["worker-1"]) == (True, 0)
                nodes.kill_node(nodes.nodes[0])
                assert await walked(peer, 1) == wanted[1]
                assert (await http.get("/engines")).json()["tiny"] == "geometry on cpu, 1 worker"
    finally:
        program.kill()
        show(program.said[-1000:])
