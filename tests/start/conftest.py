from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "a folder")
    machine.add_python("python3", "3.11")
    return machine
