"""Who of the workers is there, and what each is: the front end's view of them, shared by all of its threads."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import structlog

from app import __version__
from app.errors import FleetError, HoverError, WorkerEndedError, WorkerLostError
from app.fleet.routing import Deadline, pool_of
from app.fleet.values import About, EncodedThere, Refused

PROBE_S: Final = 0.2
"""So long a worker that is late has for saying that it is alive: its event loop answers, whatever its models are at."""
AGAIN_S: Final = 0.1
"""Between two looks at a worker that is gone."""
READY_S: Final = 5.0
"""So long one look waits for a worker that was restarted to have loaded its model; then another look begins."""
VISIT_S: Final = 2.0
"""How often every worker is asked what it is, so that one which nobody asks anything is missed too."""

log = structlog.get_logger(__name__)


class Call(Protocol):
    """A call on its way."""

    def result(self, timeout_s: float) -> Any:  # noqa: ANN401 - each call has its own kind of answer
        """Return the answer.

        Raises:
            TimeoutError: there is none yet.
            WorkerLostError: the worker has died.
        """
        ...


class WorkerProcesses(Protocol):
    """The processes, wherever they run; a method of `Worker` is named by its name."""

    @property
    def names(self) -> Collection[str]:
        """Their names, always the same."""
        ...

    def call(self, worker: str, method: str, *args: object) -> Call:
        """Ask a worker; returns at once. Called in any thread."""
        ...

    def first_of(self, calls: Collection[Call], timeout_s: float) -> Call | None:
        """Return the first of some calls that has come to an end, None where none has in time."""
        ...

    def close(self) -> None:
        """Let go of them; those that were started here end."""
        ...


def told(answer: Any) -> Any:  # noqa: ANN401 - whatever a worker answers
    """Return what a worker answered.

    Raises:
        HoverError: it refused.
    """
    if isinstance(answer, Refused):
        raise answer.error()
    return answer


@dataclass
class Member:
    """What is known of one worker.

    Attributes:
        alive: it answers, and sources are given to it.
        about: what it told last; None before.
        calls, failures: answers that it gave to this front end, and those that it didn't give.
        deadlines: how long its answers take, by the kind of work.
    """

    alive: bool = False
    about: About | None = None
    calls: int = 0
    failures: int = 0
    deadlines: dict[str, Deadline] = field(default_factory=lambda: defaultdict(Deadline))

    @property
    def pid(self) -> int:
        """Its process, 0 before it has answered; what another process of the same name kept is gone."""
        return 0 if self.about is None else self.about.pid

    def computes(self, model: str) -> str:
        """Return what it computes a model with; an empty text where it hasn't loaded it."""
        return "" if self.about is None else self.about.computes.get(model, "")


class Members:
    """The workers by name. Every method may be called from any thread.

    A worker that died or doesn't answer is looked at in the background until it does; no person's hover finds out
    whether it is back.

    Attributes:
        all: what is known of each.
    """

    def __init__(self, workers: WorkerProcesses) -> None:
        """Trust nobody yet; see `begin`.

        Args:
            workers: the processes.
        """
        self._workers = workers
        self.all: Mapping[str, Member] = {name: Member() for name in workers.names}
        self._lock = threading.Lock()
        self._changed: set[Future[None]] = set()
        self._doubted: set[str] = set()
        self._news = threading.Event()
        self._closed = False

    def begin(self, timeout_s: float) -> None:
        """Wait until every worker has loaded its model, then look after them.

        Args:
            timeout_s: how long all together may take.

        Raises:
            FleetError: one of them is of another release, or can't begin on its machine.
            HoverError: one of them can't load its model; the text names it.
        """
        until = time.monotonic() + timeout_s
        versions = {name: self._workers.call(name, "version") for name in self.all}
        calls = {name: self._workers.call(name, "ready") for name in self.all}
        for name in self.all:
            try:
                theirs = self._begun(name, "version", versions[name], until)
                if theirs != __version__:
                    raise FleetError(
                        f"{name} runs HoverSAM {theirs}, this is {__version__}: start both from one release"
                    )
                self._here(name, self._begun(name, "ready", calls[name], until))
            except TimeoutError:
                raise WorkerLostError(f"{name} wasn't ready within {timeout_s:g} s") from None
            except WorkerEndedError as error:
                cure = "is the same release of HoverSAM installed there?"
                raise FleetError(f"{name} can't begin on its machine ({error.message}): {cure}") from error
            except HoverError as error:
                raise type(error)(f"{name}: {error.message}") from error
        threading.Thread(target=self._look_after, name="fleet", daemon=True).start()

    def _begun(self, name: str, method: str, call: Call, until: float) -> Any:  # noqa: ANN401
        """Return what a worker answers at its beginning; one that is being restarted just now is asked again."""
        while True:
            try:
                return told(call.result(max(0.0, until - time.monotonic())))
            except WorkerEndedError:
                raise
            except WorkerLostError:
                if time.monotonic() > until:
                    raise
                time.sleep(AGAIN_S)
                call = self._workers.call(name, method)

    def alive(self) -> list[str]:
        """Return the workers that answer."""
        return [name for name, member in self.all.items() if member.alive]

    def pool(self, model: str) -> list[str]:
        """Return the workers that answer alike for a model; see `pool_of`."""
        return pool_of({name: self.all[name].computes(model) for name in self.alive()})

    def suspect(self, name: str, why: str) -> None:
        """Give nothing more to a worker until it answers again."""
        with self._lock:
            member = self.all[name]
            was_alive, member.alive = member.alive, False
        if was_alive:
            log.warning("worker_lost", worker=name, why=why)
        self._news.set()

    def doubt(self, name: str) -> None:
        """Find out in the background whether a worker that was late is there at all."""
        with self._lock:
            self._doubted.add(name)
        self._news.set()

    def answers(self, name: str, timeout_s: float) -> bool:
        """Return whether a worker says that it is alive."""
        try:
            return bool(self._workers.call(name, "alive").result(timeout_s))
        except (TimeoutError, HoverError):
            return False

    def learn(self, name: str, about: About) -> None:
        """Take note of what a worker is."""
        self.all[name].about = about

    def encoded(self, name: str, made: EncodedThere) -> None:
        """Take note of what a worker has told with an encode: which process it is, and what its embeddings take."""
        about = self.all[name].about
        if about is not None:
            self.all[name].about = replace(about, pid=made.pid, embedding_bytes=made.embedding_bytes)

    def change(self) -> Future[None]:
        """Return what is done once another worker is there."""
        news: Future[None] = Future()
        with self._lock:
            self._changed.add(news)
        return news

    def close(self) -> None:
        """Look after nobody any more."""
        self._closed = True
        self._news.set()

    def _here(self, name: str, about: About) -> None:
        with self._lock:
            member = self.all[name]
            was_alive, member.alive, member.about = member.alive, True, about
            news, self._changed = self._changed, set() if not was_alive else self._changed
        if not was_alive:
            log.info("worker_ready", worker=name, pid=about.pid)
            for each in news:
                if each.set_running_or_notify_cancel():  # else nobody waits for it any more
                    each.set_result(None)

    def _look_after(self) -> None:
        """Look at those that are gone again and again, and at all of them now and then."""
        pending: dict[str, Call] = {}
        visited_at = time.monotonic()
        while not self._closed:
            gone = [name for name, member in self.all.items() if not member.alive]
            self._news.clear()
            self._clear_up()
            if gone:
                self._look_at(gone, pending)
                time.sleep(AGAIN_S)
            else:
                self._news.wait(max(0.0, visited_at + VISIT_S - time.monotonic()))
            if not self._closed and time.monotonic() >= visited_at + VISIT_S:
                self._visit(self.alive())
                visited_at = time.monotonic()

    def _clear_up(self) -> None:
        """Suspect those of whom there was doubt and who don't answer now."""
        with self._lock:
            doubted, self._doubted = self._doubted, set()
        for name in doubted:
            member = self.all[name]
            if member.alive and not self.answers(name, max(PROBE_S, member.deadlines["decode"].seconds / 2)):
                member.failures += 1
                self.suspect(name, "it was late and doesn't answer")

    def _look_at(self, gone: Collection[str], pending: dict[str, Call]) -> None:
        """Trust those again that say that they are ready: Ray has restarted them, empty, or they were only slow."""
        for name in gone:
            call = pending.get(name) or self._workers.call(name, "ready")
            pending[name] = call
            try:
                about = told(call.result(AGAIN_S))
            except TimeoutError:
                continue
            except HoverError as error:
                log.debug("worker_not_ready", worker=name, why=error.message)
            else:
                self._here(name, about)
            del pending[name]

    def _visit(self, names: Collection[str]) -> None:
        calls = {name: self._workers.call(name, "ready") for name in names}
        until = time.monotonic() + READY_S
        for name, call in calls.items():
            try:
                self.learn(name, told(call.result(max(0.0, until - time.monotonic()))))
            except (TimeoutError, HoverError) as error:
                if not self._closed:
                    self.suspect(name, str(error) or "no answer to a visit")
