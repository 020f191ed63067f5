from __future__ import annotations

from pathlib import Path

import pytest

from app.machine import processor

EPYC = (
    "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 avx512f avx512_bf16\n\n"
    "processor\t: 1\nmodel name\t: other\n"
)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (EPYC, "AMD EPYC (AVX2, AVX-512, bf16 (AVX-512))"),
        ("model name : Xeon\nflags : avx2 amx_bf16", "Xeon (AVX2, bf16 (AMX))"),
        ("model name : Core i5\nflags : fpu sse2 avx2", "Core i5 (AVX2)"),
        ("model name : Atom\nflags : fpu sse2", "Atom (without AVX2)"),
        ("model name : Graviton\nFeatures : fp asimd i8mm bf16", "Graviton (NEON, i8mm, bf16)"),
    ],
)
def test_a_processor_is_named_with_what_speed_depends_on(tmp_path: Path, told: str, expected: str) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(told)
    found = processor(file)
    assert str(found) == expected


def test_where_the_system_tells_nothing_nothing_is_claimed(tmp_path: Path) -> None:
    found = processor(tmp_path / "missing")
    assert found.abilities is None
    assert found.name
    assert str(found) == found.name
