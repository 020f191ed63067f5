"""The compiled engine when its device gives up."""

from __future__ import annotations

import pytest

from app.engine.contract import Prompt
from app.engine.openvino import engine as openvino_cpu
from app.engine.openvino.engine import OpenVinoEngine
from app.errors import EngineMemoryError
from tests.helpers.checkpoint_factory import picture
from tests.helpers.graph_factory import compiled_nano

pytestmark = pytest.mark.slow

MANY = Prompt(tuple((float(x), 9.0) for x in range(30)), (1,) * 30)
"""More points than any decoder that is compiled before the first prompt has room for."""


@pytest.fixture(scope="module")
def engine() -> OpenVinoEngine:
    return compiled_nano("fp32")


def test_memory_that_lacks_while_a_decoder_is_compiled_is_known_as_such(
    engine: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise RuntimeError("bad allocation")

    embedding = engine.encode(picture())
    with monkeypatch.context() as patch:
        patch.setattr(openvino_cpu, "compiled_decoder", exhausted)
        with pytest.raises(EngineMemoryError):
            engine.decode(embedding, [MANY])
    assert len(engine.decode(embedding, [MANY])) == 1
