"""Clusters that are not as the guide wants them: a line and the exit code that it says; `./start.sh soak` runs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.weights.manifest import load_manifest
from tests.fleet.test_bad_configuration import NANO, OTHER_TOKEN, environment
from tests.helpers.load import SOAKS
from tests.helpers.preloaded import ROOT, completed
from tests.helpers.program import START_DEADLINE_S
from tests.helpers.ray_nodes import TOKEN, RayNodes

pytestmark = pytest.mark.skipif(not SOAKS or sys.platform != "linux", reason="takes a minute: ./start.sh soak")
INSTEAD = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"')
"""Runs a command that sees one folder in the place of another; the folders are the next words."""
VERSIONS = """
import json, sys
from ray._raylet import GcsClient

head, where = GcsClient(address=sys.argv[1]), {"namespace": b"cluster"}
said = json.loads(head.internal_kv_get(b"CLUSTER_METADATA", **where)) | json.loads(sys.argv[2])
head.internal_kv_put(b"CLUSTER_METADATA", json.dumps(said).encode(), overwrite=True, **where)
"""
"""Has a head say that it is of another version than it is."""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The package of another release of HoverSAM."""
    package = tmp_path / "app"
    shutil.copytree(ROOT / "app", package, ignore=shutil.ignore_patterns("__pycache__"))
    init = package / "__init__.py"
    init.write_text(init.read_text().replace(__version__, "0.0.9"))
    return package


def served(nodes: RayNodes, *options: str, token: str = TOKEN, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return how a server of the cluster ended."""
    variables |= {name: value for name, value in nodes.env.items() if name.startswith("RAY_")}
    with environment(**variables | {"PYTHONPATH": str(ROOT), "RAY_AUTH_TOKEN": token}):
        words = (*NANO, "--ray-address", nodes.address, *options)
        return completed("app", *words, timeout_s=START_DEADLINE_S)


def last(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that a program says, which is the one that says what is wrong."""
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1].removeprefix("hoversam: error: ")


def test_a_wrong_token(nodes: RayNodes) -> None:
    ended = served(nodes, token=OTHER_TOKEN)
    assert last(ended).startswith(f"the cluster at {nodes.address} takes no token like this one")
    assert ended.returncode == 2


def test_what_answers_is_no_head(nodes: RayNodes, live_server: str) -> None:
    nodes.address = live_server.removeprefix("http://")
    ended = served(nodes)
    assert last(ended) == (
        f"what answers at {nodes.address} is no head of a Ray: is it the port that `ray start --head` told?"
    )
    assert ended.returncode == 2


def test_no_node_of_the_cluster_has_a_worker(nodes: RayNodes) -> None:
    ended = served(nodes)
    assert last(ended) == f"the cluster at {nodes.address} has no worker of HoverSAM; --workers N starts them"
    assert ended.returncode == 2


@pytest.mark.parametrize("told_version", ['{"ray_version": "2.59.0"}', '{"python_version": "3.10.1"}'])
def test_a_head_of_another_ray_or_python(nodes: RayNodes, told_version: str) -> None:
    with environment(**{name: value for name, value in nodes.env.items() if name.startswith("RAY_")}):
        subprocess.run([sys.executable, "-c", VERSIONS, nodes.address, told_version], check=True)
    ended = served(nodes, "--workers", "1")
    assert last(ended).startswith(f"the cluster at {nodes.address} runs another version of Ray or Python than this")
    assert ended.returncode == 2


def test_a_node_of_another_release(nodes: RayNodes, other: Path) -> None:
    nodes.join(within=(*INSTEAD, str(other), str(ROOT / "app")))
    ended = served(nodes, "--workers", "1")
    assert last(ended) == f"worker-0 runs HoverSAM 0.0.9, this is {__version__}: start both from one release"
    assert ended.returncode == 2


def test_a_node_without_hoversam(nodes: RayNodes, tmp_path: Path) -> None:
    nodes.join(within=(*INSTEAD, str(tmp_path), str(ROOT / "app")))
    ended = served(nodes, "--workers", "1")
    assert last(ended).startswith("worker-0 can't begin on its machine (ModuleNotFoundError: No module named 'app")
    assert ended.returncode == 2


@pytest.mark.parametrize(
    ("found", "told"),
    [(None, "there is no file {} here"), (b"another", "{} is another file here")],
    ids=["none", "others"],
)
def test_a_node_without_the_weights(nodes: RayNodes, tmp_path: Path, found: bytes | None, told: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    mine = here / "mine.pt"
    shutil.copy(ROOT / "checkpoints" / load_manifest().entry("nano").file, mine)
    if found is not None:
        (there / mine.name).write_bytes(found)
    nodes.join(within=(*INSTEAD, str(there), str(here)))
    ended = served(nodes, "--workers", "1", "--checkpoint", str(mine))
    assert last(ended) == f"worker-0: {told.format(mine)}; give workers the same folder"
    assert ended.returncode == 3
