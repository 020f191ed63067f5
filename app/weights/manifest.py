"""The models that this program knows, read from `checkpoints/manifest.json`.

One entry says what a model's files are called, where they come from and what their bytes hash to.
Whether the files are there and intact is the business of `checkpoints`, fetching them of `download`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from app.errors import ModelUnavailableError, UnknownModelError

BUNDLED_DIR = Path(__file__).parent.parent.parent / "checkpoints"
"""The folder that travels with the program: the manifest, and the files of bundled models."""

FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Url = Annotated[str, Meta(pattern=r"^https?://")]


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model.

    Attributes:
        name: what users call it: nano, tiny, small, base_plus or large.
        file: name of the checkpoint inside the checkpoints folder.
        config: the architecture, a YAML file: beside the checkpoint for a bundled model,
            inside the sam2 package for a published one.
        urls: where the checkpoint can be fetched, tried in order; empty for a bundled model.
        bytes: exact size of the checkpoint.
        sha256: hash of the checkpoint, lower-case hexadecimal.
        licence: SPDX name of the licence of the weights.
        params_m: parameters, in millions.
        bundled: True where the checkpoint comes with the program.
        has_memory: whether its memory was trained, by which it follows objects through clips.
    """

    name: str
    file: FileName
    config: str
    urls: tuple[Url, ...]
    bytes: Annotated[int, Meta(ge=0)]
    sha256: Sha256
    licence: str
    params_m: Annotated[float, Meta(ge=0)]
    bundled: bool
    has_memory: bool = True


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All the models, from the smallest to the largest."""

    models: tuple[ModelEntry, ...]

    def entry(self, name: str) -> ModelEntry:
        """Return the model of this name.

        Raises:
            UnknownModelError: there is none; the text lists those that there are.
        """
        for model in self.models:
            if model.name == name:
                return model
        names = ", ".join(model.name for model in self.models)
        raise UnknownModelError(f"no model is called {name[:64]!r}; choose one of {names}")


def load_manifest(path: Path = BUNDLED_DIR / "manifest.json") -> Manifest:
    """Return the manifest.

    Raises:
        ModelUnavailableError: the file is missing or isn't a manifest; reinstalling cures it.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelUnavailableError(
            f"{path} can't be read as the list of models ({error}); restore it from the program's own files"
        ) from error
