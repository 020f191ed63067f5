"""From averaged fp32 weights to the files that ship: fp16 checkpoint and its line in the manifest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MAX_BYTES = 20_000_000


def half(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights as they are shipped: fp16 where they are floats."""
    return {name: value.half().contiguous() if value.is_floating_point() else value for name, value in state.items()}


def release(source: Path, checkpoint: Path, manifest: Path) -> dict[str, Any]:
    """Write `checkpoint` in fp16 from trained weights and enter its size and hash in the manifest.

    Raises:
        ValueError: the file would be larger than a demonstration should be.
    """
    state = half(torch.load(source, weights_only=True)["model"])
    torch.save({"model": state}, checkpoint)
    data = checkpoint.read_bytes()
    if len(data) > MAX_BYTES:
        raise ValueError(f"nano may have {MAX_BYTES} bytes, this one has {len(data)}; make it narrower")
    facts = {
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "params_m": round(sum(value.numel() for value in state.values()) / 1e6, 1),
    }
    document = json.loads(manifest.read_text())
    next(model for model in document["models"] if model["name"] == "nano").update(facts)
    manifest.write_text(json.dumps(document, indent=2) + "\n")
    return facts
