"""What listens, and what is written: whoever reaches a port of Ray's runs code here, so both are known and few."""

from __future__ import annotations

import os
import sys
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
from tests.helpers.family import pids_of, ports_of, words_of

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
LISTENERS = {"gcs_server", "raylet", "monitor.py", "ray::RuntimeEnvAgent", "ray::ModelWorker", "the server"}
"""As the guide for operators lists them; no dashboard, and no client server."""
NAME = "a name that only its owner should read"


def folder() -> Path:
    """Return where Ray keeps its logs and sockets."""
    words = (word for pid in pids_of(os.getpid()) for word in words_of(pid))
    [found] = {word.split("=", 1)[1] for word in words if word.startswith(("--temp_dir=", "--temp-dir="))}
    return Path(found)


def files() -> list[Path]:
    return [path for path in folder().rglob("*") if path.is_file()]


async def test_only_what_ray_needs_listens_with_a_token_of_its_own(workers: RayWorkers) -> None:
    async with fleet_of(workers, sources()):
        assert set(ports_of(os.getpid()).values()) <= LISTENERS
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
