"""A late answer is asked of the copy, a dead or silent worker is given up, and a slow one is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

import pytest

from app import __version__
from app.errors import (
    EmbeddingLostError,
    EngineFailedError,
    FleetError,
    HoverError,
    UnknownObjectError,
    WorkerEndedError,
    WorkerLostError,
)
from app.fleet.dispatcher import Dispatcher, RemoteCall
from app.fleet.members import Call, Members
from app.fleet.routing import FLOOR_S
from app.fleet.values import About, Refused

CALL = RemoteCall("decode", "preview", ())


class Reply:
    """An answer that comes when a test lets it, or at once."""

    def __init__(self, value: object = None, *, error: HoverError | None = None, comes: bool = True) -> None:
        self._value, self._error = value, error
        self.come = threading.Event()
        if comes:
            self.come.set()

    def result(self, timeout_s: float) -> object:
        if not self.come.wait(timeout_s):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._value


class Processes:
    """Two workers whose answers a test decides on."""

    def __init__(self) -> None:
        self.names: Collection[str] = ("a", "b")
        self.replies: dict[tuple[str, str], Callable[[], Reply]] = {}
        self.asked: list[tuple[str, str]] = []
        about = About(__version__, 7, "tiny", "cpu", {"tiny": "geometry on cpu"}, 0, 0.0)
        for name in self.names:
            self.replies[name, "ready"] = lambda: Reply(about)
            self.replies[name, "alive"] = lambda: Reply(value=True)
            self.replies[name, "version"] = lambda: Reply(__version__)

    def call(self, worker: str, method: str, *args: object) -> Call:
        self.asked.append((worker, method))
        return self.replies[worker, method]()

    def first_of(self, calls: Collection[Call], timeout_s: float) -> Call | None:
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for call in calls:
                if isinstance(call, Reply) and call.come.is_set():
                    return call
            time.sleep(0.001)
        return None

    def close(self) -> None:
        """Nothing is left."""


@pytest.fixture
def processes() -> Processes:
    return Processes()


@pytest.fixture
def members(processes: Processes) -> Members:
    members = Members(processes)
    members.begin(5.0)
    members.close()  # no thread looks after them: the tests do
    return members


def test_an_answer_is_returned_and_counted(processes: Processes, members: Members) -> None:
    processes.replies["a", "preview"] = lambda: Reply("mask")
    assert Dispatcher(processes, members).ask("a", CALL, 2.0, "b") == "mask"
    assert ("b", "preview") not in processes.asked
    assert (members.all["a"].calls, members.all["a"].failures) == (1, 0)


def test_a_refusal_is_raised_as_it_was(processes: Processes, members: Members) -> None:
    processes.replies["a", "preview"] = lambda: Reply(Refused.of(UnknownObjectError("got candidate 7")))
    with pytest.raises(UnknownObjectError, match="got candidate 7"):
        Dispatcher(processes, members).ask("a", CALL, 2.0)
    assert members.all["a"].alive


def test_a_dead_worker_is_given_up_at_once_and_not_asked_again(processes: Processes, members: Members) -> None:
    processes.replies["a", "preview"] = lambda: Reply(error=WorkerLostError("died"))
    for _ in range(2):
        with pytest.raises(WorkerLostError):
            Dispatcher(processes, members).ask("a", CALL, 2.0)
    assert processes.asked.count(("a", "preview")) == 1
    assert members.alive() == ["b"]


def test_the_copy_is_asked_where_the_first_is_late_and_nobody_is_accused_of_it(
    processes: Processes, members: Members
) -> None:
    processes.replies["a", "preview"] = lambda: Reply("late", comes=False)
    processes.replies["b", "preview"] = lambda: Reply("mask")
    assert Dispatcher(processes, members).ask("a", CALL, 2.0, "b") == "mask"
    assert members.all["a"].alive  # until it was asked, in the background, whether it is there


def test_a_copy_that_has_lost_the_picture_is_no_answer(processes: Processes, members: Members) -> None:
    late = Reply("mask", comes=False)
    processes.replies["a", "preview"] = lambda: late

    def lost() -> Reply:
        threading.Timer(0.05, late.come.set).start()
        return Reply(Refused.of(EmbeddingLostError("not here")))

    processes.replies["b", "preview"] = lost
    assert Dispatcher(processes, members).ask("a", CALL, 2.0, "b") == "mask"


def test_a_silent_worker_is_given_up(processes: Processes, members: Members) -> None:
    processes.replies["a", "preview"] = processes.replies["a", "alive"] = lambda: Reply(comes=False)
    with pytest.raises(WorkerLostError):
        Dispatcher(processes, members).ask("a", CALL, 2.0)
    assert members.alive() == ["b"]
    assert members.all["a"].failures == 1


def test_the_last_worker_is_waited_for_though_it_is_silent(processes: Processes, members: Members) -> None:
    members.suspect("b", "it has died")
    slow = Reply("mask", comes=False)
    processes.replies["a", "preview"] = lambda: slow
    processes.replies["a", "alive"] = lambda: Reply(comes=False)
    threading.Timer(1.5 * FLOOR_S, slow.come.set).start()
    assert Dispatcher(processes, members).ask("a", CALL, 5.0) == "mask"
    assert members.alive() == ["a"]


def test_a_slow_worker_that_says_it_is_alive_is_waited_for_and_not_accused(
    processes: Processes, members: Members
) -> None:
    slow = Reply("mask", comes=False)
    processes.replies["a", "preview"] = lambda: slow
    probes = iter([lambda: None, slow.come.set])

    def alive() -> Reply:
        next(probes)()
        return Reply(value=True)

    processes.replies["a", "alive"] = alive
    assert Dispatcher(processes, members).ask("a", CALL, 5.0) == "mask"
    assert members.all["a"].alive


def test_no_answer_in_time_costs_one_reply_and_no_worker(processes: Processes, members: Members) -> None:
    processes.replies["a", "preview"] = lambda: Reply(comes=False)
    with pytest.raises(EngineFailedError, match="no answer in time"):
        Dispatcher(processes, members).ask("a", CALL, 0.1)
    assert members.all["a"].alive


def test_a_worker_that_cannot_begin_is_named(processes: Processes) -> None:
    processes.replies["b", "ready"] = lambda: Reply(Refused.of(UnknownObjectError("no such file")))
    with pytest.raises(HoverError) as caught:
        Members(processes).begin(5.0)
    assert str(caught.value) == "b: no such file"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply("0.0.9"), f"b runs HoverSAM 0.0.9, this is {__version__}: start both from one release"),
        (
            Reply(error=WorkerEndedError("No module named 'app'")),
            r"b can't begin on its machine \(No module named 'app'\): is the same release of HoverSAM installed",
        ),
    ],
)
def test_a_worker_of_another_release_or_of_none_is_told_at_once(processes: Processes, reply: Reply, told: str) -> None:
    processes.replies["b", "version"] = lambda: reply
    with pytest.raises(FleetError, match=told):
        Members(processes).begin(5.0)


def test_a_worker_that_is_being_restarted_as_a_front_end_begins_is_waited_for(processes: Processes) -> None:
    ready, tries = processes.replies["b", "ready"], iter([Reply(error=WorkerLostError("unavailable"))])
    processes.replies["b", "ready"] = lambda: next(tries, None) or ready()
    members = Members(processes)
    members.begin(5.0)
    members.close()
    assert members.alive() == ["a", "b"]
