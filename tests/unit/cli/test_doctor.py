"""`python -m app doctor`: a page that says what is in the way and what is slow, and gives nobody away."""

from __future__ import annotations

import getpass
import os
import platform
import socket
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.cli import doctor
from app.cli.doctor import Facts, faults, page, slow, without_paths
from app.machine import Processor
from app.settings import Settings

GOOD = Facts(
    versions=dict.fromkeys(doctor.PACKAGES, "1.0"),
    processor=Processor("a CPU", ("AVX2", "AVX-512", "bf16 (AMX)")),
    cores=16,
    memory=64 * doctor.GIB,
    device="cpu",
    precision="bf16",
    obstacle="",
    models={"nano": "comes with the program", "tiny": "here", "large": "not here"},
    compiled={"tiny bf16": 2**20},
    free={"weights": 100 * doctor.GIB},
    unshared="",
    ray="2.60.0",
    unreached="",
    chosen=(),
    unknown=(),
    settings=Settings(),
)


def set_to(**changes: object) -> Settings:
    return msgspec.structs.replace(Settings(), **changes)


def test_a_good_machine_has_nothing_in_the_way_and_nothing_slow() -> None:
    assert (faults(GOOD), slow(GOOD)) == ([], [])
    assert page(GOOD).count(": nothing") == 2


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(GOOD, versions={**GOOD.versions, "torch": None}), ["torch is missing", "./start.sh install"]),
        (replace(GOOD, settings=set_to(model="huge")), ["HOVERSAM_MODEL"]),
        (replace(GOOD, settings=set_to(model="large", offline=True)), ["large", "HOVERSAM_OFFLINE"]),
        (replace(GOOD, models={"tiny": "another file of that name (3 bytes)"}), ["tiny", "weights verify tiny"]),
        (
            replace(GOOD, precision=None, obstacle="it is for x86 CPUs", settings=set_to(engine="openvino")),
            ["OpenVINO is asked for", "it is for x86 CPUs"],
        ),
        (replace(GOOD, unknown=("HOVERSAM_MODLE",)), ["HOVERSAM_MODLE is no setting"]),
        (replace(GOOD, unshared="a file is in its place"), ["HOVERSAM_SHARED_DIR", "a file is in its place"]),
        (replace(GOOD, ray=None, settings=set_to(workers=2)), ["Ray is missing", "./start.sh --workers"]),
        (replace(GOOD, unreached="nobody answers there"), ["HOVERSAM_RAY_ADDRESS", "nobody answers there"]),
    ],
    ids=[
        "package",
        "no such model",
        "offline",
        "damaged",
        "openvino",
        "a variable by mistake",
        "shared folder",
        "no Ray",
        "no cluster",
    ],
)
def test_what_is_in_the_way_is_said_with_its_cure(facts: Facts, words: list[str]) -> None:
    [found] = faults(facts)
    assert all(word in found for word in words)
    assert found in page(facts)


def test_openvino_may_be_missing() -> None:
    assert faults(replace(GOOD, versions={**GOOD.versions, "openvino": None})) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(GOOD, precision=None, obstacle="it was asked for"), ["torch", "it was asked for"]),
        (replace(GOOD, precision="fp32"), ["fp32", "doesn't compute in bf16"]),
        (replace(GOOD, precision="fp32", settings=set_to(precision="fp32")), ["fp32", "was asked for"]),
        (replace(GOOD, processor=Processor("an old one", ())), ["AVX2"]),
        (replace(GOOD, cores=2), ["2 cores"]),
        (replace(GOOD, memory=2 * doctor.GIB), ["2.0 GiB of memory"]),
        (replace(GOOD, compiled={}), ["compiled"]),
        (replace(GOOD, settings=set_to(workers=32)), ["32 workers share 16 cores"]),
        (replace(GOOD, free={"caches": 2**20}), ["caches"]),
    ],
    ids=["torch", "no bf16", "fp32", "old", "cores", "memory", "not compiled", "workers", "disk"],
)
def test_what_is_slow_is_said_with_its_reason(facts: Facts, words: list[str]) -> None:
    [found] = slow(facts)
    assert all(word in found for word in words)
    assert found in page(facts)


def test_a_gpu_has_no_cause_to_complain_of_the_processor() -> None:
    facts = replace(GOOD, device="cuda", precision=None, cores=2, processor=Processor("an old one", ()))
    assert slow(facts) == []


@pytest.mark.parametrize(
    ("workers", "address", "words"),
    [
        (None, None, "none: models run in the server's own process"),
        (3, None, "3 on this machine, Ray 2.60.0"),
        (None, "head:6379", "those that are there in a cluster, Ray 2.60.0"),
    ],
)
def test_where_models_run_is_told_without_an_address(workers: int | None, address: str | None, words: str) -> None:
    told = page(replace(GOOD, settings=set_to(workers=workers, ray_address=address)))
    assert f"workers    {words}\n" in told
    assert "6379" not in told


def test_a_cluster_is_looked_for_with_its_token() -> None:
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        assert doctor.why_not_joined(address, {"RAY_AUTH_TOKEN": "secret"}) == ""
        assert "RAY_AUTH_TOKEN_PATH" in doctor.why_not_joined(address, {})
    gone = doctor.why_not_joined(address, {"RAY_AUTH_TOKEN": "secret"})
    assert gone.startswith("nobody answers there (Connection refused)")
    assert not {"127.0.0.1", "secret"} & set(gone.split())


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("can't be loaded (/home/ada/x/lib.so.3: no such file)", "can't be loaded ((a file): no such file)"),
        (r"can't open 'C:\Users\ada\x.dll'", "can't open '(a file)'"),
        ("run ./start.sh install", "run ./start.sh install"),
    ],
)
def test_a_reason_names_no_path(text: str, clean: str) -> None:
    assert without_paths(text) == clean


def doctor_of(tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody whose folders have a name of their own."""
    private = {
        "HOME": str(tmp_path / "ada"),
        "HOVERSAM_CACHE_DIR": str(tmp_path / "ada/cache"),
        "HOSTNAME": "adas-laptop",
    }
    return subprocess.run(
        [sys.executable, "-m", "app", "doctor"],
        env={**{name: text for name, text in os.environ.items() if "HOVERSAM" not in name}, **private, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_page_names_versions_models_and_settings_and_nobody(tmp_path: Path) -> None:
    graphs = tmp_path / "ada/cache/graphs"
    (graphs / "tiny-bf16-0123").mkdir(parents=True)
    (graphs / "tiny-bf16-0123/encoder.blob").write_bytes(bytes(3 * 2**20))
    done = doctor_of(tmp_path, HOVERSAM_ALLOWED_HOSTS="masks.example.org")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert f"Python {platform.python_version()}" in done.stdout
    assert "nano: comes with the program" in done.stdout
    assert "HOVERSAM_ALLOWED_HOSTS" in done.stdout
    secrets = ["ada", "masks.example.org", str(tmp_path), str(Path.cwd()), platform.node()]
    assert [secret for secret in secrets if secret and secret in done.stdout] == []
    assert f"/{getpass.getuser()}" not in done.stdout


def test_the_exit_code_tells_whether_anything_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"MODEL": "tiny", "OFFLINE": "1", "CHECKPOINTS_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"HOVERSAM_{name}", value)
    assert doctor.main(Namespace()) == 1
    assert "tiny is asked for" in capsys.readouterr().out
    monkeypatch.setenv("HOVERSAM_SHARED_DIR", str(tmp_path / "shared/of/all"))  # which would be made
    assert doctor.main(Namespace()) == 1
    told = capsys.readouterr().out
    assert "GiB beside the shared pictures" in told
    assert "HOVERSAM_SHARED_DIR can't" not in told
    monkeypatch.setenv("HOVERSAM_MODLE", "tiny")
    assert doctor.main(Namespace()) == 1
    assert "HOVERSAM_MODLE is no setting" in capsys.readouterr().out
    monkeypatch.setenv("HOVERSAM_PORT", "many")
    assert doctor.main(Namespace()) == 2
