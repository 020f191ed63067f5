"""Every setting in one typed table, read once from the environment (`HOVERSAM_<NAME>`).

The command line and the README read the same table; nothing else reads the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

Count: TypeAlias = Annotated[int, Meta(gt=0)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=86_400)]


def told(text: str) -> Meta:
    """Return what the README says of a setting."""
    return Meta(description=text)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may set. Sizes in bytes or pixels, times in seconds."""

    host: Annotated[str, told("address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="port to listen on")] = 8000
    model: Annotated[str | None, told("model to run; unset takes the best one that is there")] = None
    checkpoint: Annotated[Path | None, told("weights of your own, of the architecture of the model")] = None
    checkpoints_dir: Annotated[Path, told("folder of the weights")] = Path(__file__).parent.parent / "checkpoints"
    device: Annotated[str | None, told("cpu, cuda or mps; unset takes the fastest that is there")] = None
    offline: Annotated[bool, told("never fetch weights")] = False
    log_level: Annotated[str, told("least severe event that is logged")] = "INFO"
    allowed_origins: Annotated[tuple[str, ...], told("further web origins that may use the server, with commas")] = ()

    max_upload_bytes: Annotated[Count, told("bytes of one picture")] = 20 * 2**20
    max_pixels: Annotated[Count, told("pixels of one picture")] = 40_000_000
    max_side: Annotated[Count, told("longest side of a picture, in pixels")] = 16_384
    max_aspect: Annotated[Count, told("how many times as long as wide a picture may be")] = 100
    max_inline_bytes: Annotated[Count, told("bytes of a picture inside an `open` message")] = 256 * 2**10
    max_message_bytes: Annotated[Count, told("bytes of one message")] = 512 * 2**10
    max_sessions: Annotated[Count, told("sessions, held or kept for their owner's return")] = 64
    max_objects: Annotated[Count, told("objects of one picture")] = 64
    max_points: Annotated[Count, told("points of one object")] = 64
    max_history: Annotated[Count, told("steps that undo can go back")] = 1000
    max_history_bytes: Annotated[Count, told("memory of one session's undo steps; the oldest go first")] = 32 * 2**20
    max_clicks_queued: Annotated[Count, told("changes of one session that may wait; one more is `busy`")] = 16
    max_jobs_queued: Annotated[Count, told("prompts, or pictures, that may wait for the model")] = 256
    max_pictures_queued: Annotated[Count, told("uploads that may wait to be read")] = 8
    max_replies_waiting: Annotated[Count, told("replies that may wait for a client that doesn't read")] = 256
    max_bad_messages: Annotated[Count, told("bad messages in a row that close the socket")] = 10
    image_budget_bytes: Annotated[Count, told("uploaded pictures kept; the least recently used go first")] = 512 * 2**20
    embedding_budget_bytes: Annotated[Count, told("embeddings kept; made again when needed again")] = 1024 * 2**20
    speck_share: Annotated[
        float, Meta(ge=0, le=0.1, description="specks and holes of a mask up to this share of the picture go")
    ] = 0.001

    hello_timeout_s: Annotated[Seconds, told("wait for the first message")] = 5.0
    idle_timeout_s: Annotated[Seconds, told("a socket on which nothing comes for so long is closed")] = 1800.0
    resume_s: Annotated[Seconds, told("how long a session without a socket is kept")] = 120.0
    picture_timeout_s: Annotated[Seconds, told("reading one picture")] = 10.0
    hover_timeout_s: Annotated[Seconds, told("answering a hover")] = 2.0
    click_timeout_s: Annotated[Seconds, told("answering a click or box")] = 15.0
    encode_timeout_s: Annotated[Seconds, told("encoding a picture")] = 120.0
    send_timeout_s: Annotated[Seconds, told("sending one reply")] = 10.0
    shutdown_timeout_s: Annotated[Seconds, told("wait for open work when the server stops")] = 5.0


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
        text = environ.get(variable(field.name))
        if text is not None:
            values[field.name] = text.split(",") if field.name == "allowed_origins" else text
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise ValueError(f"a HOVERSAM_ variable can't be read: {error}") from error


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"HOVERSAM_{name.upper()}"


def markdown_table() -> str:
    """Return all settings as the README shows them."""
    hints = get_type_hints(Settings, include_extras=True)
    lines = ["| variable | default | what |", "|---|---|---|"]
    for field in msgspec.structs.fields(Settings):
        told_of = [meta.description for meta in get_args(hints[field.name])[1:] if meta.description]
        default = "checkpoints" if field.name == "checkpoints_dir" else field.default
        shown = "" if default in (None, ()) else f"`{default}`"
        lines.append(f"| `{variable(field.name)}` | {shown} | {told_of[0]} |")
    return "\n".join(lines)
