"""What a person who starts workers may get wrong: one line that says what to do, and an exit code as documented."""

from __future__ import annotations

import argparse
import importlib.util
import socket
from pathlib import Path

import pytest

from app.errors import FleetError, ModelUnavailableError
from app.fleet import entry
from app.fleet.entry import obstacle
from app.fleet.values import Refused, WorkerSpec
from app.fleet.worker import Worker
from app.limits import AppLimits
from app.server import serve
from app.server.serve import OPTIONS, run
from tests.helpers.program import free_port
from tests.helpers.stand_in import stand_in_spec

TOKEN = {"RAY_AUTH_TOKEN": "a" * 64}


@pytest.fixture
def spec(tmp_path: Path) -> WorkerSpec:
    return stand_in_spec(tmp_path)


def test_without_ray_a_start_with_workers_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "ray" else found(name, *rest))
    monkeypatch.setattr(serve, "configure_logging", lambda *_, **__: None)  # it would outlast the test's own stderr
    monkeypatch.setenv("HOVERSAM_CACHE_DIR", str(tmp_path))
    options = dict.fromkeys(OPTIONS) | {"port": 0, "workers": 2, "model": "nano", "offline": True}
    assert run(argparse.Namespace(**options), AppLimits()) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert line == (
        "hoversam: error: workers need Ray, which isn't installed: start with ./start.sh, or install hoversam[fleet]"
    )


def test_an_address_where_nothing_listens_is_told_at_once() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(FleetError, match=f"nothing answers at {address} .*: is it the address of the cluster's head"):
        entry.check(address, TOKEN)


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        (
            "Unauthenticated: InvalidAuthToken: missing or incorrect",
            60,
            "takes no token like this one: set RAY_AUTH_TOKEN",
        ),
        ("Failed to connect to GCS", 1, "is no head of a Ray"),
    ],
)
def test_what_a_head_answers_to_a_stranger_is_told_in_one_line(
    said: str, code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = "time.sleep(60)" if code == 60 else f"sys.exit({code})"
    monkeypatch.setattr(entry, "KNOCK", f"import sys, time; print({said!r}, file=sys.stderr, flush=True); {end}")
    with pytest.raises(FleetError, match=told) as caught:
        entry.knock("head:6379", TOKEN)
    assert "\n" not in str(caught.value)


def test_a_head_that_takes_our_token_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "KNOCK", "import os, sys; sys.exit(len(os.environ['RAY_AUTH_TOKEN']) != 64)")
    entry.knock("head:6379", TOKEN)


def test_a_cluster_is_not_joined_without_a_token() -> None:
    with socket.create_server(("127.0.0.1", 0)) as head, pytest.raises(FleetError, match="set RAY_AUTH_TOKEN"):
        entry.check(f"127.0.0.1:{head.getsockname()[1]}", {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Failed to connect to Ray cluster at head:6379", "takes no token like this one: set RAY_AUTH_TOKEN"),
        ("Version mismatch: The cluster was started with:\n Ray: 2.61.0", "another version of Ray or Python"),
        ("This node has an IP address of 10.0.0.9, but Ray cannot find a raylet", "ray start --address=head:6379"),
        ("Something else\nand more", "can't be joined: Something else"),
        ("", "can't be joined: RuntimeError"),
    ],
)
def test_what_ray_says_of_a_cluster_becomes_one_line_with_a_cure(text: str, told: str) -> None:
    line = obstacle("head:6379", RuntimeError(text))
    assert told in line
    assert "\n" not in line


@pytest.mark.anyio
async def test_a_worker_that_sees_other_weights_or_none_says_so(spec: WorkerSpec) -> None:
    assert spec.checkpoint is not None
    spec.checkpoint.write_bytes(b"another")
    assert await Worker(spec).ready() == Refused.of(
        ModelUnavailableError(f"{spec.checkpoint} is another file here; give workers the same folder")
    )
    spec.checkpoint.unlink()
    assert await Worker(spec).ready() == Refused.of(
        ModelUnavailableError(f"there is no file {spec.checkpoint} here; give workers the same folder")
    )


@pytest.mark.anyio
async def test_a_worker_of_another_release_says_so(tmp_path: Path) -> None:
    refused = await Worker(stand_in_spec(tmp_path, version="9.9")).ready()
    assert isinstance(refused, Refused)
    assert refused.message.endswith("its front end 9.9")
