"""Write what is made from the code: `.venv/bin/python .ci/documents.py`, after a setting has changed."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # for whoever runs it from another folder

from app.settings import Settings, descriptions, variable  # noqa: E402

SETTINGS = ROOT / ".container/SETTINGS.md"
HEAD = """\
# Settings

Made from `app/settings.py` by `.ci/documents.py`. Each is an environment variable; those of `serve` that people change
most are options too (`./start.sh --help`). Bytes, pixels and seconds are plain numbers; `1` and `true` mean yes.

| variable | default | what |
|---|---|---|
"""


def settings_page() -> str:
    """Return all settings as a page."""
    told_of = descriptions()
    lines = []
    for field in msgspec.structs.fields(Settings):
        default = "checkpoints" if field.name == "checkpoints_dir" else field.default
        shown = "" if default in (None, ()) else f"`{default}`"
        lines.append(f"| `{variable(field.name)}` | {shown} | {told_of[field.name]} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    SETTINGS.write_text(settings_page(), encoding="utf-8")
