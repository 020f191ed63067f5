"""The Python client: `connect` for asyncio, `connect_blocking` for everything else."""

from app.client.blocking import BlockingSession, connect_blocking
from app.client.dial import Timeouts
from app.client.session import ClientSession, connect
from app.client.values import Latency, Object, Preview

__all__ = (
    "BlockingSession",
    "ClientSession",
    "Latency",
    "Object",
    "Preview",
    "Timeouts",
    "connect",
    "connect_blocking",
)
