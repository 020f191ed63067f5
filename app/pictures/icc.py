"""ICC profiles for the colours that a file describes by numbers: cICP and nclx (ITU-T H.273), gAMA and cHRM."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From what is stored to light, both 0 to 1."""

SRGB_XY: Final = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
D65_XY: Final = (0.3127, 0.3290)
C_XY: Final = (0.310, 0.316)
DCI_XY: Final = (0.314, 0.351)
PRIMARIES: Final[dict[int, tuple[tuple[float, ...], tuple[float, float]]]] = {
    1: (SRGB_XY, D65_XY),
    4: ((0.67, 0.33, 0.21, 0.71, 0.14, 0.08), C_XY),
    5: ((0.64, 0.33, 0.29, 0.60, 0.15, 0.06), D65_XY),
    6: ((0.630, 0.340, 0.310, 0.595, 0.155, 0.070), D65_XY),
    7: ((0.630, 0.340, 0.310, 0.595, 0.155, 0.070), D65_XY),
    8: ((0.681, 0.319, 0.243, 0.692, 0.145, 0.049), C_XY),
    9: ((0.708, 0.292, 0.170, 0.797, 0.131, 0.046), D65_XY),
    11: ((0.680, 0.320, 0.265, 0.690, 0.150, 0.060), DCI_XY),
    12: ((0.680, 0.320, 0.265, 0.690, 0.150, 0.060), D65_XY),
    22: ((0.630, 0.340, 0.295, 0.605, 0.155, 0.077), D65_XY),
}
"""H.273 colour primaries: x and y of red, green and blue, then of white."""
SRGB_TRANSFER: Final = 13
VIDEO: Final = (1, 6, 14, 15)
"""Transfer characteristics of video, of ITU-R BT.709 and its kin."""
SDR_WHITE_NITS: Final = 203.0
"""How bright paper white is in a picture of high dynamic range (ITU-R BT.2408)."""
HDR_PEAK_NITS: Final = 1000.0
"""How bright the brightest white is taken to be, the nominal peak of hybrid log-gamma (ITU-R BT.2100)."""
SAMPLES: Final = 4096
"""Points of a tone curve in a profile: sixteen for each of the 256 levels that come out."""
BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50_XYZ: Final = np.array([0.9642, 1.0, 0.8249])
MAX_S15: Final = 32767.0
"""The largest number that a profile's fixed point holds."""


@dataclass(frozen=True)
class Numbers:
    """Colours as a file describes them.

    Attributes:
        xy: x and y of red, green and blue.
        white_xy: of white.
        curve: from what is stored to light.
    """

    xy: tuple[float, ...]
    white_xy: tuple[float, float]
    curve: Curve


def h273_numbers(primaries: int, transfer: int) -> Numbers | None:
    """Return colours by the code points of ITU-T H.273, or None for one that is unknown or left open."""
    curve = transfer_curve(transfer)
    if primaries not in PRIMARIES or curve is None:
        return None
    return Numbers(*PRIMARIES[primaries], curve)


def transfer_curve(code: int) -> Curve | None:
    """Return a transfer characteristic of ITU-T H.273, or None for one that is unknown or left open."""
    curves: dict[int, Curve] = {
        **dict.fromkeys(VIDEO, power(2.4)),  # what a display makes of it (ITU-R BT.1886), as browsers have it
        4: power(2.2),
        5: power(2.8),
        8: power(1.0),
        SRGB_TRANSFER: lambda v: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4),
        16: lambda v: tone_mapped(pq_nits(v)),
        17: lambda v: (52.37 / 48) * v**2.6,
        18: lambda v: tone_mapped(hlg_nits(v)),
    }
    return curves.get(code)


def power(gamma: float) -> Curve:
    """Return the curve of a gamma."""
    return lambda v: v**gamma


def pq_nits(v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light of the perceptual quantizer (SMPTE ST 2084), in nits."""
    root = v ** (1 / 78.84375)
    return 10000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)


def hlg_nits(v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light of hybrid log-gamma (ARIB STD-B67) on a display of 1000 nits, channel by channel."""
    scene = np.where(v <= 0.5, v**2 / 3, (np.exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    return HDR_PEAK_NITS * scene**1.2


def tone_mapped(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return light of high dynamic range between 0 and 1: bright parts are pressed together, none is cut off."""
    light, peak = nits / SDR_WHITE_NITS, HDR_PEAK_NITS / SDR_WHITE_NITS
    return np.minimum(light * (1 + light / peak**2) / (1 + light), 1.0)


def profile_of(numbers: Numbers, *, grey: bool = False) -> bytes:
    """Return an ICC profile (version 2) of colours that a file describes by numbers.

    Args:
        numbers: the colours.
        grey: the picture has no colours: its profile is a curve alone.

    Raises:
        ValueError: such colours can't be.
    """
    curve = curve_tag(numbers.curve)
    columns = () if grey else zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants(numbers).T, strict=True)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"-\0" + bytes(78),
        b"wtpt": xyz_tag(D50_XYZ),
        **{name: xyz_tag(column) for name, column in columns},
        **dict.fromkeys((b"kTRC",) if grey else (b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    space = b"GRAY" if grey else b"RGB "
    head = struct.pack(">I4xI4s4s4s12s4s", at + len(body), 0x02400000, b"mntr", space, b"XYZ ", bytes(12), b"acsp")
    illuminant = struct.pack(">28x3i", *(round(65536 * part) for part in D50_XYZ))
    return (head + illuminant).ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def colorants(numbers: Numbers) -> NDArray[np.float64]:
    """Return what takes linear RGB to XYZ of a white as D50 has it, (3, 3).

    Raises:
        ValueError: the primaries lie on a line, or one has no light.
    """
    xy = np.array([*numbers.xy, *numbers.white_xy]).reshape(4, 2)
    if not (xy[:, 1] > 0).all():
        raise ValueError(f"expected primaries with y > 0, got {xy.tolist()}")
    xyz = np.column_stack((xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(1)) / xy[:, 1])).T
    primaries, white = xyz[:, :3], xyz[:, 3]
    try:
        matrix = primaries * np.linalg.solve(primaries, white)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"expected primaries that span a triangle, got {xy.tolist()}") from error
    scale = (BRADFORD @ D50_XYZ) / (BRADFORD @ white)
    adapted: NDArray[np.float64] = np.linalg.inv(BRADFORD) @ np.diag(scale) @ BRADFORD @ matrix
    if not (np.abs(adapted) < MAX_S15).all():
        raise ValueError(f"expected primaries that span a triangle, got {xy.tolist()}")
    return adapted


def xyz_tag(xyz: NDArray[np.float64]) -> bytes:
    """Return a tag with one colour."""
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * float(part)) for part in xyz))


def curve_tag(curve: Curve) -> bytes:
    """Return a tag with a curve, by its samples."""
    samples: NDArray[np.uint16] = np.rint(65535 * curve(np.linspace(0, 1, SAMPLES)).clip(0, 1)).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", SAMPLES) + samples.tobytes()
