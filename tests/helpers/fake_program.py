"""The program itself, with an engine without a model: `python -m tests.helpers.fake_program serve --port N`."""

from __future__ import annotations

import sys

from app import asgi
from app.__main__ import main
from app.server import serve
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.pseudo import with_pseudo


def without_a_model(argv: list[str]) -> int:
    vars(serve).update(find_weights=lambda *_: None, load_engine=lambda *_, **__: FakeEngine(), FIRST_RESPONDER=None)
    vars(asgi).update(load_words=with_pseudo)
    return main(argv)


if __name__ == "__main__":
    sys.exit(without_a_model(sys.argv[1:]))
