"""The systemd unit of .container/README.md suits the program: paths, variables, exit codes, times and limits are ours.

Whether the unit's sandbox lets the program work is seen only under systemd itself, as it was once by hand; here it is
held to what was found there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from app.server.limits import ServerLimits
from app.server.serve import EXIT_HUNG, EXIT_NO_MODEL, EXIT_USAGE
from app.settings import from_environment
from tests.helpers.readme import OPERATION, block

UNIT = block("ini")
README = OPERATION.read_text()


def options() -> dict[str, list[str]]:
    """Return the values of each option of the unit, in their order."""
    found = defaultdict(list)
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE):
        found[name].append(value)
    return found


def only(name: str) -> str:
    (value,) = options()[name]
    return value


def environment() -> dict[str, str]:
    return dict(word.split("=", 1) for line in options()["Environment"] for word in line.split())


def test_its_variables_are_settings_and_make_sense_together() -> None:
    settings = from_environment(environment())
    assert {f"HOVERSAM_{name.upper()}" for name in settings.__struct_fields__} >= environment().keys()
    assert settings.cache_dir == Path("/var/cache") / only("CacheDirectory")


def test_it_runs_start_sh_where_it_may_write() -> None:
    folder = only("WorkingDirectory")
    assert only("ExecStart") == f"{folder}/start.sh serve"
    assert only("ReadWritePaths") == folder
    assert f"sudo -u {only('User')} {folder}/start.sh install" in README


def test_a_fault_that_a_new_start_cures_is_followed_by_one() -> None:
    assert only("Restart") == "on-failure"
    cured_by_a_person = {int(code) for code in only("RestartPreventExitStatus").split()}
    assert cured_by_a_person == {EXIT_USAGE, EXIT_NO_MODEL}
    assert EXIT_HUNG not in cured_by_a_person


def test_it_gives_what_the_program_may_need() -> None:
    settings = from_environment({})
    assert int(only("TimeoutStopSec")) > 2 * ServerLimits().shutdown_timeout_s
    assert int(only("LimitNOFILE")) > 4 * settings.max_connections
    assert "MemoryDenyWriteExecute" not in options(), "torch and OpenVINO make machine code as they run"
    assert "PrivateDevices" not in options(), "a GPU is a device"
    assert "ProcSubset" not in options(), "the size of the memory is read from /proc"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on PATH")
def test_systemd_understands_it(tmp_path: Path) -> None:
    """Nothing is said of a misspelt option but a warning, so silence is asked for."""
    unit = tmp_path / "hoversam.service"
    unit.write_text(UNIT.replace(only("ExecStart"), "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in (done.stdout + done.stderr).splitlines() if "hoversam" in line] == []
