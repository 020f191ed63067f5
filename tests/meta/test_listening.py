"""A port of a test's own leaves nothing open, whenever it is closed: a later test would be failed for it."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from tests.helpers.listening import listening

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("turns", range(6))
async def test_who_comes_as_a_port_is_closed_is_let_in_and_cut_off(turns: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        async with listening(serve) as port:
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
            for _ in range(turns):  # of the loop: it has accepted them, knows of them, has begun to serve
                await asyncio.sleep(0)
        gc.collect()
    for client in clients:
        client.close()
    assert [str(warning.message) for warning in told] == []
