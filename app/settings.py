"""Every setting in one typed table, read once from the environment (`HOVERSAM_<NAME>`).

The command line and the documentation read the same table; nothing else reads the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(gt=0)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may set. Sizes in bytes or pixels, times in seconds."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    model: str | None = None
    """nano, tiny, small, base_plus or large; None takes the best whose weights are there."""
    checkpoint: Path | None = None
    """A file of the architecture of `model`, used whatever its hash."""
    checkpoints_dir: Path = Path(__file__).parent.parent / "checkpoints"
    device: str | None = None
    """cpu, cuda or mps; None takes the fastest that is there."""
    offline: bool = False
    """True never fetches anything."""
    log_level: str = "INFO"
    allowed_origins: tuple[str, ...] = ()
    """Further web origins that may open the socket, such as https://example.org."""

    max_upload_bytes: Positive = 20 * 2**20
    max_pixels: Positive = 40_000_000
    max_side: Positive = 16_384
    max_aspect: Positive = 100
    max_inline_bytes: Positive = 256 * 2**10
    """Largest picture that may ride in an `open` message."""
    max_message_bytes: Positive = 512 * 2**10
    max_sessions: Positive = 64
    max_objects: Positive = 64
    max_points: Positive = 64
    """Points of one object."""
    max_history: Positive = 1000
    """Steps that undo can go back."""
    max_history_bytes: Positive = 32 * 2**20
    """Logits and masks that the undo steps of one session may hold; the oldest steps go first."""
    max_clicks_queued: Positive = 16
    """Clicks of one session that may wait for the model; one more is answered `busy`."""
    max_jobs_queued: Positive = 256
    """Decodes of each kind, and encodes, that may wait for the device; one more is answered `busy`."""
    max_replies_waiting: Positive = 256
    """Replies that may wait for a client that doesn't read; one more drops the connection."""
    max_pictures_queued: Positive = 8
    """Uploads that may wait to be decoded."""
    max_bad_messages: Positive = 10
    """Bad messages in a row that close the socket."""
    image_budget_bytes: Positive = 512 * 2**20
    """Uploaded pictures kept (as they came, compressed)."""
    embedding_budget_bytes: Positive = 1024 * 2**20
    hello_timeout_s: Seconds = 5.0
    idle_timeout_s: Seconds = 1800.0
    resume_s: Seconds = 120.0
    """How long a session without a socket is kept for its owner."""
    picture_timeout_s: Seconds = 10.0
    hover_timeout_s: Seconds = 2.0
    click_timeout_s: Seconds = 15.0
    encode_timeout_s: Seconds = 120.0
    send_timeout_s: Seconds = 10.0
    shutdown_timeout_s: Seconds = 5.0


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment asks for, defaults elsewhere.

    Args:
        environ: the process environment; `HOVERSAM_MAX_PIXELS=1000000` sets `max_pixels`,
            lists are separated by commas.

    Raises:
        ValueError: a variable has a value that its setting can't take; the text names both.
    """
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(Settings):
        text = environ.get(f"HOVERSAM_{field.name.upper()}")
        if text is not None:
            values[field.name] = text.split(",") if field.name == "allowed_origins" else text
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise ValueError(f"a HOVERSAM_ variable can't be read: {error}") from error
