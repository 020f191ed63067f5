"""Whether a Ray can be joined, and in one line why not: asked before it is, since Ray takes its time and many lines."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Final

from app.errors import FleetError

ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_enable_worker_prestart": "0",  # no Python processes of 80 MB that wait for work
    "RAY_prestart_worker_first_driver": "0",
    "RAY_timeout_ms_task_wait_for_death_info": "0",  # or a second passes until a death is known
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",  # or Ray ends this process a minute after its head died
}
"""What Ray is told, here and in the processes that it starts."""
TOKENS: Final = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""Where an operator puts the token of a cluster; Ray's own variables."""
REACH_S: Final = 5.0
"""So long a head may take to accept a connection."""
KNOCK: Final = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"
"""What asks a head who it is."""
KNOCK_S: Final = 30.0
"""So long it may take to answer, with the import of Ray."""
REFUSED: Final = "InvalidAuthToken"
"""What Ray's head answers to another token than its own."""


def check(address: str | None, environ: Mapping[str, str]) -> None:
    """Return if workers can be asked for: before a model is fetched or loaded for them.

    Args:
        address: of the head of a cluster, HOST:PORT; None for workers on this machine.
        environ: the process environment, with the cluster's token.

    Raises:
        FleetError: Ray isn't installed, or no head is there that takes the token.
    """
    if importlib.util.find_spec("ray") is None:
        raise FleetError("workers need Ray, which isn't installed: start with ./start.sh, or install hoversam[fleet]")
    if address is None:
        return
    if not any(environ.get(name) for name in TOKENS):
        raise FleetError(f"a cluster is joined with its token: set {' or '.join(TOKENS)} as on its other nodes")
    reach(address)
    knock(address, environ)


def reach(address: str) -> None:
    """Return if something listens at an address; Ray itself would try for half a minute.

    Raises:
        FleetError: nothing does.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_S).close()
    except (OSError, OverflowError) as error:
        raise FleetError(f"nothing answers at {address} ({error}): is it the address of the cluster's head?") from error


def knock(address: str, environ: Mapping[str, str]) -> None:
    """Return if the head at an address takes our token: asked by another process, which is ended when it knows.

    Ray itself would ask again and again for a minute, and say so in a line each time.

    Args:
        address: where something listens.
        environ: the process environment, with the token.

    Raises:
        FleetError: it takes no such token, or isn't Ray's.
    """
    command, text = [sys.executable, "-c", KNOCK, address], ""
    with subprocess.Popen(  # noqa: S603 - our own words to our own Python
        command, env={**environ, **ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as asking:
        timer = threading.Timer(KNOCK_S, asking.kill)
        timer.start()
        for line in asking.stderr or ():
            text += line
            if REFUSED in line:
                asking.kill()
        timer.cancel()
    if REFUSED in text:
        raise FleetError(obstacle(address, RuntimeError(text)))
    if asking.returncode:
        raise FleetError(f"what answers at {address} is no head of a Ray: is it the port that `ray start --head` told?")


def obstacle(address: str, error: Exception) -> str:
    """Return in one line why a Ray can't be joined."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text, lowered = lines[0] if lines else type(error).__name__, str(error).lower()
    if address == "local":
        return f"Ray doesn't start on this machine: {text}"
    if "version mismatch" in lowered:
        return f"the cluster at {address} runs another version of Ray or Python than this machine: {' '.join(lines)}"
    if "failed to connect" in lowered or "auth" in lowered or "token" in lowered:
        return f"the cluster at {address} takes no token like this one: set RAY_AUTH_TOKEN as on its other nodes"
    if "node" in lowered or "raylet" in lowered:
        return f"this machine is no node of the cluster at {address}: run `ray start --address={address} --num-cpus=0`"
    return f"the cluster at {address} can't be joined: {text}"
