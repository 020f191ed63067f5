"""File names as people's disks have them. Each can be a file on Linux, macOS and Windows."""

from __future__ import annotations

from typing import Final

STRANGE_NAMES: Final = (
    "Screenshot 2026-03-05 at 1.23.45\u202fPM.png",  # as macOS names them
    "two  spaces   more.jpg",
    " in front and behind .jpg",
    "\u00a0no\u00a0break\u2003em\u3000wide.png",
    "Cafe\u0301 u\u0308ber.jpg",  # letters and marks of their own
    "Caf\u00e9 \u00fcber.jpg",  # the same, composed
    "\u1112\u1161\u11ab\u1100\u1173\u11af.jpg",  # Korean, decomposed as macOS does
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u091a\u093f\u0924\u094d\u0930.png",
    "\u0e23\u0e39\u0e1b\u0e20\u0e32\u0e1e\u0e17\u0e35\u0e48 1.jpg",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.jpg",  # Persian, with a joiner that joins nothing
    "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd.jpg",
    "\u202a+49 170\u202c.jpg",  # a number as messengers write it
    "\u732b\u306e\u5199\u771f\uff08\uff11\uff09.png",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 \u2764\ufe0f.png",
    "img[1].jpg",
    "{a}(b),c&d'e#f%g=h!i~j;k+l@m^n`$o.png",
    "100%25 %2e%2e.jpg",
    "-rf.jpg",
    "a..b...c.jpg",
    "IMG_0001.JPG",
    "soft\u00adhyphen\ufeffmark.jpg",
    "\ue000\uf022own.jpg",  # as macOS writes what a share forbids
    "x" * 200 + ".jpg",
    "\u00e9" * 120 + ".jpg",
)
