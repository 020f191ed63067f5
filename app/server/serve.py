"""`python -m app serve`: loads a model, then serves it until Ctrl+C or SIGTERM.

Exit codes: 0 stopped, 2 a wrong option or an address in use, 3 no usable model or device,
70 the model hangs for good: whoever supervises the process starts it again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn, get_args

import msgspec
import uvicorn

from app.asgi import MakeBackend, create_app, in_this_process, shared_folder
from app.engine.device import set_threads
from app.engine.factory import Load, load_engine
from app.errors import FleetError, HoverError
from app.limits import AppLimits
from app.logs import configure_logging
from app.server.draining import DrainingServer
from app.server.http_limits import hardened_http
from app.server.websocket_limits import hardened_websocket
from app.settings import EngineName, PrecisionName, Settings, from_environment, strangers
from app.weights.catalogue import find_weights, known_models
from app.wording import in_words

EXIT_USAGE = 2
EXIT_NO_MODEL = 3
EXIT_HUNG = 70
"""What the shell is told: wrong use; no usable model; a model that hangs, which only another process mends."""
KERNEL_PATIENCE = 2
"""So many times as long as we do the kernel waits for a peer to acknowledge, for links that we don't see stall."""
BACKLOG = 128
"""Connections that the kernel may keep for us while the event loop is busy."""
FIRST_RESPONDER = "nano"
"""It comes with the program, and encodes in a tenth of the time of the next larger model."""
OPTIONS = (
    *("host", "port", "model", "checkpoint", "device", "engine", "precision", "offline"),
    *("workers", "ray_address"),
)
"""Settings that may be given on the command line too, which wins."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `serve`; each also has a HOVERSAM_ variable."""
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8000)")
    parser.add_argument("--model", help="nano, tiny, small, base_plus or large; default: the best one that is there")
    parser.add_argument("--checkpoint", type=Path, help="weights of your own, of the architecture of --model")
    parser.add_argument("--device", help="cpu, cuda or mps; default: the fastest that is there")
    parser.add_argument("--engine", choices=get_args(EngineName), help="default: auto, OpenVINO on x86 CPUs")
    parser.add_argument(
        "--precision", choices=get_args(PrecisionName), help="of OpenVINO; default: bf16 where the CPU computes in it"
    )
    parser.add_argument("--offline", action="store_true", default=None, help="never fetch anything")
    parser.add_argument("--workers", type=int, help="processes that the model runs in; default: in the server's own")
    parser.add_argument("--ray-address", metavar="HOST:PORT", help="Ray cluster that workers run in; default: here")


def main(args: argparse.Namespace, limits: AppLimits | None = None) -> int:
    """Serve with the options given, and within limits other than the usual where they are given.

    Returns:
        The exit code.
    """
    with ended_quietly_by(signal.SIGINT, signal.SIGTERM):
        return run(args, limits or AppLimits())


@contextlib.contextmanager
def ended_quietly_by(*numbers: signal.Signals) -> Iterator[None]:
    """End the process with exit code 0 at these signals, also while a model loads; uvicorn raises again what it got."""
    before = {number: signal.signal(number, lambda *_: sys.exit(0)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def checked(values: dict[str, object]) -> Settings:
    """Return settings of which some are from the command line.

    Raises:
        ValueError: one of them is out of bounds; the text names it.
    """
    try:
        return msgspec.convert(values, Settings)  # which checks, unlike replace
    except msgspec.ValidationError as error:
        raise ValueError(f"--{in_words(str(error), Settings).replace('_', '-')}") from error


def run(args: argparse.Namespace, limits: AppLimits) -> int:
    """Serve until a signal comes; return the exit code."""
    # The address is taken first: whoever starts a second server is told so before he waits for a model.
    try:
        settings = from_environment(os.environ)
        given = {name: value for name in OPTIONS if (value := getattr(args, name)) is not None}
        settings = checked(msgspec.structs.asdict(settings) | given)
        shared_folder(settings, limits)  # the application finds it again; one that can't be used is told at once
        listener = listen(settings, limits)
    except (ValueError, OSError) as error:
        say(f"error: {error}")
        return EXIT_USAGE
    for name in strangers(os.environ):
        say(f"{name} is no setting, and without effect: unset it, or look for its name")
    configure_logging(settings.log_level, as_json=settings.log_json)
    load = partial(load_engine, limits=limits.engine)
    with listener, contextlib.ExitStack() as at_end:
        # The model before anyone may connect.
        try:
            make_backend = at_end.enter_context(answering(settings, limits, load))
        except FleetError as error:
            say(f"error: {error}")
            return EXIT_USAGE
        except (HoverError, ValueError) as error:
            say(f"error: {error}")
            return EXIT_NO_MODEL
        try:
            listener.listen(BACKLOG)
        except OSError as error:  # of two that start at once both have the address, until one listens
            say(f"error: {taken(settings, error)}")
            return EXIT_USAGE
        # Everything is there: make the application and serve it.
        app = create_app(settings, make_backend, limits=limits, load=load)
        server = DrainingServer(server_config(settings, limits, app), app, limits.server.shutdown_timeout_s)
        say(f"open {url_of(listener)} in a browser (Ctrl+C stops)")
        code = 0
        try:
            asyncio.run(server.serve(sockets=[listener]))
        except SystemExit as ended:  # uvicorn raises a signal again once it has done what it asks for
            code = int(ended.code or 0)
    code = EXIT_HUNG if server.lost else code
    if threading.active_count() > 1:
        leave(code)
    return code


@contextlib.contextmanager
def answering(settings: Settings, limits: AppLimits, load: Load) -> Iterator[MakeBackend]:
    """Give what makes a model answer that is ready: in this process, or in workers until the `with` ends.

    Raises:
        FleetError: workers were asked for and can't be had.
        HoverError, ValueError: there is no usable model or device.
    """
    in_workers = settings.workers is not None or settings.ray_address is not None
    if in_workers:
        from app.fleet.entry import check

        check(settings.ray_address, os.environ)  # before anything is fetched
    weights = find_weights(settings, known_models(settings), say)
    if not in_workers:
        yield in_this_process(settings, limits, load(weights, settings, say), set_threads, FIRST_RESPONDER)
        return
    from app.fleet.start import spec_of, started_fleet

    spec = spec_of(settings, weights, limits.service, load, FIRST_RESPONDER)
    with started_fleet(spec, say) as fleet:
        yield fleet.backend


def leave(code: int) -> NoReturn:
    """End the process as it is, whatever its threads are at: nobody waits for it any more.

    Python's own end would wait for a file or a picture that is being made, and stop the other threads; one that is
    inside of a model's C++ is not to be stopped: the process would be aborted, which a supervisor takes for a crash.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def listen(settings: Settings, limits: AppLimits) -> socket.socket:
    """Return a listening socket: a taken port is known before a model is loaded.

    Raises:
        OSError: the address can't be had; the text names it.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is stated: without, a reply in two writes waits some
    # 40 ms for the client's delayed acknowledgement of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; every accepted socket inherits it
        patience_ms = round(1000 * KERNEL_PATIENCE * limits.connection.send_timeout_s)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise OSError(taken(settings, error)) from error
    return listener


def taken(settings: Settings, error: OSError) -> str:
    """Return what to say of an address that can't be had."""
    option = "--port" if error.errno in {errno.EADDRINUSE, errno.EACCES} else "--host"
    return f"can't listen on {settings.host}:{settings.port} ({error.strerror}); choose another with {option}"


def url_of(listener: socket.socket) -> str:
    """Return the address to open in a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_config(settings: Settings, limits: AppLimits, app: object) -> uvicorn.Config:
    """Return uvicorn's configuration.

    Masks are small and already packed, so deflate is off; messages have a size limit of their own.
    """
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=hardened_http(limits, settings.max_connections),
        ws=hardened_websocket(limits),
        ws_max_size=limits.connection.max_message_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=limits.server.ping_interval_s,
        ws_ping_timeout=limits.server.ping_timeout_s,
        timeout_graceful_shutdown=round(limits.server.shutdown_timeout_s),
        server_header=False,
        backlog=BACKLOG,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        log_config=None,
        lifespan="on",
    )


def say(line: str) -> None:
    """Tell the person at the terminal one thing."""
    print(f"hoversam: {line}", file=sys.stderr, flush=True)  # noqa: T201
