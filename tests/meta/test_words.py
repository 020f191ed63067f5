"""One word for one thing: the contributing guide has the words, and those that were given up don't come back."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAX_WORDS = 25
KINDS = {".py", ".js", ".ts", ".html", ".css", ".sh"}
FILES = sorted(
    path
    for folder in ("app", "static", "templates", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in KINDS and "node_modules" not in path.parts and path != Path(__file__)
)
RETIRED = re.compile(
    r"\b(Lobby|Crew|crew|Shelf|shelf|Waiters|waiters|Inbox|inbox|Errand|errands?|Wish|Asking"
    r"|reassociated|windowed|one_mask|one_recipe|class (Line|Book|Again|Wire|Told|Asked|Work|Question))\b"
    r"|(?i:hasty)"
)
"""Names that said nothing to who hadn't made them, or the same as another."""
RETIRED_FILES = {"lobby", "crew", "shelf", "line", "book", "again", "waiters", "inbox", "errand", "stall", "deadlines"}
SAME_ON_PURPOSE = {"Object", "Preview"}
"""The client's are the protocol's, with masks as arrays."""
BY_THEMSELVES = {"nano", "bench"}
"""Packages that nothing else imports; a name there is met there alone."""


def glossary() -> list[str]:
    """Return the words that the guide explains."""
    [section] = re.findall(r"## Words\n(.*?)\n## ", GUIDE, re.DOTALL)
    return re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)[1:]


def test_the_words_are_few_and_in_use() -> None:
    words = glossary()
    assert 0 < len(words) <= MAX_WORDS
    code = " ".join(path.read_text(encoding="utf-8").lower() for path in FILES if "app" in path.parts)
    assert [word for word in words if not re.search(rf"\b{word}", code)] == []


def test_a_word_that_was_given_up_does_not_come_back() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in FILES
        for match in RETIRED.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()
    assert {
        str(path.relative_to(ROOT)) for path in FILES if path.suffix == ".py" and path.stem in RETIRED_FILES
    } == set()


def test_no_two_classes_have_one_name() -> None:
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for path in FILES:
        if path.is_relative_to(ROOT / "app") and not BY_THEMSELVES & set(path.parts):
            for node in ast.parse(path.read_text(encoding="utf-8")).body if path.suffix == ".py" else []:
                if isinstance(node, ast.ClassDef):
                    homes[node.name].add(str(path.relative_to(ROOT)))
    assert {name: files for name, files in homes.items() if len(files) > 1 and name not in SAME_ON_PURPOSE} == {}
