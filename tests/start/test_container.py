"""The container file fits the program: what it copies is there and let through, its variables are settings.

Whether it builds and stops as it should is seen only where a container engine runs, as it did once by hand.
"""

from __future__ import annotations

import json
import re

from app.settings import from_environment
from tests.helpers.readme import ROOT

FILE = (ROOT / ".container/Containerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def test_what_it_copies_is_there_and_let_through() -> None:
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", FILE, re.MULTILINE) for name in line.split()]
    assert "start.sh" in copied
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name.split('/')[0]}" in IGNORED


def test_weights_that_were_fetched_stay_out() -> None:
    assert "checkpoints/sam2.1_hiera_*.pt" in IGNORED
    assert IGNORED.index("checkpoints/sam2.1_hiera_*.pt") > IGNORED.index("!checkpoints"), (
        "the last line that fits wins"
    )


def test_its_variables_are_settings_and_its_volume_keeps_what_they_name() -> None:
    (line,) = re.findall(r"^ENV (.+)$", FILE, re.MULTILINE)
    told = dict(word.split("=", 1) for word in line.split())
    settings = from_environment(told)
    assert {f"HOVERSAM_{name.upper()}" for name in settings.__struct_fields__} >= told.keys()
    assert settings.host == "0.0.0.0"
    (volume,) = re.findall(r"^VOLUME (.+)$", FILE, re.MULTILINE)
    assert str(settings.checkpoints_dir).startswith(f"{volume}/")
    assert str(settings.cache_dir).startswith(f"{volume}/")


def test_signals_reach_the_program() -> None:
    """A command in the form for the shell would put a shell in front of it, which passes no signal on."""
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", FILE, re.MULTILINE)
    assert json.loads(entry) == ["./start.sh"]
    assert 'exec "$python" -I -m app "$@"' in (ROOT / "start.sh").read_text()
