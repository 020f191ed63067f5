"""What shared services take on, and how long they may take for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class ServiceLimits:
    """Bounds of what all sessions share; the texts are those of `/limits`."""

    max_jobs_queued: Annotated[int, "prompts, or pictures, that may wait for the model"] = 256
    """Four of each of 64 sessions; who comes later is refused at once and not kept waiting for nothing."""
    max_pictures_queued: Annotated[int, "uploads that may wait to be read"] = 8
    """Each waits with all its bytes in memory, and one picture is read at a time."""
    max_clips_queued: Annotated[int, "clips that may wait to be read"] = 4
    """One is read at a time, which takes seconds, and up to a minute for one of 4K."""
    max_clip_memory_bytes: Annotated[int, "memory of the frames of clips; the least recently used go first"] = 2**29
    """Some eight clips of three hundred frames; one that has gone is read again from its file."""
    max_clip_disk_bytes: Annotated[int, "disk of the files of clips; the least recently used go first"] = 2**31
    """A score of clips from telephones; who comes back to one that has gone sends it again."""
    max_exports_queued: Annotated[int, "files, of all sessions, that may wait to be made"] = 16
    """Each waits with the masks of its objects, and one file is made at a time."""
    max_window_bytes: Annotated[int, "memory of the parts of pictures that are seen sharp; the oldest go first"] = 2**28
    """Sixteen people's windows by the largest model, or twice as many by nano; one that has gone is encoded again."""
    max_decoded_bytes: Annotated[int, "memory of pictures that stay decoded, for parts that are seen sharp"] = 2**27
    """One of 40 megapixels, or three from a telephone: who pans over a picture has it decoded once."""
    hover_timeout_s: Annotated[float, "answering a hover"] = 2.0
    """A preview that comes later lights up what the pointer has left long ago."""
    click_timeout_s: Annotated[float, "answering a click or box"] = 15.0
    """A click takes a tenth of a second on two cores; after so many times that the model hangs."""
    encode_timeout_s: Annotated[float, "encoding a picture"] = 120.0
    """The largest model takes twelve seconds on two cores, and waits for pictures that came before."""
    picture_timeout_s: Annotated[float, "reading one picture"] = 30.0
    """A large one takes a few seconds; a file that takes longer was made to."""
    shared_timeout_s: Annotated[float, "an answer of the folder that servers share"] = 10.0
    """A healthy disk takes a fraction of a second for the largest picture; who waits longer does better without."""
    max_shared_pictures: Annotated[int, "pictures in the folder that servers share"] = 4096
    """Each sweep lists them all, which takes a tenth of a second on a slow disk."""
    shared_picture_s: Annotated[float, "how long a picture that nobody opens stays in the folder"] = 86_400.0
    """A day's work outlives any server; no stranger's picture lies on a disk for good."""
    export_timeout_s: Annotated[float, "making a file, with its wait for others"] = 120.0
    """A file of the largest picture takes some ten seconds, and may wait for others."""
    load_timeout_s: Annotated[float, "loading a model whose weights are here"] = 180.0
    """The largest weights are 0.9 GB, which a slow disk reads in a minute."""
    resume_s: Annotated[float, "how long a session without a socket is kept"] = 120.0
    """Long enough for a change of network or a sleeping phone; whoever comes later restores what he did by himself."""
    blocked_loop_s: Annotated[float, "an event loop that stands still for so long is logged"] = 1.0
    """No step of ours takes a tenth of it; whoever points at a picture feels a stop of this length."""
