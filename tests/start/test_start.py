"""What start.sh promises, on a machine of stand-ins: no package is installed and no network touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.machine import Machine

OURS = f"{sys.version_info.major}{sys.version_info.minor}"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


@pytest.fixture
def bare_machine(tmp_path: Path) -> Machine:
    """A machine without any Python."""
    return Machine(tmp_path / "bare")


# --- Which Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pythons", "chosen"),
    [
        ({"python3": "3.11", "python3.13": "3.13"}, "python3"),
        ({"python3": "3.9", "python3.11": "3.11"}, "python3.11"),
        ({"python3": "3.15", "python3.12": "3.12"}, "python3.12"),
        ({"python3": "3.15"}, "python3"),
        ({"python3": "", "python3.10": "3.10"}, "python3.10"),
        ({"python3": "3.12 without ensurepip", "python3.10": "3.10"}, "python3.10"),
    ],
    ids=["plain", "too_old", "too_new", "only_a_newer_one", "broken", "no_venv"],
)
def test_takes_a_python_that_torch_has_wheels_for(bare_machine: Machine, pythons: dict[str, str], chosen: str) -> None:
    for name, version in pythons.items():
        bare_machine.add_python(name, version)
    assert bare_machine.start().returncode == 0
    assert bare_machine.called(" venv") == [f"{chosen} venv"]


@pytest.mark.parametrize(
    ("version", "said", "cure"),
    [
        ("3.9", "python3 is 3.9", "apt install python3 python3-venv"),
        ("3.12 without ensurepip", "python3 is 3.12 without ensurepip", "apt install python3-venv"),
        (None, "there is no python3 on PATH", "https://www.python.org/downloads/"),
    ],
)
def test_refuses_a_machine_without_a_fit_python_and_names_the_cure(
    bare_machine: Machine, version: str | None, said: str, cure: str
) -> None:
    if version:
        bare_machine.add_python("python3", version)
    result = bare_machine.start()
    assert result.returncode == 1
    assert said in result.stderr
    assert cure in result.stderr
    assert bare_machine.calls() == []


# --- Installing -------------------------------------------------------------------------------------


def test_first_start_installs_torch_before_sam2_and_then_serves(machine: Machine) -> None:
    machine.start()
    steps = [call.split(" no_index")[0].split()[-1] for call in machine.called("pip install")]
    assert steps[0] == "wheel"
    assert steps[1].startswith("torchvision>=")
    assert f" --no-build-isolation --editable {machine.home}" in machine.called("pip install")[2]
    assert machine.calls()[-1] == "app <serve>"


def test_second_start_installs_nothing(machine: Machine) -> None:
    machine.start()
    result = machine.start()
    assert machine.calls() == ["app <serve>"]
    assert result.stderr == ""


def test_ray_is_added_by_the_first_start_that_asks_for_workers_and_by_no_other(machine: Machine) -> None:
    machine.start()
    assert not any("[fleet]" in call for call in machine.called("pip install"))
    machine.start("--port", "1", "--ray-address=head:6379")
    [added] = machine.called("pip install")
    assert added.split(" no_index")[0].endswith(f"--editable {machine.home}[fleet]")
    machine.start(HOVERSAM_WORKERS="2")
    assert machine.calls() == ["app <serve>"]


def test_a_changed_pyproject_is_installed_into_the_same_venv(machine: Machine) -> None:
    machine.start()
    with (machine.home / "pyproject.toml").open("a") as file:
        file.write("# one more line\n")
    machine.start()
    assert machine.called("pip install")
    assert not machine.called("venv")


def test_a_moved_folder_is_installed_again(machine: Machine) -> None:
    machine.start()
    moved = machine.home.with_name("elsewhere")
    shutil.copytree(machine.home, moved, symlinks=True)
    subprocess.run([moved / "start.sh"], env=machine.env, check=True, capture_output=True)
    assert machine.called(f"--editable {moved}")


@pytest.mark.parametrize(("moment", "venv_again"), [("cut-off-downloading", False), ("cut-off-installing", True)])
def test_an_interrupted_installation_is_repeated(machine: Machine, moment: str, *, venv_again: bool) -> None:
    interrupted = machine.start(FAKE_PIP=moment)
    assert interrupted.returncode == 130
    assert interrupted.stderr.splitlines()[-1] == "start.sh: interrupted; start again to go on"
    assert not machine.called("app")
    assert machine.start().returncode == 0
    assert bool(machine.called("venv")) == venv_again, "a half-written package must not be taken for a whole one"
    assert len(machine.called("pip install")) == 3
    assert machine.calls()[-1] == "app <serve>"


def test_a_failed_step_shows_the_end_of_the_log_and_is_not_taken_for_done(machine: Machine) -> None:
    result = machine.start(FAKE_PIP="fails")
    assert result.returncode == 1
    assert "line 11 of the log" in result.stderr
    assert "line 30 of the log" in result.stderr
    assert "line 10 of the log" not in result.stderr
    assert len(machine.called("pip install")) == 1
    machine.start()
    assert len(machine.called("pip install")) == 3


@pytest.mark.parametrize(("pip", "upgrades"), [("", 0), ("old", 1)])
def test_pip_is_upgraded_only_where_it_is_too_old(machine: Machine, pip: str, upgrades: int) -> None:
    machine.start(FAKE_PIP=pip)
    assert len(machine.called("--upgrade pip")) == upgrades


def test_each_step_takes_the_versions_that_the_checks_passed_with(machine: Machine) -> None:
    machine.start()
    steps, file = machine.called("pip install"), f"{machine.home}/.constraints/py{OURS}.txt"
    assert [f"--constraint {file}" in step for step in steps] == [True] * 3


def test_a_python_without_such_versions_takes_the_ranges(machine: Machine) -> None:
    (machine.home / f".constraints/py{OURS}.txt").unlink()
    assert machine.start().returncode == 0
    assert not machine.called("--constraint")


def test_other_versions_are_installed_by_the_next_start(machine: Machine) -> None:
    machine.start()
    with (machine.home / f".constraints/py{OURS}.txt").open("a") as file:
        file.write("one-more==1.0\n")
    machine.start()
    assert machine.called("pip install")


def test_pip_unpacks_beside_what_it_installs_and_leaves_nothing(machine: Machine) -> None:
    machine.start(FAKE_PIP="tells-tmpdir")
    assert machine.called("TMPDIR") == [f"TMPDIR {machine.home}/.venv/tmp"] * 3
    assert not (machine.home / ".venv/tmp").exists()


def test_install_starts_nothing(machine: Machine) -> None:
    assert machine.start("install").returncode == 0
    assert machine.called("pip install")
    assert not machine.called("app")
    machine.start()
    assert machine.calls() == ["app <serve>"]


@contextmanager
def beginning(machine: Machine, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A start that goes on beside the test; ended with what it started, whatever happens."""
    command, env = [machine.home / "start.sh"], machine.env | env
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def heard(process: subprocess.Popen[str], word: str) -> str:
    """Return the next line that has a word in it."""
    assert process.stderr
    return next(line for line in process.stderr if word in line)


@pytest.fixture
def gate(machine: Machine) -> Iterator[int]:
    """A pipe; a gated pip goes on when it gets a line of it."""
    path = machine.home / "gate"
    os.mkfifo(path)
    machine.env["GATE"] = str(path)
    pipe = os.open(path, os.O_RDWR)  # held open, so that no line is lost between two readers
    yield pipe
    os.close(pipe)


def test_of_two_first_starts_one_installs_and_the_other_waits(machine: Machine, gate: int) -> None:
    with beginning(machine, FAKE_PIP="gated") as first:
        heard(first, "installing what builds")
        with beginning(machine) as second:
            assert "waiting" in heard(second, "start.sh:")
            os.write(gate, b"go on\n" * 3)
            assert first.wait(60) == second.wait(60) == 0
    assert len(machine.called("venv")) == 1
    assert len(machine.called("pip install")) == 3
    assert machine.called("app") == ["app <serve>"] * 2


def test_who_waited_for_a_start_that_was_killed_installs_itself(machine: Machine, gate: int) -> None:
    with beginning(machine, FAKE_PIP="gated") as first:
        heard(first, "installing what builds")
        with beginning(machine) as second:
            assert "waiting" in heard(second, "start.sh:")
            first.kill()  # its pip lives on, and nobody else may install as long as it does
            os.write(gate, b"go on\n")
            assert second.wait(60) == 0
    assert len(machine.called("pip install")) == 1 + 3
    assert machine.calls()[-1] == "app <serve>"


def test_a_folder_that_cannot_be_written_to_is_said_to_be_one(machine: Machine) -> None:
    (machine.home / ".venv.lock").mkdir()  # which not even root can write to
    result = machine.start()
    assert result.returncode == 1
    assert result.stderr == f"start.sh: {machine.home} can't be written to, and the first start installs .venv in it\n"
    assert machine.calls() == []


# --- Which build of torch -----------------------------------------------------------------------------


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="this machine has an NVIDIA GPU of its own")
@pytest.mark.parametrize(
    ("nvidia_smi", "index", "cpu_build"),
    [
        (None, "up", True),
        ("echo 'No devices were found'; exit 6", "up", True),
        ("echo 'GPU 0: NVIDIA L4'", "up", False),
        (None, "down", False),
    ],
    ids=["no_driver", "driver_without_gpu", "gpu", "index_out_of_reach"],
)
def test_cpu_build_where_there_is_no_gpu_and_its_index_answers(
    machine: Machine, nvidia_smi: str | None, index: str, *, cpu_build: bool
) -> None:
    if nvidia_smi:
        machine.add_command("nvidia-smi", nvidia_smi)
    machine.start(FAKE_INDEX=index)
    torch = next(call for call in machine.called("pip install") if "torchvision" in call)
    assert (f"--extra-index-url {CPU_INDEX}" in torch) == cpu_build


def test_without_an_index_no_index_is_asked(machine: Machine) -> None:
    machine.start(FAKE_INDEX="up", PIP_NO_INDEX="1")
    assert not machine.called("asks")
    assert all(call.endswith("no_index=1") for call in machine.called("pip install"))


def test_a_first_start_offline_still_installs(machine: Machine) -> None:
    machine.start("--offline")
    assert machine.called("pip install")
    assert machine.calls()[-1] == "app <serve> <--offline>"


# --- Commands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ([], "app <serve>"),
        (["--port", "9000", "--model", "tiny"], "app <serve> <--port> <9000> <--model> <tiny>"),
        (["serve", "--device", "cpu"], "app <serve> <--device> <cpu>"),
        (["demo", "my holiday.jpg"], "app <demo> <my holiday.jpg>"),
        (["weights", "--help"], "app <weights> <--help>"),
    ],
)
def test_arguments_reach_the_application_unchanged(machine: Machine, arguments: list[str], call: str) -> None:
    machine.start(*arguments)
    assert machine.calls()[-1] == call


def test_help_installs_nothing(machine: Machine) -> None:
    result = machine.start("--help")
    assert result.returncode == 0
    assert machine.calls() == []
    for option in ("--model", "--checkpoint", "--host", "--port", "--device", "--offline", "test"):
        assert option in result.stdout


def test_help_shows_the_servers_own_options_once_installed(machine: Machine) -> None:
    machine.start()
    assert "Usage: ./start.sh" in machine.start("--help").stdout
    assert machine.calls() == ["app <serve> <--help>"]
