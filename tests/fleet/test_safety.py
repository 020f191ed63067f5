"""What listens, and what is written: whoever reaches a port of Ray's runs code here, so both are known and few."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.fleet.cluster import RayWorkers
from app.protocol.recipe import PointStep
from app.service.embeddings import EmbeddingKey
from app.service.scheduler import Priority
from app.session.objects import SessionObject
from app.session.query import Query
from tests.fleet.conftest import fleet_of
from tests.helpers.backend_promises import SIZE_HW, sources

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
LISTENERS = {"gcs_server", "raylet", "monitor.py", "ray::RuntimeEnvAgent", "ray::ModelWorker", "the server"}
"""As the guide for operators lists them; no dashboard, and no client server."""
LISTENING = "0A"
NAME = "a name that only its owner should read"


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that it has started."""
    yield pid
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        for word in child.read_text().split():
            yield from family(int(word))


def words_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def folder() -> Path:
    """Return where Ray keeps its logs and sockets."""
    words = (word for pid in family(os.getpid()) for word in words_of(pid))
    [found] = {word.split("=", 1)[1] for word in words if word.startswith(("--temp_dir=", "--temp-dir="))}
    return Path(found)


def files() -> list[Path]:
    return [path for path in folder().rglob("*") if path.is_file()]


def name_of(pid: int) -> str:
    words = words_of(pid)
    if pid == os.getpid():
        return "the server"
    known = [Path(word).name if "/" in word else word for word in words]
    return next((word for word in known if word in LISTENERS or word == "dashboard.py"), known[0])


def listeners() -> set[str]:
    """Return which of our processes listen on TCP."""
    owners = {
        str(link.readlink()): pid
        for pid in family(os.getpid())
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    }
    rows = [row.split() for kind in ("tcp", "tcp6") for row in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]]
    open_ones = {f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING}
    return {name_of(pid) for link, pid in owners.items() if link in open_ones}


async def test_only_what_ray_needs_listens_with_a_token_of_its_own(workers: RayWorkers) -> None:
    async with fleet_of(workers, sources()):
        assert listeners() <= LISTENERS
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


async def test_neither_tokens_nor_pictures_nor_names_are_written_down(workers: RayWorkers) -> None:
    given = sources()
    async with fleet_of(workers, given) as backend:
        key = EmbeddingKey("tiny", "b")
        await backend.encode(key)
        query = Query(1, SessionObject(1, NAME, 0, (PointStep(x=100, y=120),)))
        assert await backend.preview(key, SIZE_HW, lambda: query, Priority.HOVER)
    secrets = [os.environ["RAY_AUTH_TOKEN"].encode(), NAME.encode(), given.kept["b"].tobytes()[600:700]]
    written = files()
    assert any("worker-" in path.name for path in written)
    assert [(path.name, secret) for path in written for secret in secrets if secret in path.read_bytes()] == []
