"""Every error that reaches a user, with one code over HTTP and WebSocket.

    HoverError
    ├── BadMessageError          bad_message        400   not a message of the protocol
    ├── BadVersionError          bad_version        400   fatal, closes 4426
    ├── BadCoordError            bad_coord          400   not finite, or outside the picture
    ├── NoImageError             no_image           400   a prompt before a picture
    ├── UnknownImageError        unknown_image      404
    ├── UnknownObjectError       unknown_object     404
    ├── UnknownModelError        unknown_model      404
    ├── ModelUnavailableError    model_unavailable  503   weights missing, damaged or of another model
    ├── UnsupportedImageError    unsupported_image  415   of a format that isn't read
    ├── CorruptImageError        corrupt_image      415   cut or damaged
    ├── ImageTooLargeError       image_too_large    413   too many bytes
    ├── TooManyPixelsError       too_many_pixels    413
    ├── ClipTooLongError         clip_too_long      413   a part of it is to be chosen, and how many frames a second
    ├── TooManyPointsError       too_many_points    400
    ├── TooManyObjectsError      too_many_objects   400
    ├── BusyError                busy               503   a bounded queue is full; retry after `retry_after_s`
    │   └── FullError            busy               503   no place for one more session
    ├── RateLimitedError         rate_limited       429
    └── EngineFailedError        engine_failed      500   the model raised or hung; only this reply is lost
        ├── EngineMemoryError    engine_failed      500   the device has no memory left, even after making room
        ├── WorkerLostError      engine_failed      500   the worker that was asked has died, or doesn't answer
        │   └── WorkerEndedError engine_failed      500   it could not even begin
        ├── EmbeddingLostError   engine_failed      500   the worker that was asked doesn't know the picture (any more)
        └── MemoryLostError      engine_failed      500   what was remembered of an object in a clip is gone

Each message says what was expected, what came and what to do. Anything else that escapes is a bug
and is reported to the user as `internal`, without its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class Reason(str):
    """What went wrong, in English, and what a page says the same of in its own words: a key and values.

    The page's table has the sentence as `error.KEY`.
    """

    key: str
    template: str
    values: Mapping[str, str | float]

    def __new__(cls, key: str, template: str, /, **values: str | float) -> Reason:
        """Make one.

        Args:
            key: of the table of words, without `error.`.
            template: the English text, with the names of values in braces.
            values: what it is about.
        """
        reason = super().__new__(cls, template.format(**values))
        reason.key, reason.template, reason.values = key, template, values
        return reason

    def __reduce__(self) -> tuple[object, ...]:
        """Return what makes it again in another process."""
        return _again, (self.key, self.template, dict(self.values))


def _again(key: str, template: str, values: Mapping[str, str | float]) -> Reason:
    return Reason(key, template, **values)


class HoverError(Exception):
    """The root: `code` is the protocol's, `http_status` its twin over HTTP, `fatal` closes the socket.

    `reason` is what a page makes a sentence of its own from, None where it has to do with the code. `seq` is that of
    the message that caused it, where the message itself couldn't be read.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    fatal: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_s: float | None = None, seq: int | None = None) -> None:
        """Make an error to be raised.

        Args:
            message: what was expected, what came and what to do; a `Reason` where a person may meet it on the page.
            retry_after_s: when to try again; None where that alone doesn't help.
            seq: of the message that caused it, where that couldn't be read.
        """
        super().__init__(message)
        self.message = str(message)
        self.reason = message if isinstance(message, Reason) else None
        self.retry_after_s = retry_after_s
        self.seq = seq


class BadMessageError(HoverError):
    """The bytes are not a message of the protocol."""

    code, http_status = "bad_message", 400


class BadVersionError(HoverError):
    """The client speaks a version of the protocol that this server doesn't."""

    code, http_status, fatal = "bad_version", 400, True


class BadCoordError(HoverError):
    """A coordinate is not finite, outside the picture, or a box is inside out."""

    code, http_status = "bad_coord", 400


class NoImageError(HoverError):
    """A prompt came before a picture was opened."""

    code, http_status = "no_image", 400


class UnknownImageError(HoverError):
    """No picture is kept under this id."""

    code, http_status = "unknown_image", 404


class UnknownObjectError(HoverError):
    """The session has no object, point or candidate of this number."""

    code, http_status = "unknown_object", 404


class UnknownModelError(HoverError):
    """No model has this name."""

    code, http_status = "unknown_model", 404


class ModelUnavailableError(HoverError):
    """The model's weights are missing, damaged, or belong to another model."""

    code, http_status = "model_unavailable", 503


class DownloadError(ModelUnavailableError):
    """No address gave a model's file; `cause` is what the last one did: "sent a file with another hash"."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class UnsupportedImageError(HoverError):
    """The file is no picture, or one of a format that isn't read."""

    code, http_status = "unsupported_image", 415


class CorruptImageError(HoverError):
    """The file begins like a picture and is cut or damaged."""

    code, http_status = "corrupt_image", 415


class ImageTooLargeError(HoverError):
    """The file has more bytes than allowed."""

    code, http_status = "image_too_large", 413


class TooManyPixelsError(HoverError):
    """The picture has more pixels, or a longer side, than allowed."""

    code, http_status = "too_many_pixels", 413


class ClipTooLongError(HoverError):
    """The clip has more frames or seconds than are worked on at once: a part of it is to be chosen, and a rate.

    Attributes:
        frames, duration_s: of the whole clip; 0 where they aren't known.
    """

    code, http_status = "clip_too_long", 413

    def __init__(
        self,
        message: str,
        *,
        frames: int = 0,
        duration_s: float = 0.0,
        retry_after_s: float | None = None,
        seq: int | None = None,
    ) -> None:
        """Make an error to be raised.

        Args:
            message: what was expected, what came and what to do.
            frames: of the whole clip.
            duration_s: of the whole clip.
            retry_after_s: when to try again; None where that alone doesn't help.
            seq: of the message that caused it, where that couldn't be read.
        """
        super().__init__(message, retry_after_s=retry_after_s, seq=seq)
        self.frames, self.duration_s = frames, duration_s


class TooManyPointsError(HoverError):
    """The object has all the points it may have."""

    code, http_status = "too_many_points", 400


class TooManyObjectsError(HoverError):
    """The session has all the objects it may have."""

    code, http_status = "too_many_objects", 400


class BusyError(HoverError):
    """A bounded queue is full."""

    code, http_status = "busy", 503


class FullError(BusyError):
    """All places for sessions are taken."""

    def __init__(self, message: str, *, setting: str, retry_after_s: float) -> None:
        """Make an error to be raised.

        Args:
            message: what was expected, what came and what to do.
            setting: the environment variable that says how many places there are.
            retry_after_s: when to try again.
        """
        super().__init__(message, retry_after_s=retry_after_s)
        self.setting = setting


class RateLimitedError(HoverError):
    """Messages come faster than allowed."""

    code, http_status = "rate_limited", 429


class EngineFailedError(HoverError):
    """The model raised or did not answer in time; only this reply is lost."""

    code, http_status = "engine_failed", 500


class EngineMemoryError(EngineFailedError):
    """The device has no memory left for this job; forgetting embeddings may make room."""


class WorkerLostError(EngineFailedError):
    """The worker that was asked has died, or doesn't answer; another may be asked."""


class WorkerEndedError(WorkerLostError):
    """The worker could not begin where it was put, and nobody tries again; the text is what stopped it."""


class EmbeddingLostError(EngineFailedError):
    """The worker that was asked has no embedding of this source (any more); it is to be encoded there again."""


class MemoryLostError(EngineFailedError):
    """What was remembered of an object on the frames before is gone; track again from a prompted frame."""


class FleetError(Exception):
    """Workers can't be had: Ray isn't installed, or can't be joined. For whoever starts the server, who can mend it."""
