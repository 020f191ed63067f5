"""The Python client: `connect` for asyncio, `connect_blocking` for everything else."""

from app.client.blocking import BlockingSession, connect_blocking
from app.client.joining import join_files
from app.client.patience import Reconnect, Timeouts
from app.client.session import ClientSession, connect
from app.client.values import ClipMask, Imported, Latency, Object, Preview
from app.protocol.messages import Class, File, Given, Image, Mask, OpenedClip, Progress, Region, Welcome

__all__ = (
    "BlockingSession",
    "Class",
    "ClientSession",
    "ClipMask",
    "File",
    "Given",
    "Image",
    "Imported",
    "Latency",
    "Mask",
    "Object",
    "OpenedClip",
    "Preview",
    "Progress",
    "Reconnect",
    "Region",
    "Timeouts",
    "Welcome",
    "connect",
    "connect_blocking",
    "join_files",
)
