"""The configurations that .container/README.md gives to operators."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPERATION = ROOT / ".container/README.md"


def block(language: str) -> str:
    """Return the only block of code in a language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", OPERATION.read_text(), re.DOTALL)
    return str(text)
