"""A line of the log that can't be written is lost, and nothing else is."""

from __future__ import annotations

import errno
import io

from app.logs import Patient


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "no space left")


def test_a_line_goes_where_there_is_room_for_it() -> None:
    stream = io.StringIO()
    Patient(stream).write("a line")
    assert stream.getvalue() == "a line"


def test_a_full_disk_and_a_closed_stream_cost_nothing_but_the_line() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (Full(), closed):
        assert Patient(stream).write("a line") == 6
        Patient(stream).flush()
