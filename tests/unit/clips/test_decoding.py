"""The child that decodes a clip may die, hang, or talk nonsense: that is one clear error, and nothing is left."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from app.clips import ClipFile, ClipLimits, decoded_frames, read_clip
from app.errors import ClipTooLongError, CorruptImageError, UnsupportedImageError
from tests.helpers.clip_files import animation, zipped


def program(text: str) -> tuple[str, ...]:
    """Return what stands in for the child."""
    return (sys.executable, "-c", text)


def test_a_clip_is_read_by_a_child() -> None:
    clip = read_clip(ClipFile.of_bytes(animation()), ClipLimits())
    assert (clip.width, clip.height) == (160, 120)
    assert clip.times_s == pytest.approx((0, 0.1, 0.2, 0.3, 0.4, 0.5))
    assert clip.duration_s == pytest.approx(0.6)
    assert len(clip.jpegs) == 6
    assert clip.nbytes == sum(map(len, clip.jpegs))


def test_a_clip_that_is_too_long_says_so_with_figures() -> None:
    with pytest.raises(ClipTooLongError, match="choose a part") as caught:
        read_clip(ClipFile.of_bytes(animation()), replace(ClipLimits(), max_clip_frames=2))
    assert (caught.value.frames, round(caught.value.duration_s, 1)) == (6, 0.6)
    assert caught.value.reason
    assert (caught.value.reason.key, caught.value.reason.values["duration_s"]) == ("clip_long", 0.6)


def test_a_refusal_of_the_child_keeps_its_reason() -> None:
    with pytest.raises(UnsupportedImageError, match="got 1") as caught:
        read_clip(ClipFile.of_bytes(zipped(1)), ClipLimits())
    assert caught.value.reason
    assert (caught.value.reason.key, caught.value.reason.values) == ("clip_few", {"got": 1})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os; os.abort()", "decoder died"),
        ("import os; os.kill(os.getpid(), 11)", "decoder died"),
        ("print('not ours at all')", "decoder died"),
        (r"import sys; sys.stdout.buffer.write(b'\0\0\0\x03abc')", "astray"),
        ("import sys; sys.exit(0)", "decoder died"),
    ],
)
def test_a_decoder_that_dies_is_an_error_in_words(text: str, words: str) -> None:
    with pytest.raises(CorruptImageError, match=words):
        read_clip(ClipFile.of_bytes(animation()), ClipLimits(), command=program(text))


def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.clips.decoding.GRACE_S", 0.0)
    hanging = program("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()")
    with pytest.raises(CorruptImageError, match=r"within 0\.2 s"):
        read_clip(ClipFile.of_bytes(animation()), replace(ClipLimits(), clip_timeout_s=0.2), command=hanging)


def test_a_decoder_ends_itself_where_nobody_does() -> None:
    with pytest.raises(CorruptImageError, match=r"within 0\.001 s"):
        read_clip(ClipFile.of_bytes(animation(count=40)), replace(ClipLimits(), clip_timeout_s=0.001))


def test_who_stops_in_between_leaves_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    children: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)  # type: ignore[call-overload]
            children.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    frames = decoded_frames(ClipFile.of_bytes(animation()), ClipLimits(), None, side=None)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert [child.returncode is not None for child in children] == [True]
