"""ICC profiles as cameras, editors and attackers write them, made from their primaries and curve."""

from __future__ import annotations

import struct

D50 = (0.9642, 1.0, 0.8249)
P3_COLORANTS = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE_COLORANTS = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
PROPHOTO_COLORANTS = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))
SRGB_COLORANTS = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139))


def fixed(*parts: float) -> bytes:
    return b"".join(struct.pack(">i", round(part * 65536)) for part in parts)


def profile(gamma: float, colorants: tuple[tuple[float, ...], ...] = (), padding: int = 0, name: bytes = b"x") -> bytes:
    """Return a matrix profile, or that of a grey picture where there are no colorants."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + bytes(79),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(*D50),
    }
    tags |= {key: b"XYZ \0\0\0\0" + fixed(*c) for key, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=False)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC") if colorants else (b"kTRC",), curve)
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for key, tag in tags.items():
        table += key + struct.pack(">II", at + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    head = struct.pack(">I4xI", at + len(body) + padding, 0x02400000) + b"mntr" + (b"RGB " if colorants else b"GRAY")
    head += b"XYZ " + bytes(12) + b"acsp" + bytes(28) + fixed(*D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body + bytes(padding)


P3 = profile(2.2, P3_COLORANTS)
ADOBE = profile(563 / 256, ADOBE_COLORANTS)
PROPHOTO = profile(1.8, PROPHOTO_COLORANTS)
SWAPPED = profile(2.2, SRGB_COLORANTS[::-1], name=b"sRGB IEC61966-2.1")
"""Red for blue, under a name that says otherwise."""
LINEAR_GREY = profile(1.0)
