"""The real program as a process of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from app.client import Reconnect
from tests.helpers.limits import environment
from tests.helpers.preloaded import ROOT, Forked, completed
from tests.helpers.server import STOP_DEADLINE_S

START_DEADLINE_S = 300.0
PATIENT = Reconnect(give_up_s=START_DEADLINE_S, first_s=0.05, longest_s=0.5)
"""How a client waits for a server that is started again."""


class Program:
    """`python -m app serve` as a process of its own; what it says on standard error is kept."""

    def __init__(
        self,
        port: int,
        *options: str,
        module: str = "app",
        limits: dict[str, float] | None = None,
        forked: bool = False,
    ) -> None:
        """Start it.

        Args:
            port: to listen on.
            options: further ones of the command line.
            module: what to run.
            limits: those that a program of the tests keeps to, by their names; the product itself takes none.
            forked: begin where all imports are done, for a test to which neither the interpreter's start nor its end
                matters.
        """
        arguments = ("serve", "--host", "127.0.0.1", "--port", str(port), *options)
        env = environment(limits or {})
        self.url = f"http://127.0.0.1:{port}"
        self.process: Forked | subprocess.Popen[str]
        if forked:
            self.process = Forked(module, *arguments, env=env, err=None)
        else:
            command = [sys.executable, "-m", module, *arguments]
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self.ready = threading.Event()
        self._said_more, self._silent = threading.Condition(), False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def wait_until_ready(self) -> None:
        """Return once it serves; fails with what it said where it dies or takes too long."""
        if not self.ready.wait(START_DEADLINE_S) or self.process.poll() is not None:
            pytest.fail(f"the server did not start, exit code {self.process.poll()}:\n{self.said}")
        transport = httpx.HTTPTransport(retries=5)  # it says its address just before it listens
        with httpx.Client(transport=transport, timeout=STOP_DEADLINE_S, trust_env=False) as client:
            client.get(f"{self.url}/healthz").raise_for_status()

    def wait_for(self, words: str) -> None:
        """Return once it has said something; fails where it ends or takes too long before."""
        with self._said_more:
            done = self._said_more.wait_for(lambda: words in self.said or self._silent, START_DEADLINE_S)
        if not done or words not in self.said:
            pytest.fail(f"the server did not say {words!r}:\n{self.said}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end and return its exit code; one that has died before is a failure."""
        died = self.process.poll()
        if died is not None:
            pytest.fail(f"the server died with exit code {died}:\n{self.said}")
        self.process.send_signal(how)
        try:
            return self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the server did not stop:\n{self.said}")
        finally:
            self.kill()

    def kill(self) -> None:
        """End it whatever it does, and take what it had still to say."""
        self.process.kill()
        self.process.wait()
        self._reader.join(STOP_DEADLINE_S)

    def _read(self) -> None:
        if self.process.stderr is None:
            raise AssertionError("standard error is piped")
        with self.process.stderr as stream:
            for line in stream:
                with self._said_more:
                    self.lines.append(line)
                    self._said_more.notify_all()
                if "open http" in line:
                    self.ready.set()
        self.ready.set()  # it has ended: whoever waits sees that
        with self._said_more:
            self._silent = True
            self._said_more.notify_all()


class Phoenix:
    """The real program without a model, which can be ended and begun again at its address."""

    def __init__(self) -> None:
        self.port = free_port()
        self.programs: list[Program] = []
        self.begin()

    @property
    def url(self) -> str:
        return self.programs[-1].url

    def begin(self) -> None:
        self.programs.append(Program(self.port, module="tests.helpers.fake_program", forked=True))
        self.programs[-1].wait_until_ready()

    def end(self, how: signal.Signals) -> None:
        self.programs[-1].stop(how)

    def restart(self, how: signal.Signals) -> None:
        self.end(how)
        self.begin()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_to_the_end(*options: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m app serve` where it is expected to give up by itself."""
    return completed("app", "serve", *options, timeout_s=START_DEADLINE_S)
