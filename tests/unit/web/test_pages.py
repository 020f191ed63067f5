"""The page's modules as they are served: without what only readers need, and nothing else of the machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from litestar.exceptions import NotFoundException

from app.web.pages import SCRIPTS, script

read = cast("Callable[[Path], str]", script.fn)
SOURCE = (SCRIPTS / "model" / "words.js").read_text(encoding="utf-8")


def test_module_is_served_without_its_comments_and_with_all_its_words() -> None:
    served = read(Path("/model/words.js"))
    assert "/**" not in served
    assert "export function describe(state)" in served
    assert len(served) < 0.8 * len(SOURCE)


@pytest.mark.parametrize(
    "path", ["/../css/base.css", "/../../pyproject.toml", "/missing.js", "/model", "/model/types.ts"]
)
def test_there_is_nothing_beside_the_modules(path: str) -> None:
    with pytest.raises(NotFoundException):
        read(Path(path))


def test_no_question_lies_in_the_list_which_a_phone_puts_away() -> None:
    templates = SCRIPTS.parents[1] / "templates"
    panel = (templates / "studio.html").read_text(encoding="utf-8").partition("<aside")[2].partition("</aside>")[0]
    parts = [panel, *((templates / name).read_text(encoding="utf-8") for name in re.findall(r'include "(.+?)"', panel))]
    assert len(parts) > 2
    assert "<dialog" not in "".join(parts)  # modal and not to be seen, it would let nothing of the page be touched
