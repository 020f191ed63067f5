"""What this machine offers the model."""

from __future__ import annotations

import importlib.util
import platform
import sys

import pytest

from app.engine.openvino.runtime import detect, why_not
from app.errors import ModelUnavailableError
from app.machine import available_cores, embedding_budget, memory_bytes


def test_a_gpu_is_no_place_for_openvino() -> None:
    assert "the device is cuda" in str(why_not("cuda"))


def test_other_processors_than_x86_are_no_place_for_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert "this one is arm64" in str(why_not("cpu"))


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "pip install openvino" in str(why_not("cpu"))


def test_a_precision_that_the_cpu_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    openvino = pytest.importorskip("openvino")
    answers = {"OPTIMIZATION_CAPABILITIES": ["FP32"], "FULL_DEVICE_NAME": "an old CPU"}
    monkeypatch.setattr(openvino.Core, "get_property", lambda _self, _device, name: answers[name])
    assert detect(None).precision == "fp32"
    with pytest.raises(ModelUnavailableError, match="an old CPU does not compute in bf16; use --precision fp32"):
        detect("bf16")


def test_a_cpu_that_openvino_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    openvino = pytest.importorskip("openvino")

    def unknown(*_: object) -> None:
        raise RuntimeError("no such device")

    monkeypatch.setattr(openvino.Core, "get_property", unknown)
    with pytest.raises(ModelUnavailableError, match="use --engine torch"):
        detect(None)


def test_a_package_that_cannot_be_loaded_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelUnavailableError, match=r"openvino can't be loaded .* use --engine torch"):
        detect(None)


def test_there_is_a_core_and_some_memory() -> None:
    assert available_cores() >= 1
    memory = memory_bytes()
    assert memory is None or memory > 2**28


@pytest.mark.parametrize(("memory", "budget"), [(4 * 2**30, 2**30), (64 * 2**30, 2 * 2**30), (None, 2 * 2**30)])
def test_embeddings_get_a_quarter_of_the_memory_and_at_most_2_gib(memory: int | None, budget: int) -> None:
    assert embedding_budget(memory) == budget
