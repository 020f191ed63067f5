"""compose.yaml and raycluster.yaml fit the program: settings, commands, probes, sizes, and who reaches whom.

Both were held to their schemas by hand, compose's own and KubeRay's, and compose's commands were run by hand too, each
in a network, /tmp and /dev/shm of its own. Neither was run by a container engine or by Kubernetes.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from app.fleet.entry import ENVIRONMENT, TOKENS
from app.settings import Settings, from_environment, strangers
from tests.helpers.readme import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / ".container/compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((ROOT / ".container/raycluster.yaml").read_text()))
CLUSTER: dict[str, Any] = MANIFESTS[0]["spec"]
GROUPS: dict[str, Any] = {group["groupName"]: group for group in CLUSTER["workerGroupSpecs"]}
NODES = ("head", "worker", "front")


def container(group: dict[str, Any]) -> dict[str, Any]:
    [found] = group["template"]["spec"]["containers"]
    return dict(found)


def told(group: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(group)["env"]}


FRONTS = [("compose", SERVICES["front"]["environment"]), ("kubernetes", told(GROUPS["fronts"]))]


@pytest.mark.parametrize(("where", "variables"), FRONTS)
def test_what_a_front_end_is_told_are_settings(where: str, variables: dict[str, str]) -> None:
    settings = from_environment(variables)
    assert strangers(variables) == ()
    assert settings.shared_dir is not None
    replicas = {"compose": SERVICES["worker"]["deploy"]["replicas"], "kubernetes": GROUPS["models"]["replicas"]}
    cores = {
        "compose": SERVICES["worker"]["deploy"]["resources"]["limits"]["cpus"],
        "kubernetes": container(GROUPS["models"])["resources"]["limits"]["cpu"],
    }
    assert (settings.workers, settings.threads) == (replicas[where], int(cores[where]))


def test_every_node_of_ray_is_told_the_same_as_the_program_tells_its_own() -> None:
    for node in NODES:
        assert ENVIRONMENT.items() <= SERVICES[node]["environment"].items()
        assert set(TOKENS) & SERVICES[node]["environment"].keys()
    assert CLUSTER["authOptions"] == {"mode": ENVIRONMENT["RAY_AUTH_MODE"]}
    for group in (CLUSTER["headGroupSpec"], *GROUPS.values()):
        rest = {name: value for name, value in ENVIRONMENT.items() if name != "RAY_AUTH_MODE"}  # KubeRay's to tell
        assert rest.items() <= told(group).items()


def test_nobody_but_the_front_end_is_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"front"}
    [port] = SERVICES["front"]["ports"]
    assert port == f"127.0.0.1:{Settings().port}:{Settings().port}"
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name in NODES if SERVICES[name]["networks"] == ["inside"]} == {"head", "worker"}


def test_the_policies_close_every_pod_and_open_the_front_ends_port() -> None:
    nodes, fronts = (each["spec"] for each in MANIFESTS if each["kind"] == "NetworkPolicy")
    everybody, front = nodes["podSelector"]["matchLabels"], fronts["podSelector"]["matchLabels"]
    labels = {
        name: group["template"]["metadata"]["labels"]
        for name, group in {"head": CLUSTER["headGroupSpec"], **GROUPS}.items()
    }
    assert [name for name, own in labels.items() if everybody.items() <= own.items()] == ["head", "models", "fronts"]
    assert [name for name, own in labels.items() if front.items() <= own.items()] == ["fronts"]
    assert nodes["policyTypes"] == ["Ingress", "Egress"]
    assert nodes["ingress"] == [{"from": [{"podSelector": {"matchLabels": everybody}}]}]
    [[opened]] = [rule["ports"] for rule in fronts["ingress"]]
    assert opened["port"] == Settings().port
    [service] = [each["spec"] for each in MANIFESTS if each["kind"] == "Service"]
    assert service["selector"].items() <= labels["fronts"].items()
    assert service["sessionAffinity"] == "ClientIP"


def test_probes_ask_what_the_server_answers() -> None:
    front = container(GROUPS["fronts"])
    paths = {kind: front[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}
    assert front["ports"] == [{"name": front["startupProbe"]["httpGet"]["port"], "containerPort": Settings().port}]
    for group in (CLUSTER["headGroupSpec"], GROUPS["models"]):
        assert {"readinessProbe", "livenessProbe"} <= container(group).keys()


def test_only_workers_give_a_core_and_all_run_one_image_within_limits() -> None:
    cores = {"head": CLUSTER["headGroupSpec"], **GROUPS}
    assert {name: group["rayStartParams"]["num-cpus"] for name, group in cores.items()} == {
        **{"head": "0", "models": "1", "fronts": "0"}
    }
    commands = {name: " ".join(SERVICES[name]["entrypoint"]) for name in NODES}
    given = {name: re.findall(r"--num-cpus=(\d+)", command) for name, command in commands.items()}
    assert given == {"head": ["0"], "worker": ["1"], "front": ["0"]}
    images = {service["image"] for service in SERVICES.values()} | {container(each)["image"] for each in cores.values()}
    assert images == {"hoversam:fleet"}
    assert all(container(each)["resources"].keys() == {"requests", "limits"} for each in cores.values())
    assert all(SERVICES[name]["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"} for name in NODES)


def test_ray_is_one_that_the_program_runs_on() -> None:
    [wanted] = re.findall(r'^fleet = \["ray>=([\d.]+),<(\d+)"\]', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    version = tuple(map(int, CLUSTER["rayVersion"].split(".")))
    assert tuple(map(int, wanted[0].split("."))) <= version < (int(wanted[1]),)


def test_the_image_has_ray_where_it_is_asked_for() -> None:
    file = (ROOT / ".container/Containerfile").read_text()
    assert "./start.sh install $FLEET" in file
    assert "--build-arg FLEET=fleet" in (ROOT / ".container/compose.yaml").read_text()
    assert 'install) if [ "${2:-}" = fleet ]; then ensure_fleet' in (ROOT / "start.sh").read_text()
