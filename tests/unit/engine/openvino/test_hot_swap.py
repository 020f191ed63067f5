"""Going over from torch to compiled graphs while people work."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import pytest
from numpy.testing import assert_allclose

from app.engine.contract import Prompt
from app.engine.openvino import convert
from app.engine.openvino.engine import COMMON, OpenVinoEmbedding, OpenVinoEngine, properties
from app.engine.openvino.graph_store import SEAL, TABLE, GraphKey, GraphStore
from app.engine.openvino.hot_swap import Conversion, ConversionFailedError, HotSwapEngine, UpgradableEmbedding
from app.engine.sam2.engine import TorchEmbedding, TorchEngine, load_torch_engine
from app.engine.sam2.loader import load_model
from app.errors import ModelUnavailableError
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.checkpoint_factory import picture
from tests.helpers.graph_factory import compiled, compiled_nano, nano_graphs

pytestmark = pytest.mark.slow

POINT = Prompt(points_xy=((200.0, 150.0),), labels=(1,))
WAIT_S = 60.0
KEY = GraphKey("nano", "0", "fp32", "1", "c")
NANO = load_manifest().entry("nano")


class HeldConversion(Conversion):
    """A conversion that ends when the test says so."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.ended, self.stopped, self.failure = threading.Event(), threading.Event(), failure

    def run(self) -> None:
        self.ended.wait(WAIT_S)
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        self.stopped.set()
        self.ended.set()


@pytest.fixture(scope="module")
def torch_engine() -> TorchEngine:
    return load_torch_engine(NANO, BUNDLED_DIR / NANO.file)


@pytest.fixture(scope="module")
def fast() -> OpenVinoEngine:
    return compiled_nano("fp32")


def gone_over(engine: HotSwapEngine, conversion: HeldConversion) -> None:
    conversion.ended.set()
    assert engine.settled.wait(WAIT_S)


def test_torch_answers_until_the_graphs_are_there(torch_engine: TorchEngine, fast: OpenVinoEngine) -> None:
    conversion = HeldConversion()
    engine = HotSwapEngine(torch_engine, conversion, lambda: fast)
    embedding = engine.encode(picture())
    assert isinstance(embedding.inner, TorchEmbedding)
    assert len(engine.decode(embedding, [POINT])) == 1
    assert engine.runtime == torch_engine.runtime
    gone_over(engine, conversion)
    assert engine.runtime == fast.runtime != torch_engine.runtime


def test_an_embedding_made_before_the_change_over_answers_the_same_after_it(
    torch_engine: TorchEngine, fast: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversion = HeldConversion()
    engine = HotSwapEngine(torch_engine, conversion, lambda: fast)
    embedding = engine.encode(picture())
    [before] = engine.decode(embedding, [POINT])
    gone_over(engine, conversion)
    monkeypatch.setattr(fast, "encode", None)  # it would be a loss to encode again
    [after] = engine.decode(embedding, [POINT])
    assert_allclose(after.logits, before.logits, atol=1e-3)
    assert not isinstance(embedding.inner, TorchEmbedding)


class TouchedAtTheChangeOver(UpgradableEmbedding):
    """Goes over at the very moment when a decode reads it."""

    def __init__(self, inner: TorchEmbedding, go_over: Callable[[], None]) -> None:
        self._go_over = go_over
        self._inner: TorchEmbedding | OpenVinoEmbedding = inner

    @property
    def inner(self) -> TorchEmbedding | OpenVinoEmbedding:
        self._go_over()
        return self._inner

    @inner.setter
    def inner(self, new: TorchEmbedding | OpenVinoEmbedding) -> None:
        self._inner = new


def test_a_decode_that_the_change_over_overtakes_is_answered(torch_engine: TorchEngine, fast: OpenVinoEngine) -> None:
    conversion = HeldConversion()
    engine = HotSwapEngine(torch_engine, conversion, lambda: fast)
    inner = torch_engine.encode(picture())
    [before] = torch_engine.decode(inner, [POINT])
    [found] = engine.decode(TouchedAtTheChangeOver(inner, lambda: gone_over(engine, conversion)), [POINT])
    assert_allclose(found.logits, before.logits, atol=1e-3)


def test_pictures_opened_after_the_change_over_are_encoded_by_the_graphs(
    torch_engine: TorchEngine, fast: OpenVinoEngine
) -> None:
    conversion = HeldConversion()
    engine = HotSwapEngine(torch_engine, conversion, lambda: fast)
    gone_over(engine, conversion)
    for embedding in (engine.encode(picture()), engine.encode_while(picture(), lambda: True)):
        assert embedding is not None
        assert not isinstance(embedding.inner, TorchEmbedding)
        assert np.isfinite(engine.decode(embedding, [POINT])[0].logits).all()


@pytest.mark.parametrize("failure", [ConversionFailedError("no room"), OSError("no python")])
def test_a_conversion_that_fails_leaves_torch_at_work(
    torch_engine: TorchEngine, fast: OpenVinoEngine, failure: Exception
) -> None:
    conversion = HeldConversion(failure)
    engine = HotSwapEngine(torch_engine, conversion, lambda: fast)
    gone_over(engine, conversion)
    assert engine.runtime == torch_engine.runtime
    assert len(engine.decode(engine.encode(picture()), [POINT])) == 1


def test_graphs_that_cannot_be_loaded_leave_torch_at_work(torch_engine: TorchEngine) -> None:
    def damaged() -> OpenVinoEngine:
        raise ModelUnavailableError("damaged")

    conversion = HeldConversion()
    engine = HotSwapEngine(torch_engine, conversion, damaged)
    gone_over(engine, conversion)
    assert engine.runtime == torch_engine.runtime


def test_closing_stops_the_conversion(torch_engine: TorchEngine, fast: OpenVinoEngine) -> None:
    conversion = HeldConversion()
    engine = HotSwapEngine(torch_engine, conversion, lambda: fast)
    engine.close()
    assert conversion.stopped.is_set()
    assert engine.settled.wait(WAIT_S)


def test_a_conversion_of_a_missing_file_says_what_was_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConversionFailedError, match="is not a file"):
        Conversion(tmp_path / "none.pt", KEY, tmp_path, timeout_s=600).run()


def test_a_cache_that_cannot_be_written_is_told_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the process does, in this one, which keeps its priority."""
    monkeypatch.setattr("app.engine.openvino.convert.os.nice", lambda _: None)
    (tmp_path / "file").write_bytes(b"")
    directory = tmp_path / "file" / "graphs"
    where = ("--checkpoint", str(BUNDLED_DIR / NANO.file), "--directory", str(directory))
    key = ("--model", "nano", "--sha256", "0", "--precision", "fp32", "--version", "1", "--processor", "c")
    assert convert.main([*where, *key]) == convert.EXIT_FAILED
    assert re.search(r"graphs can't be kept in .*HOVERSAM_CACHE_DIR", capsys.readouterr().err)
    assert GraphStore(directory).find(KEY) is None


def test_a_disk_without_room_for_a_graph_leaves_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("basic_ios::clear: iostream error")

    monkeypatch.setattr(openvino, "save_model", broken)
    with pytest.raises(OSError, match=r"no room for encoder\.xml"):
        compiled("nano", load_model(NANO, BUNDLED_DIR / NANO.file), "fp32", tmp_path)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_disk_without_room_for_the_compiled_graphs_leaves_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def keep_all_but_the_last(precision: str, threads: int, keep_in: Path | None) -> dict[str, str]:
        kept = len(list(keep_in.rglob("*.blob"))) if keep_in else 0
        return properties(precision, threads, keep_in if kept < len(COMMON) else None)

    def written_before(_: object, folder: Path, precision: str) -> None:
        for path in nano_graphs(precision).iterdir():
            if path.is_file() and path.name not in (SEAL, TABLE):
                shutil.copy(path, folder)

    monkeypatch.setattr("app.engine.openvino.engine.properties", keep_all_but_the_last)
    monkeypatch.setattr("app.engine.openvino.convert.write_graphs", written_before)
    with pytest.raises(OSError, match="no room for the compiled graphs"):
        compiled("nano", load_model(NANO, BUNDLED_DIR / NANO.file), "fp32", tmp_path)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_conversion_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    conversion = Conversion(tmp_path / "none.pt", KEY, tmp_path, timeout_s=0.01)
    with pytest.raises(ConversionFailedError, match="longer than"):
        conversion.run()


def test_a_conversion_that_was_stopped_ends_at_once(tmp_path: Path) -> None:
    conversion = Conversion(tmp_path / "none.pt", KEY, tmp_path, timeout_s=600)
    conversion.stop()
    with pytest.raises(ConversionFailedError, match="exit code"):
        conversion.run()
