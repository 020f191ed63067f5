"""What `./start.sh test` promises, on a machine of stand-ins: no package is installed and no network touched."""

from __future__ import annotations

import shutil

import pytest

from tests.helpers.machine import NEEDED, ROOT, Machine

ASKED_OTHERWISE = ("openssl", "nginx", "caddy")
"""Programs that don't know `--version`."""


@pytest.fixture
def equipped(machine: Machine) -> Machine:
    """A machine with all that the checks need besides Python."""
    tsc = machine.home / "tests/js/node_modules/.bin/tsc"
    tsc.parent.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests/js" / name, machine.home / "tests/js")
    for name in NEEDED:
        knows = f'[ "$1" != --version ] || exit {int(name in ASKED_OTHERWISE)}'
        machine.add_command(name, f'echo "{name} $*" >>"$CALLS"; {knows}')
    tsc.symlink_to(machine.home / "bin/node")
    return machine


def test_every_check_runs_and_the_summary_comes_last(equipped: Machine) -> None:
    result = equipped.start("test")
    assert result.returncode == 0
    runs = 6  # five side by side, then one alone
    assert result.stdout.splitlines()[-runs:] == ["2 passed in 0.1s"] * runs
    calls = "\n".join(equipped.calls())
    python = ("ruff <format> <--check> <.>", "ruff <check> <.>", "mypy", "pytest")
    for check in (*python, "npm run --silent lint -- --max-warnings=0", "node --noEmit", "node --test"):
        assert check in calls


@pytest.mark.parametrize("check", ["ruff", "mypy", "pytest"])
def test_a_failed_check_fails_the_whole_and_stops_no_other(equipped: Machine, check: str) -> None:
    result = equipped.start("test", FAKE_FAILING=check)
    assert result.returncode == 1
    assert f"{check} is unhappy" in result.stdout
    assert f"failed: {check}" in result.stdout
    assert equipped.called("node --test")
    assert equipped.called("pytest")


def test_what_fails_is_run_once_more_alone(equipped: Machine) -> None:
    result = equipped.start("test", FAKE_FAILING="pytest")
    again = equipped.called("<--last-failed>")
    assert 2 * len(again) == len([call for call in equipped.calls() if call.startswith("pytest ")]) > 2
    assert all("<--last-failed-no-failures=none>" in call and "cache_dir=" in call for call in again)
    assert "what failed is run once more, alone" in result.stdout


@pytest.mark.parametrize("tool", NEEDED)
def test_a_missing_tool_that_cannot_be_installed_is_a_failure_with_its_cure(equipped: Machine, tool: str) -> None:
    (equipped.home / "bin" / tool).unlink()
    result = equipped.start("test")
    assert result.returncode == 1
    assert f"{tool} is missing: " in result.stdout
    assert "install" in result.stdout
    assert "failed: tools" in result.stdout
    assert equipped.called("pytest")


@pytest.mark.parametrize("tool", ["node", "chromium"])
def test_a_missing_tool_is_installed_where_apt_can(equipped: Machine, tool: str) -> None:
    (equipped.home / f"bin/{tool}").rename(equipped.home / "kept")
    copies = f'cp "{equipped.home}/kept" "{equipped.home}/bin/{tool}"'
    installs = f'echo "apt-get $*" >>"$CALLS"; [ "$1" != install ] || {copies}'
    equipped.add_command("apt-get", installs)
    equipped.add_command("sudo", 'shift; exec "$@"')
    result = equipped.start("test")
    assert result.returncode == 0, result.stdout
    assert equipped.called("apt-get install")


def test_a_proxy_is_unpacked_and_never_installed_as_a_service(equipped: Machine) -> None:
    (equipped.home / "bin/nginx").rename(equipped.home / "kept")
    equipped.add_command("apt-get", 'echo "apt-get $*" >>"$CALLS"; [ "$1" != download ] || : >nginx.deb')
    folder = equipped.home / ".venv/tools/usr/sbin"
    unpacks = f'echo "dpkg $1" >>"$CALLS"; mkdir -p "{folder}"; cp "{equipped.home}/kept" "{folder}/nginx"'
    equipped.add_command("dpkg", unpacks)
    result = equipped.start("test")
    assert result.returncode == 0, result.stdout
    assert equipped.called("dpkg -x")
    assert not equipped.called("apt-get install")


def test_quick_starts_no_browser_and_needs_none(equipped: Machine) -> None:
    for tool in ("chromium", "nginx", "caddy"):
        (equipped.home / "bin" / tool).unlink()
    result = equipped.start("test", "quick")
    assert result.returncode == 0, result.stdout
    assert result.stdout.splitlines()[-1] == "2 passed in 0.1s"
    calls = sorted(call for call in equipped.calls() if call.startswith("pytest "))
    assert len(calls) == 2
    assert all(call.split("<not slow> ")[1].startswith("<tests/unit") for call in calls)
    assert any("<tests/property>" in call for call in calls)
    assert not any("tests/browser" in call for call in calls)
    assert equipped.called("ruff")
    assert equipped.called("mypy")


def test_arguments_of_test_reach_pytest(equipped: Machine) -> None:
    equipped.start("test", "tests/unit", "-k", "newest hover")
    assert equipped.calls()[-1] == "pytest <tests/unit> <-k> <newest hover>"


def test_an_interrupted_installation_for_tests_is_repaired_by_the_next_start(machine: Machine) -> None:
    machine.start()
    machine.start("test", FAKE_PIP="cut-off-installing")
    machine.start()
    assert machine.called("venv")
    assert machine.calls()[-1] == "app <serve>"


def test_tests_install_once_and_serve_needs_nothing_more(equipped: Machine) -> None:
    equipped.start("test")
    assert equipped.called("[test]")
    equipped.start("test")
    assert not equipped.called("pip install")
    equipped.start()
    assert not equipped.called("pip install")
