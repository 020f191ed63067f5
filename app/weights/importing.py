"""Taking a checkpoint from a file, for machines without a network: the right file or none."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from app.errors import ModelUnavailableError
from app.weights.checkpoints import CHUNK_BYTES, verify
from app.weights.download import OnBytes, check_space, is_right, only_one
from app.weights.manifest import Manifest, ModelEntry


def recognised(manifest: Manifest, source: Path) -> ModelEntry:
    """Return the published model that a file has the size of.

    Raises:
        ModelUnavailableError: there is no such file, or no such model; the text names the cure.
    """
    size = existing_size(source)
    for entry in manifest.models:
        if entry.bytes == size:
            return entry
    raise ModelUnavailableError(f"{source} has {size} bytes, which no published model has. {cure_of_own(source)}")


def cure_of_own(source: Path, model: str = "NAME") -> str:
    """Return how weights that nobody published are run."""
    named = " (NAME: the model whose architecture they have)" if model == "NAME" else ""
    return f"Weights of your own need no import; run them with: serve --model {model} --checkpoint {source}{named}"


def existing_size(source: Path) -> int:
    """Return a file's bytes.

    Raises:
        ModelUnavailableError: there is no such file.
    """
    if not source.is_file():
        raise ModelUnavailableError(f"there is no file {source}; name a checkpoint")
    return source.stat().st_size


def check_size(entry: ModelEntry, source: Path) -> None:
    """Refuse a file of another size before it is copied.

    Raises:
        ModelUnavailableError: there is no such file, or it has another size than the model's checkpoint.
    """
    size = existing_size(source)
    if size != entry.bytes:
        raise ModelUnavailableError(
            f"{source} has {size} bytes where the checkpoint of {entry.name} has {entry.bytes}: it was cut short or is "
            f"another file; get it again from where it was published. {cure_of_own(source, entry.name)}"
        )


def adopt(
    entry: ModelEntry, source: Path, directory: Path, *, progress: OnBytes, lock_timeout_s: float = 3600.0
) -> Path:
    """Return the path of a model's checkpoint, copied from a file unless it is there already.

    Args:
        entry: the model.
        source: the file, which stays where it is.
        directory: the checkpoints folder, made where it is missing.
        progress: told of every piece.
        lock_timeout_s: how long to wait for another process that brings the same file.

    Raises:
        ModelUnavailableError: the file isn't the model's, can't be read, or can't be written; the text says which.
    """
    target = directory / entry.file
    part = target.with_name(f"{target.name}.import")
    check_size(entry, source)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with only_one(entry, directory, progress, lock_timeout_s):
            if source.resolve() == target.resolve():
                verify(entry, source)
            elif not is_right(entry, target):
                try:
                    check_space(entry, part)
                    copy(entry, source, part, progress)
                    part.replace(target)
                finally:
                    part.unlink(missing_ok=True)
    except OSError as error:
        raise ModelUnavailableError(
            f"{source} can't be copied to {directory} ({error}); free or permit it, or name another folder"
        ) from error
    return target


def copy(entry: ModelEntry, source: Path, part: Path, progress: OnBytes) -> None:
    """Copy a checkpoint and check on the way that it is the model's.

    Raises:
        ModelUnavailableError: it isn't.
    """
    digest = hashlib.sha256()
    with source.open("rb") as reader, part.open("wb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
            progress(writer.tell(), entry.bytes)
        writer.flush()
        os.fsync(writer.fileno())
    if digest.hexdigest() != entry.sha256:
        raise ModelUnavailableError(
            f"{source} is not the published checkpoint of {entry.name}: its sha256 is {digest.hexdigest()}, expected "
            f"{entry.sha256}; get it again from where it was published. {cure_of_own(source, entry.name)}"
        )
