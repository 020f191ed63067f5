"""A Ray of several nodes on this machine, started by the commands that operators are told."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from app.fleet.entry import ENVIRONMENT
from tests.helpers.family import family
from tests.helpers.preloaded import ROOT
from tests.helpers.program import START_DEADLINE_S, free_port

TOKEN = "a" * 64
HERE = "--node-ip-address=127.0.0.1"
SMALL = "--object-store-memory=100000000"


class RayNodes:
    """A head without workers, and the nodes that join it.

    Attributes:
        address: of the head.
        env: of whatever joins it.
    """

    def __init__(self) -> None:
        """Start the head."""
        self._folder = Path(tempfile.mkdtemp(prefix="nodes-", dir="/tmp"))  # Ray's sockets have long names
        self.env = {**os.environ, **ENVIRONMENT, "RAY_AUTH_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self._log = (self._folder / "said.txt").open("a")
        options = f"--port={port}", "--include-dashboard=false", "--num-cpus=0", f"--temp-dir={self._folder}"
        self.head = self._start("--head", *options)
        self.nodes: list[subprocess.Popen[bytes]] = []
        self._started = 0
        self._wait_for_one_more()

    def join(self, *options: str, within: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Add a node with room for one worker, or with other options; `within` is a command that runs the node's."""
        node = self._start(f"--address={self.address}", *(options or ("--num-cpus=1",)), within=within)
        self.nodes.append(node)
        self._wait_for_one_more()
        return node

    def kill_node(self, node: subprocess.Popen[bytes]) -> None:
        """End all that runs on a node at once, as if its machine had lost its power."""
        for each in family(node.pid):
            with suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGKILL)
        node.wait()
        self.nodes.remove(node)

    def kill_head(self) -> None:
        """End the process that knows who is there."""
        [server] = [each for each in family(self.head.pid) if each.name == "gcs_server"]
        os.kill(server.pid, signal.SIGKILL)

    def close(self) -> None:
        """End all nodes."""
        for process in [*self.nodes, self.head]:
            for each in family(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)
            process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_for_one_more(self) -> None:
        """Return once one more node says that it runs."""
        self._started += 1
        until, said = time.monotonic() + START_DEADLINE_S, ""
        while said.count("Ray runtime started") < self._started:
            assert time.monotonic() < until, said
            time.sleep(0.1)
            said = (self._folder / "said.txt").read_text()

    def _start(self, *options: str, within: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        command = [*within, sys.executable, "-m", "ray.scripts.scripts", "start", *options, HERE, SMALL, "--block"]
        return subprocess.Popen(command, env=self.env, stdout=self._log, stderr=self._log, cwd=ROOT)
