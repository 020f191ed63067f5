from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.engine import factory
from app.engine.factory import compiled_runtime
from app.engine.openvino.runtime import Runtime
from app.errors import ModelUnavailableError, UnknownModelError
from app.settings import Settings
from app.weights import catalogue
from app.weights.catalogue import find_weights
from app.weights.checkpoints import file_sha256
from app.weights.manifest import Manifest, ModelEntry, load_manifest


def entry(name: str, directory: Path, *, bundled: bool = False, there: bool = True) -> ModelEntry:
    path = directory / f"{name}.pt"
    path.write_bytes(name.encode())
    made = msgspec.structs.replace(
        load_manifest().entry("tiny"),
        name=name,
        file=path.name,
        bytes=path.stat().st_size,
        sha256=file_sha256(path),
        bundled=bundled,
        urls=() if bundled else ("http://127.0.0.1:1/weights.pt",),
    )
    if not there:
        path.unlink()
    return made


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were fetched; each gets here at once."""
    names: list[str] = []

    def fetch(entry: ModelEntry, directory: Path) -> Path:
        names.append(entry.name)
        path = directory / entry.file
        path.write_bytes(entry.name.encode())
        return path

    monkeypatch.setattr(catalogue, "fetch_with_bar", fetch)
    return names


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(entry: ModelEntry, _: Path) -> Path:
        raise ModelUnavailableError("no network")

    monkeypatch.setattr(catalogue, "fetch_with_bar", fetch)


def settings(directory: Path, **values: object) -> Settings:
    return msgspec.structs.replace(
        Settings(checkpoints_dir=directory, cache_dir=directory.with_name("cache")), **values
    )


def test_the_largest_model_that_is_there_runs(tmp_path: Path, fetched: list[str]) -> None:
    manifest = Manifest((entry("a", tmp_path, bundled=True), entry("b", tmp_path), entry("c", tmp_path)))
    weights = find_weights(settings(tmp_path), manifest, print)
    assert (weights.entry.name, weights.path, weights.published) == ("c", tmp_path / "c.pt", True)
    assert fetched == []


def test_a_model_that_is_asked_for_is_fetched(tmp_path: Path, fetched: list[str]) -> None:
    manifest = Manifest((entry("a", tmp_path), entry("b", tmp_path, there=False)))
    said: list[str] = []
    assert find_weights(settings(tmp_path, model="b"), manifest, said.append).entry.name == "b"
    assert fetched == ["b"]
    assert said[0].startswith("fetching b")


def test_offline_nothing_is_fetched(tmp_path: Path, fetched: list[str]) -> None:
    manifest = Manifest((entry("a", tmp_path, bundled=True), entry("b", tmp_path, there=False)))
    said: list[str] = []
    assert find_weights(settings(tmp_path, offline=True), manifest, said.append).entry.name == "a"
    assert fetched == []
    assert "demonstration" in said[-1]


def test_offline_a_model_that_is_asked_for_and_missing_is_an_error(tmp_path: Path, fetched: list[str]) -> None:
    manifest = Manifest((entry("a", tmp_path), entry("b", tmp_path, there=False)))
    with pytest.raises(ModelUnavailableError, match="missing"):
        find_weights(settings(tmp_path, model="b", offline=True), manifest, print)
    assert fetched == []


def test_without_a_network_the_bundled_model_runs_and_the_reason_is_told(tmp_path: Path) -> None:
    manifest = Manifest((entry("a", tmp_path, bundled=True), entry("b", tmp_path, there=False)))
    said: list[str] = []
    assert find_weights(settings(tmp_path), manifest, said.append).entry.name == "a"
    assert any(line.startswith("b can't be run: b is out of reach") for line in said)


@pytest.mark.usefixtures("unreachable")
def test_without_a_network_a_model_that_is_asked_for_is_an_error(tmp_path: Path) -> None:
    manifest = Manifest((entry("a", tmp_path, bundled=True), entry("b", tmp_path, there=False)))
    with pytest.raises(ModelUnavailableError, match="no network"):
        find_weights(settings(tmp_path, model="b"), manifest, print)


def test_weights_of_the_users_own_are_used_whatever_their_hash(tmp_path: Path) -> None:
    manifest = Manifest((entry("a", tmp_path),))
    own = tmp_path / "own.pt"
    own.write_bytes(b"mine")
    said: list[str] = []
    weights = find_weights(settings(tmp_path, model="a", checkpoint=own), manifest, said.append)
    assert (weights.entry.name, weights.path, weights.published) == ("a", own, False)
    assert said == ["own.pt runs as a, its hash unchecked"]


def test_weights_of_the_users_own_need_an_architecture(tmp_path: Path) -> None:
    manifest = Manifest((entry("a", tmp_path),))
    with pytest.raises(ModelUnavailableError, match="needs --model"):
        find_weights(settings(tmp_path, checkpoint=tmp_path / "a.pt"), manifest, print)
    with pytest.raises(UnknownModelError, match="choose one of a"):
        find_weights(settings(tmp_path, checkpoint=tmp_path / "a.pt", model="z"), manifest, print)
    with pytest.raises(ModelUnavailableError, match="no file"):
        find_weights(settings(tmp_path, checkpoint=tmp_path / "none.pt", model="a"), manifest, print)


def test_an_altered_checkpoint_is_refused(tmp_path: Path) -> None:
    manifest = Manifest((entry("abc", tmp_path),))
    (tmp_path / "abc.pt").write_bytes(b"abd")
    with pytest.raises(ModelUnavailableError, match="altered"):
        find_weights(settings(tmp_path), manifest, print)


def test_a_file_that_is_not_the_published_one_is_never_replaced_by_a_download(
    tmp_path: Path, fetched: list[str]
) -> None:
    manifest = Manifest((entry("abc", tmp_path),))
    (tmp_path / "abc.pt").write_bytes(b"fine-tuned")
    with pytest.raises(ModelUnavailableError, match=r"another file.*weights fetch abc"):
        find_weights(settings(tmp_path, model="abc"), manifest, print)
    assert fetched == []
    assert (tmp_path / "abc.pt").read_bytes() == b"fine-tuned"


def test_where_the_best_model_cannot_be_had_the_bundled_one_runs(tmp_path: Path, fetched: list[str]) -> None:
    manifest = Manifest((entry("a", tmp_path, bundled=True), entry("b", tmp_path)))
    (tmp_path / "b.pt").write_bytes(b"cut")
    said: list[str] = []
    assert find_weights(settings(tmp_path), manifest, said.append).entry.name == "a"
    assert any("cut short" in line for line in said)
    assert fetched == []


@pytest.fixture
def unfit(monkeypatch: pytest.MonkeyPatch) -> str:
    """An x86 CPU that OpenVINO can't use, and why."""
    why = "OpenVINO can't use this CPU; use --engine torch"

    def detect(_: str | None) -> Runtime:
        raise ModelUnavailableError(why)

    monkeypatch.setattr(factory, "why_not", lambda _: None)
    monkeypatch.setattr(factory, "detect", detect)
    return why


def test_where_openvino_cannot_be_used_torch_runs_and_the_reason_is_told(tmp_path: Path, unfit: str) -> None:
    said: list[str] = []
    assert compiled_runtime("cpu", settings(tmp_path), said.append) is None
    assert said == [unfit]


@pytest.mark.parametrize("wish", [{"engine": "openvino"}, {"precision": "bf16"}])
def test_openvino_that_was_asked_for_and_cannot_be_had_is_an_error(
    tmp_path: Path, unfit: str, wish: dict[str, str]
) -> None:
    with pytest.raises(ModelUnavailableError, match=unfit):
        compiled_runtime("cpu", settings(tmp_path, **wish), lambda _: None)


def test_openvino_that_was_asked_for_a_gpu_is_an_error_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="the device is cuda; or use --engine torch"):
        compiled_runtime("cuda", settings(tmp_path, engine="openvino"), lambda _: None)


def test_where_torch_is_asked_for_openvino_is_not_looked_at(tmp_path: Path, unfit: str) -> None:
    said: list[str] = []
    assert compiled_runtime("cpu", settings(tmp_path, engine="torch"), said.append) is None
    assert said == []
