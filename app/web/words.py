"""The page's words: one table for each language, for the templates here and the page's modules there.

Decision: ICU messages in `static/words/LANGUAGE.json`. Context: the same sentences are said by templates and by
modules, and whoever translates has tools for that format. Choice: another language is another file; the browser's
`Accept-Language` chooses, English is for everybody else. Price: templates say plain messages alone, because numbers and
plurals are the browser's `Intl`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from markupsafe import Markup, escape

ENGLISH: Final = "en"
MARKED_UP: Final = re.compile(r"&lt;(/?(?:kbd|strong))&gt;")
"""What a message may have of markup."""
PREFERENCE: Final = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")
MAX_PREFERENCES: Final = 20
"""Languages of an `Accept-Language` that are looked at."""


class Words:
    """What the page says in one language."""

    def __init__(self, language: str, table: Mapping[str, str]) -> None:
        """Take a table.

        Args:
            language: BCP 47, the file's name.
            table: an ICU message for each key; `page.direction` is `ltr` or `rtl`.
        """
        self.language = language
        self.table = table

    def __call__(self, key: str, **values: str) -> str:
        """Return a message with its values in their places.

        Raises:
            KeyError: there is none, or a value is missing: plurals are said by the browser.
        """
        return self.table[key].format_map(values)

    def rich(self, key: str) -> Markup:
        """Return a message whose keys and stressed words are marked up: all of it is escaped but for two bare tags."""
        return Markup(MARKED_UP.sub(r"<\1>", str(escape(self.table[key]))))  # noqa: S704

    @property
    def direction(self) -> str:
        """Where lines begin, `ltr` or `rtl`."""
        return self.table["page.direction"]


def load_words(folder: Path) -> dict[str, Words]:
    """Return the page's words by language, of all tables in a folder."""
    tables = {path.stem: msgspec.json.decode(path.read_bytes(), type=dict[str, str]) for path in folder.glob("*.json")}
    return {language: Words(language, table) for language, table in tables.items()}


def chosen(words: Mapping[str, Words], accept_language: str) -> Words:
    """Return the words that a browser asks for, English where there are none.

    Args:
        words: by language.
        accept_language: the header's text, RFC 9110 section 12.5.4; what of it can't be read is passed over.
    """
    asked: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:MAX_PREFERENCES]:
        match = PREFERENCE.fullmatch(part)
        if match and float(match[2] or 1) > 0:
            asked.append((float(match[2] or 1), match[1].lower()))
    known = {language.lower(): language for language in words}
    for _, wanted in sorted(asked, key=lambda one: -one[0]):
        for tag in (wanted, wanted.split("-")[0]):
            if tag in known:
                return words[known[tag]]
    return words[ENGLISH]
