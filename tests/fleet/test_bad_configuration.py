"""The program itself where workers can't be had: one line says what to do, and the exit code is the guide's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.fleet.cluster import RayWorkers
from tests.helpers.preloaded import completed
from tests.helpers.program import START_DEADLINE_S, free_port

NANO = "serve", "--port", "0", "--offline", "--model", "nano"
OTHER_TOKEN = "b" * 64


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables, or take away those that are empty, for programs that are started meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
            if not value:
                patch.delenv(name)
        yield


def told(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a program says of what is wrong."""
    [line] = [line for line in ended.stderr.splitlines() if line]
    return line.removeprefix("hoversam: error: ")


def test_without_ray() -> None:
    ended = completed("tests.helpers.rayless_program", *NANO, "--workers", "2", timeout_s=START_DEADLINE_S)
    assert told(ended) == "workers need Ray, which isn't installed: start with ./start.sh, or install hoversam[fleet]"
    assert ended.returncode == 2


def test_at_a_wrong_address_and_without_a_token() -> None:
    address = f"127.0.0.1:{free_port()}"
    for token, line in (
        (OTHER_TOKEN, f"nothing answers at {address} (["),
        ("", "a cluster is joined with its token: set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH as on its other nodes"),
    ):
        with environment(RAY_AUTH_TOKEN=token):
            ended = completed("app", *NANO, "--ray-address", address, timeout_s=START_DEADLINE_S)
        assert told(ended).startswith(line)
        assert ended.returncode == 2


def test_with_a_wrong_token(workers: RayWorkers) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    assert os.environ["RAY_AUTH_TOKEN"] != OTHER_TOKEN
    with environment(RAY_AUTH_TOKEN=OTHER_TOKEN):
        ended = completed("app", *NANO, "--ray-address", address, timeout_s=START_DEADLINE_S)
    assert told(ended) == (
        f"the cluster at {address} takes no token like this one: set RAY_AUTH_TOKEN as on its other nodes"
    )
    assert ended.returncode == 2
