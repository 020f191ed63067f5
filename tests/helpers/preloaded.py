"""Programs begun by a fork of a process that has imported everything: no start pays for torch again.

Decision: most programs of the tests are forked. Context: importing takes a program 0.6 s of processor time, with torch
2 s, and the tests start a hundred. Choice: multiprocessing's fork server, which Python keeps; environment, arguments
and streams are the program's own. Price: the interpreter's own start and end, and what is imported when, are not
seen: tests of these start a whole interpreter.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Final

ROOT = Path(__file__).parents[2]
MODULES: Final = [
    "app.__main__",
    "app.asgi",
    "app.client",
    "app.server.serve",
    "app.engine.sam2.engine",
    "torch",
    "sam2",
]
"""What the process imports that all are forked from; a program finds it there when it imports it."""


class Forked:
    """A running program, with the part of `subprocess.Popen` that tests use."""

    def __init__(
        self, module: str, *arguments: str, env: Mapping[str, str], out: IO[str] | None = None, err: IO[str] | None
    ) -> None:
        """Start `python -m MODULE ARGUMENTS` in the repository's root.

        Args:
            module: to run.
            arguments: of its command line.
            env: its whole environment. What libraries read when they are loaded is as it was at the first program.
            out, err: files that it writes to; None gives it a pipe for its errors, which is `stderr`, and for what it
                prints the stream of the tests.
        """
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(MODULES)
        reading = None
        if err is None:
            reading, writing = os.pipe()
        else:
            writing = os.dup(err.fileno())
        streams = [Connection(writing, readable=False)]
        if out is not None:
            streams.append(Connection(os.dup(out.fileno()), readable=False))
        self.stderr: IO[str] | None = None if reading is None else os.fdopen(reading, encoding="utf-8")
        self._process = context.Process(target=become, args=(module, arguments, dict(env), streams[::-1]))
        self._asking = threading.Lock()
        self._process.start()
        for stream in streams:
            stream.close()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        """Return its exit code, minus the signal's number where one ended it; None while it runs."""
        with self._asking:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code once it has ended.

        Raises:
            TimeoutExpired: it runs on after `timeout` seconds.
        """
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def send_signal(self, how: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, how)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def become(module: str, arguments: tuple[str, ...], env: dict[str, str], streams: list[Connection]) -> None:
    """Run a module as a program, in the process that was forked for it.

    Args:
        module: to run.
        arguments: of its command line.
        env: its environment.
        streams: what it writes to: for what it prints, where it is kept, and for its errors.
    """
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    for stream, number in zip(reversed(streams), (2, 1), strict=False):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.argv = [module, *arguments]
    sys.modules.pop(f"{module}.__main__", None)  # which others may have imported; `runpy` would warn of it
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def completed(module: str, *arguments: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run a module to its end, and return its exit code and all that it said."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        program = Forked(module, *arguments, env=os.environ, out=out, err=err)
        try:
            code = program.wait(timeout_s)
        finally:
            program.kill()
            program.wait()
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read())
    return subprocess.CompletedProcess([module, *arguments], code, *said)
