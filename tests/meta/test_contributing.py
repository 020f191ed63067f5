"""What contributors are told is so: files and tests that the guide names exist, and CI runs what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent
GITHUB = ROOT / ".github"
GUIDE = (GITHUB / "CONTRIBUTING.md").read_text(encoding="utf-8")
TOPICS = ("a limit", "a message's field", "a key", "an export format", "the decode order", "a metric")


def test_each_file_that_the_guide_names_exists() -> None:
    named = set(re.findall(r"(?:^|[`\s])((?:app|tests|static|templates|\.ci|\.constraints)/[\w./-]*)", GUIDE))
    assert len(named) > len(TOPICS)
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_guide_says_where_to_change_what_people_come_to_change() -> None:
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+) \|", GUIDE, re.MULTILINE))
    assert set(TOPICS) <= rows.keys()
    assert all("`" in rows[topic] for topic in TOPICS)


def test_the_decode_order_and_the_formats_are_where_the_guide_says() -> None:
    """A row may outlive what it speaks of: the names in it are looked for in its file."""
    for name, file in re.findall(r"`(\w+)` and `\w+` in `([\w/.]+)`", GUIDE):
        assert f"class {name}" in (ROOT / file).read_text(encoding="utf-8")


def test_the_one_test_that_the_guide_runs_is_there() -> None:
    [(file, word)] = re.findall(r"pytest (tests/[\w/.]+) -k (\w+)", GUIDE)
    assert re.search(rf"def test_\w*{word}", (ROOT / file).read_text(encoding="utf-8"))


def test_the_workflow_runs_the_checks_on_each_python_with_versions_of_its_own() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows/checks.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["checks"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    pinned = {path.stem.removeprefix("py3") for path in (ROOT / ".constraints").glob("py3*.txt")}
    assert {python.removeprefix("3.") for python in job["strategy"]["matrix"]["python"]} == pinned


def test_the_form_asks_for_the_doctor() -> None:
    form = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE/fault.yml").read_text(encoding="utf-8"))
    asked = {part["id"]: part for part in form["body"]}
    assert "python -m app doctor" in asked["doctor"]["attributes"]["description"]
    assert asked["doctor"]["validations"]["required"] is True
