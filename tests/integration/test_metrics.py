"""What `/metrics` tells an operator."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.protocol import messages as m
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import happened, opened
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio


async def told(server: Server) -> dict[str, float]:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(f"{server.url}/metrics")
    assert response.status_code == 200
    return {
        sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_it_counts_what_clients_do(server: Server) -> None:
    async with opened(server, png()) as peer:
        await peer.click(5, 5)
        await peer.hover(6, 6)
        await peer.send(m.Delete(seq=peer.seq(), object=99))
        await peer.expect(m.Error)
        figures = await told(server)
    assert figures["hoversam_connections"] == figures["hoversam_sessions,held"] == 1
    assert figures["hoversam_messages_total,click"] == 1
    assert figures["hoversam_errors_total,unknown_object"] == 1
    assert figures["hoversam_decode_seconds_count"] == 2
    assert figures["hoversam_encode_seconds_count"] == 1
    assert figures["hoversam_cache_bytes,pictures"] == len(png())
    assert figures["hoversam_cache_bytes,embeddings"] == 1000
    assert figures["hoversam_embedding_lookups_total,hit"] >= 2
    assert figures["hoversam_responses_total,200"] >= 1
    assert figures["hoversam_queue_depth,decode"] == 0


async def test_it_counts_hovers_that_were_overtaken(server: Server, engine: FakeEngine) -> None:
    engine.decode_gate = threading.Event()
    async with opened(server, png()) as peer:
        await peer.send(m.Hover(seq=peer.seq(), x=1, y=1))
        await happened(engine.decoding)
        for x in range(5):
            await peer.send(m.Hover(seq=peer.seq(), x=x, y=1))
        await peer.until_pong()
        assert (await told(server))["hoversam_hovers_dropped_total"] == 4


async def test_two_applications_count_for_themselves(engine: FakeEngine, server: Server) -> None:
    other = await started(Settings(), FakeEngine())
    async with opened(server, png()):
        assert (await told(other))["hoversam_connections"] == 0
    await other.stop()


async def test_a_blocked_event_loop_is_seen(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    time.sleep(1.5)  # noqa: ASYNC251  this very loop is the server's
    await asyncio.sleep(0.3)
    figures = await told(server)
    slow = figures["hoversam_event_loop_lag_seconds_count"] - figures["hoversam_event_loop_lag_seconds_bucket,1.0"]
    assert slow == 1
    assert "event_loop_blocked" in capsys.readouterr().out


async def test_closed_sockets_are_counted_by_code(server: Server) -> None:
    async with opened(server, png()) as peer:
        await peer.socket.send("text")
        assert (await peer.closed())[0] == m.CloseCode.TEXT_FRAME
    assert (await told(server))["hoversam_sockets_closed_total,1003"] == 1
