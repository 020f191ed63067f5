"""Pictures as large as phones take them, with the bounds that a server has by default, in little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from app.errors import TooManyPixelsError
from app.pictures import PictureLimits, read_picture
from app.settings import Settings
from tests.helpers.image_files import file_of, png_header

LIMITS = PictureLimits.of(Settings())
COLOR = (40, 160, 90)
PROGRAM = """
import sys
from pathlib import Path
from app.pictures import PictureLimits, read_picture
from app.settings import Settings

def peak_mib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

data = Path(sys.argv[1]).read_bytes()
before = peak_mib()
read_picture(data, PictureLimits.of(Settings()))
print(peak_mib() - before)
"""


def jpeg(size: tuple[int, int]) -> bytes:
    return file_of(Pil.new("RGB", size, COLOR), "JPEG", quality=90)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(8064, 6048), (6120, 8160), (9248, 6936)], ids=str)
def test_a_phones_largest_picture_opens(size: tuple[int, int]) -> None:
    picture = read_picture(jpeg(size), LIMITS)
    assert (picture.width, picture.height) == size
    assert max(picture.working.shape) == 2048
    assert np.abs(picture.working[1000, 1000].astype(int) - COLOR).max() <= 2


def test_beyond_that_nothing_is_decoded() -> None:
    with pytest.raises(TooManyPixelsError, match="65 megapixels"):
        read_picture(png_header(10_000, 10_000), LIMITS)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize(("kind", "max_mib"), [("JPEG", 160), ("PNG", 340)])
def test_a_large_picture_is_read_in_little_memory(kind: str, max_mib: int, tmp_path: Path) -> None:
    """The picture itself has 190 MiB as Pillow keeps it: a JPEG is decoded smaller, and nothing is copied whole."""
    path = tmp_path / "photo"
    path.write_bytes(file_of(Pil.new("RGB", (8160, 6120), COLOR), kind, compress_level=1))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, timeout=120, check=True
    )
    assert float(done.stdout) < max_mib
