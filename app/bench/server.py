"""A server of our own for a benchmark: another process, as users run it, on a free port."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent.parent
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 15.0
POLL_S = 0.05


@dataclass(frozen=True)
class Running:
    """A server's address and process id."""

    url: str
    pid: int


@contextlib.contextmanager
def running_server(options: Sequence[str], cache_dir: Path, *, beside: Sequence[str] = ()) -> Iterator[Running]:
    """Run `python -m app serve`; it is stopped at the end.

    Args:
        options: of the command.
        cache_dir: a folder for compiled graphs.
        beside: libraries that the process imports before anything else, to see what they cost.

    Raises:
        RuntimeError: it didn't come up; its own words are on standard error.
    """
    port = free_port()
    burdened = f"import sys, {', '.join(beside)}; from app.__main__ import main; sys.exit(main())"
    program = ["-c", burdened] if beside else ["-m", "app"]
    command = [sys.executable, *program, "serve", "--offline", "--port", str(port), *options]
    environment = {**os.environ, "HOVERSAM_CACHE_DIR": str(cache_dir)}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:  # noqa: S603 - our own program
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url, process)
            yield Running(url, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return once the server answers.

    Raises:
        RuntimeError: it ended, or gave no answer in time.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").is_success:
                return
        time.sleep(POLL_S)
    raise RuntimeError(f"the server gave no answer within {START_TIMEOUT_S:g} s")
