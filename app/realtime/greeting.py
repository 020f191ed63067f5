"""The first message of a socket: hello, and which session it asks for."""

from __future__ import annotations

import asyncio

from app.errors import BadMessageError, BadVersionError, FullError, HoverError
from app.protocol.codec import decode_client
from app.protocol.messages import PROTOCOL_VERSION, ClientMessage, CloseCode, Hello
from app.realtime.closing import ClosedError, close_code, error_message
from app.realtime.outbox import Outbox
from app.realtime.transport import Transport
from app.service.registry import Entry, Holder, WrongTokenError
from app.service.shared_state import SharedState


async def greet(
    transport: Transport, outbox: Outbox, shared_state: SharedState, holder: Holder, timeout_s: float
) -> tuple[Entry, bool]:
    """Return the session of the client's hello, now held by `holder`, and whether it is resumed.

    Args:
        transport: the socket.
        outbox: tells the client why it is turned away.
        shared_state: what sessions share.
        holder: the connection.
        timeout_s: how long the hello may take to come.

    Raises:
        ClosedError: no hello, the wrong version, another's token, or no room; the client was told why.
        DisconnectedError: the client has gone.
    """
    # The hello has to come, and in time.
    try:
        data = await asyncio.wait_for(transport.receive(), timeout_s)
    except asyncio.TimeoutError:
        raise ClosedError(CloseCode.BAD_MESSAGES, "no hello in time") from None
    if data is None:
        raise ClosedError(CloseCode.TEXT_FRAME, "binary frames only")
    # It asks for a session that is its own, or for one that there is room for.
    try:
        hello = checked(decode_client(data))
        return shared_state.registry.enter(holder, hello.session, hello.token, transport.address)
    except WrongTokenError:
        raise ClosedError(CloseCode.WRONG_TOKEN, "wrong token") from None
    except HoverError as error:
        if isinstance(error, FullError):
            shared_state.refusals.note(error.setting, client=transport.address)
        await outbox.send(error_message(error, None, fatal=True))
        raise ClosedError(close_code(error), error.code) from error


def checked(message: ClientMessage) -> Hello:
    """Return a message that is a hello of our version.

    Raises:
        BadMessageError, BadVersionError: it isn't.
    """
    if not isinstance(message, Hello):
        raise BadMessageError("expected hello as the first message; send it and go on")
    if message.version != PROTOCOL_VERSION:
        raise BadVersionError(f"this server speaks version {PROTOCOL_VERSION}, got {message.version}")
    return message
