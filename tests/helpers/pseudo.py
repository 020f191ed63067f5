"""An imagined language: every letter accented, every message longer and in brackets, from right to left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from app.web.words import Words, load_words

PSEUDO = "ar-XB"
"""What systems call the imagined language that is written from right to left."""
ACCENTED = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "àƀçđéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÀƁÇĐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ"
)
HOLE = re.compile(r"\{\s*\w+\s*(?:(,\s*(?:plural|select)\s*,)|\})")
BRANCH = re.compile(r"\s*=?\w+\s*\{")
TAG = re.compile(r"</?(?:kbd|strong)>")


def pseudo(message: str) -> str:
    """Return an ICU message in the imagined language."""
    accented, end = _accented(message, 0)
    assert end == len(message), message
    letters = len(re.findall(r"[A-Za-z]", re.sub(r"\{[^{}]*\}", "", message)))
    return f"⟦{accented}{'·' * (letters // 3)}⟧"


def _accented(message: str, at: int) -> tuple[str, int]:
    """Return the text up to the end of the message or of a branch, and where that is."""
    parts = []
    while at < len(message) and message[at] != "}":
        tag, hole = TAG.match(message, at), HOLE.match(message, at)
        if tag:
            parts.append(tag.group())
            at = tag.end()
        elif hole:
            parts.append(hole.group())
            at = hole.end()
            while hole[1] and (branch := BRANCH.match(message, at)):
                text, at = _accented(message, branch.end())
                parts.append(f"{branch.group()}{text}}}")
                at += 1
            if hole[1]:
                parts.append("}")
                at = message.index("}", at) + 1
        else:
            parts.append(message[at].translate(ACCENTED))
            at += 1
    return "".join(parts), at


def with_pseudo(folder: Path) -> Mapping[str, Words]:
    """Return the page's words, and the imagined language beside them."""
    words = load_words(folder)
    table = {key: pseudo(message) for key, message in words["en"].table.items()} | {"page.direction": "rtl"}
    return {**words, PSEUDO: Words(PSEUDO, table)}
