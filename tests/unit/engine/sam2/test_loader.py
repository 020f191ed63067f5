"""Reading checkpoints: the right tensors become a model, everything else is refused and never run."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest
import torch

from app.engine.sam2.loader import STABILITY_RULE, build_model, load_model, read_checkpoint
from app.errors import ModelUnavailableError
from app.weights.manifest import ModelEntry, load_manifest
from tests.helpers.checkpoint_factory import random_model, write_checkpoint


@pytest.fixture(scope="module")
def nano() -> ModelEntry:
    return load_manifest().entry("nano")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, nano: ModelEntry) -> Path:
    """A folder with random weights of nano."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoint(nano, folder)
    return folder


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_checkpoint_becomes_a_frozen_model_in_evaluation_mode(folder: Path, nano: ModelEntry) -> None:
    model = load_model(nano, folder / nano.file)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_model_has_the_weights_of_its_checkpoint(folder: Path, nano: ModelEntry) -> None:
    expected = random_model(nano).state_dict()
    loaded = load_model(nano, folder / nano.file).state_dict()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


@pytest.mark.slow
def test_a_published_checkpoint_is_loaded(tmp_path: Path) -> None:
    tiny = load_manifest().entry("tiny")
    write_checkpoint(tiny, tmp_path)
    assert (tmp_path / tiny.file).stat().st_size == pytest.approx(tiny.bytes, rel=0.01)
    assert load_model(tiny, tmp_path / tiny.file).image_size == 1024


def test_half_precision_is_widened(tmp_path: Path, nano: ModelEntry) -> None:
    half = {name: tensor.half() for name, tensor in random_model(nano).state_dict().items()}
    torch.save({"model": half}, tmp_path / "half.pt")
    loaded = load_model(nano, tmp_path / "half.pt").state_dict()
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32}
    assert torch.equal(loaded["no_mem_embed"], half["no_mem_embed"].float())


def test_the_format_of_older_torch_is_read(tmp_path: Path, nano: ModelEntry) -> None:
    torch.save({"model": random_model(nano).state_dict()}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert load_model(nano, tmp_path / "old.pt").image_size == 512


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nano", "tiny", "small", "base_plus"])
def test_an_unstable_single_mask_gives_way_to_the_best_of_three(name: str) -> None:
    decoder = build_model(load_manifest().entry(name)).sam_mask_decoder
    assert {rule: getattr(decoder, rule) for rule in STABILITY_RULE} == STABILITY_RULE


def test_a_checkpoint_that_tries_to_run_code_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"model": Trap(tmp_path / "sprung")}, tmp_path / "trap.pt")
    with pytest.raises(ModelUnavailableError, match="tries to run code"):
        read_checkpoint(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


def test_a_bare_pickle_that_tries_to_run_code_is_refused_and_not_run(tmp_path: Path) -> None:
    (tmp_path / "trap.pt").write_bytes(pickle.dumps({"model": Trap(tmp_path / "sprung")}))
    with pytest.raises(ModelUnavailableError, match="tries to run code"):
        read_checkpoint(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 1000, b"<html>not found</html>", b"PK\x03\x04 and so on"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "junk.pt").write_bytes(content)
    with pytest.raises(ModelUnavailableError, match=r"junk.pt can't be read as tensors"):
        read_checkpoint(tmp_path / "junk.pt")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_checkpoint_that_was_cut_is_refused(folder: Path, nano: ModelEntry, tmp_path: Path, share: float) -> None:
    content = (folder / nano.file).read_bytes()
    (tmp_path / "cut.pt").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelUnavailableError, match=r"cut.pt can't be read as tensors"):
        load_model(nano, tmp_path / "cut.pt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"gone.pt is not a file"):
        read_checkpoint(tmp_path / "gone.pt")


@pytest.mark.parametrize("content", [[1, 2], {"weights": {}}, {"model": {"a": 1}}, {"model": torch.zeros(1)}])
def test_another_layout_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(ModelUnavailableError, match=r'must hold \{"model"'):
        read_checkpoint(tmp_path / "other.pt")


def test_a_checkpoint_of_another_model_is_refused_and_both_shapes_are_named(folder: Path, nano: ModelEntry) -> None:
    tiny = load_manifest().entry("tiny")
    with pytest.raises(ModelUnavailableError, match=r"not a checkpoint of tiny: \d+ of \d+ .* expected, .* found"):
        load_model(tiny, folder / nano.file)


@pytest.mark.parametrize("change", ["missing", "surplus", "reshaped"])
def test_a_checkpoint_that_differs_in_one_tensor_is_refused(tmp_path: Path, nano: ModelEntry, change: str) -> None:
    state = dict(random_model(nano).state_dict())
    if change == "missing":
        del state["no_mem_embed"]
    else:
        state["surplus" if change == "surplus" else "no_mem_embed"] = torch.zeros(7)
    torch.save({"model": state}, tmp_path / "changed.pt")
    with pytest.raises(ModelUnavailableError, match=r"1 of \d+ tensors differ.*(missing|7)"):
        load_model(nano, tmp_path / "changed.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_a_weight_that_is_no_number_is_refused(tmp_path: Path, nano: ModelEntry, value: float) -> None:
    state = dict(random_model(nano).state_dict())
    name = "no_mem_embed"
    state[name] = state[name].clone()
    state[name].view(-1)[3] = value
    torch.save({"model": state}, tmp_path / "astray.pt")
    with pytest.raises(ModelUnavailableError, match=f"no finite numbers, in 1 tensors, such as {name}"):
        load_model(nano, tmp_path / "astray.pt")


def test_a_model_of_an_unpublished_file_loads_whatever_its_hash(folder: Path, nano: ModelEntry) -> None:
    other_hash = msgspec.structs.replace(nano, bytes=1, sha256="1" * 64)
    assert load_model(other_hash, folder / nano.file).image_size == 512
