"""Which model to run, where its weights are, and whether they are the ones that were published.

Nothing is fetched here (`download` does) and no weights are opened (`loader` does).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from app.errors import ModelUnavailableError
from app.weights.cache_file import read_cache, write_cache
from app.weights.manifest import BUNDLED_DIR, Manifest, ModelEntry

CHUNK_BYTES = 2**20
"""How much of a file is in memory while it is hashed or copied."""
MAX_REMEMBERED = 64
"""Files whose hashes are kept: many more than there are models."""

# Context: hashing 900 MB takes seconds at every start. Choice: remember the hash of a path as long as its size and
# modification time stay the same. Price: a file altered with both kept is trusted; so is whoever can do that.


class Remembered(msgspec.Struct, frozen=True):
    """The hash that a file had when it had this size and modification time."""

    bytes: int
    mtime_ns: int
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


def locate(entry: ModelEntry, directory: Path) -> Path | None:
    """Return the path of a model's checkpoint, or None where it isn't there or was cut short.

    Only the size is looked at. A bundled model is also found in the program's own folder.
    """
    for path in candidate_paths(entry, directory):
        if path.is_file() and path.stat().st_size == entry.bytes:
            return path
    return None


def candidate_paths(entry: ModelEntry, directory: Path) -> list[Path]:
    """Return the places where a model's checkpoint may be, first choice first."""
    folders = [directory, BUNDLED_DIR] if entry.bundled else [directory]
    return [folder / entry.file for folder in folders]


def choose_model(manifest: Manifest, directory: Path, wanted: str | None, *, can_fetch: bool) -> ModelEntry:
    """Return the model to run.

    It is `wanted` if that is given; otherwise the largest published model whose checkpoint is there;
    otherwise the smallest published model if `can_fetch`; otherwise the bundled one. The checkpoint of the
    answer may be missing: `locate` tells. A caller whose fetch failed asks again with `can_fetch=False`.

    Args:
        manifest: the models, smallest first.
        directory: the checkpoints folder.
        wanted: a model's name, or None.
        can_fetch: True where the caller may download.

    Raises:
        UnknownModelError: no model is called `wanted`.
        ModelUnavailableError: nothing was wanted, nothing is there and nothing may be fetched.
    """
    if wanted is not None:
        return manifest.entry(wanted)
    published = [entry for entry in manifest.models if not entry.bundled]
    bundled = [entry for entry in manifest.models if entry.bundled]
    present = [entry for entry in published if locate(entry, directory)]
    if present:
        return present[-1]
    if can_fetch and published:
        return published[0]
    for entry in bundled:
        if locate(entry, directory):
            return entry
    raise ModelUnavailableError(
        f"no checkpoint is in {directory}; put one there ({', '.join(entry.file for entry in published)}), or fetch "
        "one with 'python -m app weights fetch tiny'"
    )


def may_fetch(entry: ModelEntry, directory: Path, *, offline: bool) -> bool:
    """Return whether a model may be fetched: it has an address, and no file of its name is there, right or wrong."""
    there = any(path.exists() for path in candidate_paths(entry, directory))
    return not there and bool(entry.urls) and not offline


def verified_path(entry: ModelEntry, directory: Path, *, cache_file: Path | None = None) -> Path:
    """Return the path of a model's checkpoint after checking its size and hash.

    Args:
        entry: the model.
        directory: the checkpoints folder.
        cache_file: where hashes are remembered between starts; None remembers nothing.

    Raises:
        ModelUnavailableError: the file is missing, cut short or altered; the text says which, and the cure.
    """
    there = [path for path in candidate_paths(entry, directory) if path.is_file()]
    path = locate(entry, directory) or next(iter(there), None)
    if path is None:
        raise ModelUnavailableError(f"{entry.name} needs {directory / entry.file}, which is missing; {cure(entry)}")
    verify(entry, path, cache_file=cache_file)
    return path


def verify(entry: ModelEntry, path: Path, *, cache_file: Path | None = None) -> None:
    """Check that a file is the checkpoint that the manifest describes; `cache_file` as of `verified_path`.

    Raises:
        ModelUnavailableError: its size or hash is another; the text says which, and the cure.
    """
    size = path.stat().st_size
    if size != entry.bytes:
        raise ModelUnavailableError(
            f"{path} has {size} bytes where {entry.name} has {entry.bytes}: it was cut short or is another file; "
            f"delete it, then {cure(entry)}"
        )
    try:
        sha256 = remembered_sha256(path, cache_file) if cache_file else file_sha256(path)
    except OSError as error:
        raise ModelUnavailableError(f"{path} can't be read ({error}); let this user read it") from error
    if sha256 != entry.sha256:
        raise ModelUnavailableError(
            f"{path} was altered: its sha256 is {sha256}, {entry.name} has {entry.sha256}; delete it, then "
            f"{cure(entry)}. To run weights of your own, name the file with --checkpoint"
        )


def cure(entry: ModelEntry) -> str:
    """Return how to get a model's checkpoint, as the end of a sentence."""
    if not entry.urls:
        return "restore it from the program's own files"
    return f"fetch it with 'python -m app weights fetch {entry.name}', or save {entry.urls[0]} under that name"


def remembered_sha256(path: Path, cache_file: Path) -> str:
    """Return a file's hash, computed only where the size or modification time changed since the last time."""
    stat = path.stat()
    key = str(path.resolve())
    memory = read_cache(cache_file, Remembered)
    known = memory.get(key)
    if known and (known.bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return known.sha256
    sha256 = file_sha256(path)
    memory.pop(key, None)
    memory[key] = Remembered(stat.st_size, stat.st_mtime_ns, sha256)
    write_cache(cache_file, dict(list(memory.items())[-MAX_REMEMBERED:]))
    return sha256


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, lower-case hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
