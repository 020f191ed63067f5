"""The versions in .constraints are whole and fit: one for each package that we ask for, for each supported Python."""

from __future__ import annotations

import re
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.helpers.readme import ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PROJECT = (ROOT / "pyproject.toml").read_text()


def asked_for() -> list[Requirement]:
    """Return what pyproject.toml asks for, for the server and for the tests."""
    lists = re.findall(r"^(?:dependencies|test) = \[\n(.*?)^\]", PROJECT, re.DOTALL | re.MULTILINE)
    assert len(lists) == 2
    return [Requirement(text) for part in lists for text in re.findall(r'^    "(.*?)"(?:,|$)', part, re.MULTILINE)]


def pins(python: str) -> dict[str, str]:
    """Return the version of each package for a Python."""
    lines = (ROOT / f".constraints/py{python.replace('.', '')}.txt").read_text().splitlines()
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def test_there_are_versions_for_each_python_that_start_sh_looks_for() -> None:
    assert {path.name for path in (ROOT / ".constraints").iterdir()} == {
        f"py{python.replace('.', '')}.txt" for python in PYTHONS
    }
    assert all(f"python{python}" in (ROOT / "start.sh").read_text() for python in PYTHONS)


@pytest.mark.parametrize("python", PYTHONS)
def test_each_package_that_we_ask_for_has_a_version_within_its_range(python: str) -> None:
    pinned = pins(python)
    environment = {"python_version": python, "platform_machine": "x86_64"}
    wanted = [each for each in asked_for() if each.marker is None or each.marker.evaluate(environment)]
    lacking = [
        str(each) for each in wanted if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"))
    ]
    assert lacking == [], "run .ci/lock where the checks pass"


def test_what_runs_here_are_those_versions() -> None:
    """So that what the checks say holds for those who install from them."""
    from importlib.metadata import PackageNotFoundError, version

    def installed(name: str) -> str | None:
        try:
            return version(name).split("+")[0]
        except PackageNotFoundError:
            return None  # of another platform or of a build without it

    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    pinned = pins(here) if here in PYTHONS else {}
    others = {
        name: (wanted, found) for name, wanted in pinned.items() if (found := installed(name)) not in (None, wanted)
    }
    assert others == {}
