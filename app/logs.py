"""Logs: one structured line for each event, on standard error. No contents of messages and no names of files.

A line that can't be written, since the disk is full or the terminal gone, is lost, and nothing else is.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Final, TextIO, cast

import structlog
from structlog.typing import Processor

SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
)
"""What makes an event of ours and one of a library alike."""


class Patient:
    """A stream that takes a failure as said: whoever tells something of its work goes on with it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if that goes."""
        with contextlib.suppress(OSError, ValueError):  # which a stream that is closed raises
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that goes."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure_logging(level: str, *, as_json: bool = False) -> None:
    """Log events from `level` up, and a library's from WARNING up.

    Args:
        level: debug, info, warning, error or critical, in capitals or not.
        as_json: one JSON object a line, for collectors; else `key=value`, where values are escaped.
    """
    number = getattr(logging, level.upper())
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    stream = cast(TextIO, Patient(sys.stderr))
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *SHARED],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler])
    structlog.configure(
        processors=[*SHARED, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
