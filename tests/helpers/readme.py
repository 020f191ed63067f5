"""The configurations that .container/README.md and the pages beside it give to operators."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPERATION = ROOT / ".container/README.md"
SEVERAL = ROOT / ".container/SEVERAL.md"
NAME = "masks.example.org"
"""What they call the server."""


def blocks(language: str, page: Path = OPERATION) -> list[str]:
    """Return the blocks of code in a language."""
    return [str(text) for text in re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)]


def block(language: str, page: Path = OPERATION) -> str:
    """Return the only block of code in a language."""
    (text,) = blocks(language, page)
    return text
