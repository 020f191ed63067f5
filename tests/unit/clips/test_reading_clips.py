"""Clips as strangers send them: each frame in its place, at its time, upright; what can't be read is told why."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image as Pil

from app.clips.animation import natural
from app.clips.child import said
from app.clips.kinds import is_clip, kind_of
from app.clips.limits import ClipLimits
from app.clips.names import clip_id_of, file_id_of, frame_source, split_clip_id, split_source
from app.clips.values import ClipHead, ClipRefused, End, Frame, Message, Task, TooLong
from app.clips.wholeness import check_whole, end_of_segment
from app.errors import ClipTooLongError, CorruptImageError, UnknownImageError, UnsupportedImageError
from app.protocol.clips import ClipPart
from tests.helpers.clip_files import animation, left_of_square, picture, turned, video, zipped

needs_av = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV isn't installed")


def told(
    data: bytes, part: ClipPart | None = None, limits: ClipLimits | None = None, side: int | None = 1280
) -> list[Message]:
    """Return what the child says of a clip, without a child."""
    return [*said(Task(kind_of(data), limits or ClipLimits(), part, side, 0), BytesIO(data))]


def clip(
    data: bytes, part: ClipPart | None = None, side: int | None = 1280
) -> tuple[tuple[int, int], list[float], list[int]]:
    """Return a clip's size, the times of its frames in seconds, and where the square is in each."""
    head, *frames, end = told(data, part, side=side)
    assert isinstance(head, ClipHead), head
    assert isinstance(end, End), end
    shown = [frame for frame in frames if isinstance(frame, Frame)]
    pixels = [np.asarray(Pil.open(BytesIO(frame.jpeg))) for frame in shown]
    return (
        (head.width, head.height),
        [round(frame.time_s, 3) for frame in shown],
        [left_of_square(each) for each in pixels],
    )


def refusal(data: bytes, limits: ClipLimits | None = None) -> str:
    """Return the code and the text of a refusal, which is all that comes of a file after its frames."""
    last = told(data, limits=limits)[-1]
    assert isinstance(last, ClipRefused), last
    return f"{last.code}: {last.reason}"


def is_too_long(message: Message, frames: int, duration_s: float) -> bool:
    """Return whether a message says that a clip is, of so many frames and seconds."""
    return isinstance(message, TooLong) and (message.frames, round(message.duration_s, 3)) == (frames, duration_s)


PLACES = [8, 12, 16, 20, 24, 28]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_has_its_frames_in_order_each_as_long_as_it_says(kind: str) -> None:
    assert clip(animation(kind, durations_ms=[50, 100, 200, 10, 500, 50])) == (
        (160, 120),
        [0, 0.05, 0.15, 0.35, 0.45, 0.95],  # browsers show one of 10 ms for a tenth of a second
        PLACES,
    )


def test_a_folder_of_frames_is_in_the_order_of_its_numbers() -> None:
    _, times, places = clip(zipped(11, "jpeg"))
    assert places == [8 + 4 * index for index in range(11)]
    assert times[:3] == [0, 0.04, 0.08]


@pytest.mark.parametrize("place", ["inside", "locked"])
def test_a_zip_that_is_damaged_inside_or_locked_is_refused_in_words(place: str) -> None:
    data = bytearray(zipped(3, "jpeg"))
    if place == "inside":
        data[data.index(b"PK\3\4", 4) - 40 : data.index(b"PK\3\4", 4) - 20] = bytes(20)
    else:
        for at in (data.index(b"PK\3\4") + 6, data.index(b"PK\1\2") + 8):
            data[at] |= 1
    assert refusal(bytes(data)) == "corrupt_image: the ZIP is cut or damaged; pack it again"


def test_names_are_in_order_whatever_digits_they_have() -> None:
    names = ["1\u00b23.png", "1\u00b210.png", "\u0662.png", "9" * 5000 + ".png"]
    assert sorted(names, key=natural) == names


@needs_av
@pytest.mark.parametrize(("kind", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("webm", "libvpx-vp9")])
def test_a_video_has_its_frames_each_at_its_own_time(kind: str, codec: str) -> None:
    times_ms = [0, 40, 200, 210, 500, 900]
    assert clip(video(kind, codec, times_ms)) == ((160, 120), [ms / 1000 for ms in times_ms], PLACES)


@needs_av
def test_a_phones_portrait_clip_is_upright() -> None:
    size, _, places = clip(turned(video()))
    assert size == (120, 160)
    assert {place // 4 for place in places} == {56 // 4}  # what was 40 from the top is 56 from the left


@needs_av
def test_a_large_clip_is_scaled_for_the_model_and_keeps_its_own_size() -> None:
    data = video(times_ms=[0, 40], size_wh=(320, 240))
    head, frame, *_ = told(data, side=160)
    assert head == ClipHead(320, 240)
    assert isinstance(frame, Frame)
    assert Pil.open(BytesIO(frame.jpeg)).size == (160, 120)


@needs_av
def test_a_part_is_taken_at_its_rate_as_the_whole_has_it() -> None:
    data = video(times_ms=[40 * index for index in range(30)])
    _, times, places = clip(data, ClipPart(begin=0.4, end=0.8, rate=12.5))
    assert times == [0.4, 0.48, 0.56, 0.64, 0.72]
    assert places == [8 + 4 * index for index in (10, 12, 14, 16, 18)]
    _, _, whole = clip(animation(count=6), ClipPart(begin=0.2, end=9, rate=1000))
    assert whole == PLACES[2:]


@pytest.mark.parametrize(("frames", "is_taken"), [(4, True), (5, True), (6, False)])
def test_frames_of_a_clip(frames: int, is_taken: bool) -> None:
    last = told(animation(count=frames), limits=replace(ClipLimits(), max_clip_frames=5))[-1]
    assert isinstance(last, End) if is_taken else is_too_long(last, 6, 0.6)


@pytest.mark.parametrize(("limit_s", "is_taken"), [(0.6, True), (0.5, True), (0.4, False)])
def test_seconds_of_a_clip(limit_s: float, is_taken: bool) -> None:
    last = told(animation(count=6), limits=replace(ClipLimits(), max_clip_s=limit_s))[-1]
    assert isinstance(last, End) if is_taken else is_too_long(last, 6, 0.6)


@pytest.mark.parametrize(("more", "is_taken"), [(1, True), (0, True), (-1, False)])
def test_pixels_of_a_clip(more: int, is_taken: bool) -> None:
    limits = replace(ClipLimits(), max_clip_pixels=160 * 120 + more)
    for data in [animation(), zipped(), *([video()] if importlib.util.find_spec("av") else [])]:
        last = told(data, limits=limits)[-1]
        assert isinstance(last, End) if is_taken else (isinstance(last, ClipRefused) and last.code == "too_many_pixels")


@needs_av
def test_a_video_that_is_too_long_says_how_long_it_is() -> None:
    data = video(times_ms=[40 * index for index in range(20)])
    assert is_too_long(told(data, limits=replace(ClipLimits(), max_clip_frames=5))[-1], 20, 0.8)


def test_a_part_that_is_too_long_is_refused() -> None:
    last = told(animation(), ClipPart(begin=0, end=61, rate=1))[-1]
    assert isinstance(last, ClipRefused)
    assert last.code == ClipTooLongError.code


def test_what_is_no_clip_is_refused_before_anything_is_decoded() -> None:
    still = BytesIO()
    Pil.fromarray(picture(0)).save(still, "JPEG")
    for data in (b"", b"a text", still.getvalue(), b"\0\0\0\x20ftypavif"):
        assert not is_clip(data)
        with pytest.raises(UnsupportedImageError, match="expected an MP4"):
            kind_of(data)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_picture_of_one_frame_is_no_clip(kind: str) -> None:
    still = BytesIO()
    Pil.fromarray(picture(0)).save(still, kind)
    assert "one frame; open it as a picture" in refusal(still.getvalue())


def test_an_animation_that_was_cut_is_refused() -> None:
    for kind in ("GIF", "WEBP", "PNG"):
        whole = animation(kind)
        assert refusal(whole[: len(whole) * 2 // 3]).startswith("corrupt_image: ")


def test_a_zip_without_frames_or_of_other_sizes_is_refused() -> None:
    assert "at least two pictures" in refusal(zipped(1))
    assert refusal(zipped(3)[:-30]).startswith("corrupt_image: ")
    broken = BytesIO(zipped(3))
    with ZipFile(broken, "a") as archive:
        archive.writestr("shot3.png", b"no picture")
    assert "frame shot3.png: expected a JPEG" in refusal(broken.getvalue())
    other = BytesIO(zipped(3))
    with ZipFile(other, "a") as archive:
        archive.writestr("shot3.gif", animation())
        archive.writestr("shot4.gif", animation().replace(b"\xa0\0\x78\0", b"\x50\0\x78\0"))
    assert "80 x 120 in shot4.gif" in refusal(other.getvalue())


@needs_av
def test_a_video_that_cant_be_read_is_refused_in_words() -> None:
    whole = video()
    words = {
        "sound alone": (video(times_ms=[], sound=True), "only sound"),
        "one frame": (video(times_ms=[0]), "one frame"),
        "cut": (whole[: len(whole) * 2 // 3], "cut"),
        "cut before its index": (video(whole_head=False)[:1200], "cut"),
        "a head alone": (whole[:40], "cut"),
        "a codec that isn't there": (whole.replace(b"avc1", b"zzzz"), "codec"),
        "noise": (whole[:40] + bytes(range(256)) * 8, "cut"),
    }
    for what, (data, said_of_it) in words.items():
        assert said_of_it in refusal(data), what


@needs_av
@pytest.mark.parametrize(("kind", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("webm", "libvpx-vp9")])
def test_a_video_that_was_cut_is_refused_wherever_it_was(kind: str, codec: str) -> None:
    whole = video(kind, codec, [40 * index for index in range(20)])
    check_whole(whole, kind_of(whole))
    for share in (0.3, 0.6, 0.9, 0.99):
        cut = whole[: int(len(whole) * share)]
        with pytest.raises(CorruptImageError, match="the video is cut"):
            check_whole(cut, kind_of(cut))
    check_whole(whole + b"\0\0 what some program left behind", kind_of(whole))


def test_a_live_recording_says_no_length() -> None:
    head = b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67"
    for size, end in ((b"\x01" + b"\xff" * 7, 0), (b"\xff", 0), (b"\x85", 15), (b"\x40\x05", 16), (b"\0", 0), (b"", 0)):
        assert end_of_segment(head + size) == end


def test_names_of_clips_and_frames_are_read_back() -> None:
    file_id = file_id_of("0123456789abcdef" * 4)
    part = ClipPart(begin=0.4, end=12.25, rate=10)
    for chosen in (None, part):
        clip_id = clip_id_of(file_id, chosen)
        assert split_clip_id(clip_id) == (file_id, chosen)
        assert split_source(frame_source(clip_id, 12)) == (clip_id, 12)
    for wrong in ("clip-12", file_id + "-1-2", "../x", ""):
        with pytest.raises(UnknownImageError):
            split_clip_id(wrong)
    with pytest.raises(UnknownImageError):
        split_source(file_id + "#x")
