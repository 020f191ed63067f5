"""From the bytes that a stranger sent to the frames of a clip, upright, each with its own time.

`kinds` says what a file is, `video` (PyAV) and `animation` (Pillow) decode it, `child` does so in a process of its own,
`decoding` starts that process and bounds it, `names` names clips and their frames.

Decision: a clip is decoded in a child process. Context: a cut file has killed whole processes inside of FFmpeg, and
nothing stops a decoder that hangs. Choice: the child has bounds of time and memory that the system keeps, and can die
alone. Price: a third of a second for each clip.

Decision: frames are kept as JPEG, of the size that the model sees. Context: three hundred frames of 1280 x 720 take
830 MB as pixels, and some 60 MB so. Choice: the page shows just the pixels that the model sees. Price: a frame is
decoded again when it is encoded, some ten milliseconds.
"""

from app.clips.decoding import Clip, decoded_frames, read_clip
from app.clips.file import ClipFile
from app.clips.limits import ClipLimits
from app.clips.names import clip_id_of, frame_source, is_clip_name, is_frame, split_source

__all__ = [
    "Clip",
    "ClipFile",
    "ClipLimits",
    "clip_id_of",
    "decoded_frames",
    "frame_source",
    "is_clip_name",
    "is_frame",
    "read_clip",
    "split_source",
]
