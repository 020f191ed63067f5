"""`python -m app serve`: loads a model, then serves it until Ctrl+C or SIGTERM.

Exit codes: 0 stopped, 2 a wrong option or an address in use, 3 no usable model or device.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import msgspec
import structlog
import uvicorn

from app.asgi import create_app
from app.engine.manifest import load_manifest
from app.errors import HoverError
from app.models import find_weights, load_engine
from app.settings import Settings, from_environment
from app.web.stall import impatient_protocol

EXIT_USAGE = 2
EXIT_NO_MODEL = 3
OPTIONS = ("host", "port", "model", "checkpoint", "device", "offline")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `serve`; each also has a HOVERSAM_ variable."""
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8000)")
    parser.add_argument("--model", help="nano, tiny, small, base_plus or large; default: the best one that is there")
    parser.add_argument("--checkpoint", type=Path, help="weights of your own, of the architecture of --model")
    parser.add_argument("--device", help="cpu, cuda or mps; default: the fastest that is there")
    parser.add_argument("--offline", action="store_true", default=None, help="never fetch anything")


def main(args: argparse.Namespace) -> int:
    """Serve with the options given; return the exit code."""
    try:
        settings = from_environment(os.environ)
        given = {name: value for name in OPTIONS if (value := getattr(args, name)) is not None}
        settings = msgspec.convert(msgspec.structs.asdict(settings) | given, Settings)  # which checks, unlike replace
        listener = listen(settings)
    except (ValueError, OSError) as error:
        say(f"error: {error}")
        return EXIT_USAGE
    with listener:
        try:
            weights = find_weights(settings, load_manifest(), say)
            engine = load_engine(weights, settings.device, say)
        except (HoverError, ValueError) as error:
            say(f"error: {error}")
            return EXIT_NO_MODEL
        from app.engine.device import set_threads  # torch is loaded by now

        configure_logging(settings.log_level)
        server = uvicorn.Server(server_config(settings, create_app(settings, engine, set_threads=set_threads)))
        say(f"open {url_of(listener)} in a browser (Ctrl+C stops)")
        for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn stops at either, then raises it once more for us
            signal.signal(number, lambda *_: sys.exit(0))
        asyncio.run(server.serve(sockets=[listener]))
    return 0


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket: a taken port is known before a model is loaded.

    Raises:
        OSError: the address can't be had; the text names it.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise OSError(
            f"can't listen on {settings.host}:{settings.port} ({error.strerror}); choose another with --port"
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address to open in a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_config(settings: Settings, app: object) -> uvicorn.Config:
    """Return uvicorn's configuration.

    Masks are small and already packed, so deflate is off; messages have a size limit of their own.
    """
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        ws=impatient_protocol(settings.send_timeout_s),
        ws_max_size=settings.max_message_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=round(settings.shutdown_timeout_s),
        server_header=False,
        log_config=None,
        lifespan="on",
    )


def configure_logging(level: str) -> None:
    """Log structured lines to standard error, from `level` up."""
    number = getattr(logging, level.upper(), logging.INFO)
    logging.basicConfig(level=max(number, logging.WARNING), format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def say(line: str) -> None:
    """Tell the person at the terminal one thing."""
    print(f"hoversam: {line}", file=sys.stderr, flush=True)  # noqa: T201
