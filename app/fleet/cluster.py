"""Workers as actors of Ray: on this machine, or in a cluster that it belongs to. The only module that imports `ray`.

Decision: tokens, no dashboard, no usage reports, and nothing of ours in Ray's logs. Context: whoever reaches a port of
Ray's runs code on the machine, and its head and nodes listen on all addresses, whatever they are told. Choice: a fleet
of one machine makes a token of its own that lives as long as the server, a cluster is joined with the operator's token
or not at all. Price: whoever runs `ray` beside it has to know the token.

Decision: a call travels as one piece of bytes that we pickle ourselves, and so does its answer. Context: Ray checks
each argument against the method's signature and pickles each by itself, in Python, which takes longer than a prompt's
way through the socket. Choice: only pixels are left to it, which it shares without a copy. Price: its own tools see
one method.
"""

from __future__ import annotations

import math
import os
import pickle
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from app.errors import EngineFailedError, FleetError, WorkerEndedError, WorkerLostError
from app.fleet.entry import ENVIRONMENT, obstacle
from app.fleet.members import Call
from app.fleet.values import WorkerSpec
from app.fleet.worker import Worker
from app.logs import configure_logging

NAMESPACE: Final = "hoversam"
"""Of the workers in a cluster, so that all front ends find the same."""
FOLDER: Final = "hoversam-"
"""Begins the name of the folder of Ray's sockets and logs; the number of the server's process follows."""
WITH_PIXELS: Final = "encode"
"""The one method whose arguments Ray carries itself, through shared memory."""
OBJECTS_BYTES: Final = 128 * 2**20
"""Of shared memory, through which pictures go to workers: some forty of them at once."""


class ModelWorker(Worker):
    """A worker that is an actor: it has a process, and so a log, to itself."""

    def __init__(self, spec: WorkerSpec) -> None:
        """Say what goes into its log: events, in which there are no contents of messages."""
        configure_logging(spec.settings.log_level, as_json=True)
        super().__init__(spec)

    async def packed(self, call: bytes) -> bytes:
        """Answer a call whose method and arguments are pickled, with a pickled answer."""
        method, args = pickle.loads(call)  # noqa: S301 - of a front end, which Ray would unpickle itself
        return pickle.dumps(await getattr(self, method)(*args), pickle.HIGHEST_PROTOCOL)


class RayCall:
    """A call on its way; fulfils `members.Call`."""

    def __init__(self, ref: Any) -> None:  # noqa: ANN401 - Ray's references know no types here
        self.ref = ref

    def result(self, timeout_s: float) -> Any:  # noqa: ANN401
        """Return the answer; see `members.Call.result`."""
        import ray
        from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

        try:
            answer = ray.get(self.ref, timeout=max(0.0, timeout_s))
        except GetTimeoutError as error:
            raise TimeoutError from error
        except RayTaskError as error:
            raise EngineFailedError("a worker failed on this; try again") from error.cause or error
        except RayActorError as error:  # it died, is being restarted, or its node is gone
            if error.actor_init_failed:
                raise WorkerEndedError(str(error).rstrip().rpartition("\n")[2]) from error
            raise WorkerLostError(type(error).__name__) from error
        except RayError as error:
            raise WorkerLostError(type(error).__name__) from error
        return pickle.loads(answer) if isinstance(answer, bytes) else answer  # noqa: S301 - of a worker, as above


class RayWorkers:
    """The actors by name; fulfils `members.WorkerProcesses`."""

    def __init__(self, actors: Mapping[str, Any], close: Callable[[], None]) -> None:
        """Hold them.

        Args:
            actors: Ray's handles, by name.
            close: ends what was begun for them.
        """
        self._actors, self._close = dict(actors), close

    @property
    def names(self) -> Collection[str]:
        """Their names."""
        return self._actors.keys()

    def call(self, worker: str, method: str, *args: object) -> RayCall:
        """Ask a worker; see `members.WorkerProcesses.call`."""
        actor = self._actors[worker]
        if method == WITH_PIXELS:
            return RayCall(actor.encode.remote(*args))
        return RayCall(actor.packed.remote(pickle.dumps((method, args), pickle.HIGHEST_PROTOCOL)))

    def first_of(self, calls: Collection[Call], timeout_s: float) -> Call | None:
        """Return the first of some calls that has come to an end; see `members.WorkerProcesses.first_of`."""
        import ray

        refs = {call.ref: call for call in calls if isinstance(call, RayCall)}
        done, _ = ray.wait(list(refs), num_returns=1, timeout=timeout_s)
        return refs[done[0]] if done else None

    def close(self) -> None:
        """End the workers of this machine; those of a cluster go on. A second time nothing happens."""
        close, self._close = self._close, lambda: None
        close()


def local_workers(count: int, spec: WorkerSpec) -> RayWorkers:
    """Return workers on this machine, in a Ray of their own that ends with this process. They may not be ready yet.

    Args:
        count: of them.
        spec: what they are to be.

    Raises:
        FleetError: Ray doesn't start.
    """
    forget_the_dead()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))  # its sockets have long names: near the root
    # Ray remembers the first token that it sees for as long as the process lives, so that it stays for a next Ray.
    tokens = {"RAY_AUTH_TOKEN": os.environ.get("RAY_AUTH_TOKEN") or secrets.token_hex(32)}
    before = {name: os.environ.get(name) for name in ENVIRONMENT}

    def close() -> None:
        shut_down()
        shutil.rmtree(folder, ignore_errors=True)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    options = {"num_cpus": count, "_node_ip_address": "127.0.0.1", "_temp_dir": str(folder)}
    try:
        joined("local", tokens, **options, object_store_memory=OBJECTS_BYTES)
        names = [f"worker-{number}" for number in range(count)]
        places = places_for(names, gpus_there(), spec.settings.device, shared=True)
        return RayWorkers({name: made(spec, places[name]) for name in names}, close)
    except BaseException:  # a signal, too: nothing of Ray's may be left
        close()
        raise


def cluster_workers(address: str, count: int | None, spec: WorkerSpec) -> RayWorkers:
    """Return the workers of a cluster, some of them started now where there are fewer than asked for.

    Args:
        address: of its head, HOST:PORT.
        count: of them; None takes those that are there.
        spec: what those are to be that are started now.

    Raises:
        FleetError: the cluster can't be joined, or has no worker.
    """
    joined(address, {})
    from ray.util import list_named_actors

    there = [each["name"] for each in list_named_actors(all_namespaces=True) if each["namespace"] == NAMESPACE]
    names = sorted(there) if count is None else [f"worker-{number}" for number in range(count)]
    if not names:
        shut_down()
        raise FleetError(f"the cluster at {address} has no worker of HoverSAM; --workers N starts them")
    places = places_for(names, gpus_there(), spec.settings.device, shared=False)
    shared = {"namespace": NAMESPACE, "lifetime": "detached", "get_if_exists": True, "scheduling_strategy": "SPREAD"}
    return RayWorkers({name: made(spec, places[name], name=name, **shared) for name in names}, shut_down)


def joined(address: str, tokens: Mapping[str, str], **options: object) -> None:
    """Make this process a driver of a Ray.

    Args:
        address: of its head, or `local` for one of this process's own.
        tokens: variables of the environment that hold its token.
        options: of `ray.init`.

    Raises:
        FleetError: that doesn't go; the text says why.
    """
    os.environ.update({**ENVIRONMENT, **tokens})
    import ray

    # A worker's death is an event of our own log; Ray's paragraph about it knows no option, only its debugger's switch.
    vars(ray._private.worker)["_worker_logs_enabled"] = False
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(
            address=address,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level="ERROR",
            namespace=NAMESPACE,
            **options,
        )
    except Exception as error:  # Ray raises of many kinds, with texts of many lines
        raise FleetError(obstacle(address, error)) from error
    finally:
        for number, handler in handlers.items():  # Ray takes SIGTERM for itself
            signal.signal(number, handler)


def gpus_there() -> int:
    """Return how many GPUs Ray knows of, here or in the cluster."""
    import ray

    return int(ray.cluster_resources().get("GPU", 0))


def places_for(names: Sequence[str], gpus: int, device: str | None, *, shared: bool) -> dict[str, float | None]:
    """Return which part of a GPU each worker gets, by its name; 0 has it work on a CPU, None on what it finds.

    Args:
        names: of the workers.
        gpus: how many there are.
        device: that was asked for; None takes GPUs where there are any.
        shared: several workers may have one GPU, as on a machine whose CPUs would be asked for nothing beside it; else
            each has its own, and the rest of them CPUs, which take over where no GPU is left.
    """
    if gpus == 0 or device not in {None, "cuda"}:
        return dict.fromkeys(names)
    part = 1 / math.ceil(len(names) / gpus) if shared and len(names) > gpus else 1.0
    with_one = len(names) if shared or device == "cuda" else gpus
    return {name: part if number < with_one else 0.0 for number, name in enumerate(names)}


def forget_the_dead() -> None:
    """Take away what servers left that were killed: no process of theirs is there any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        pid = folder.name.removeprefix(FOLDER).partition("-")[0]
        if pid.isdigit() and not is_there(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def is_there(pid: int) -> bool:
    """Return whether a process of this number runs, whoever's it is."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def made(spec: WorkerSpec, gpu: float | None, **options: object) -> Any:  # noqa: ANN401
    """Return the handle of an actor that is a worker, and that Ray starts again whenever it dies.

    Args:
        spec: what it is to be.
        gpu: which part of one it gets; 0 has it work on a CPU though its machine has one, None on what it finds.
        options: of the actor.
    """
    import ray

    if gpu == 0.0:
        spec = replace(spec, settings=msgspec.structs.replace(spec.settings, device="cpu"))

    # No call is tried again by Ray: where it goes is decided here, since the embedding is lost too. Nor is each one
    # written down at the head, for a dashboard that nobody has: that took 3 KB a hover, up to 300 MB.
    actor = ray.remote(max_restarts=-1, max_task_retries=0, enable_task_events=False)(ModelWorker)
    return actor.options(num_gpus=gpu or 0, num_cpus=0 if gpu else 1, **options).remote(spec)


def shut_down() -> None:
    """Leave Ray, and end what was started with it; it isn't imported for that, or it would remember no token."""
    if "ray" in sys.modules:
        with suppress(Exception):
            sys.modules["ray"].shutdown()
