"""HEAD wherever there is GET: uptime monitors, `curl -I`, `wget --spider`."""

from __future__ import annotations

from typing import cast

from litestar import Litestar
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Message, Receive, Scope, Send


class HeadLitestar(Litestar):
    """Litestar, which answers HEAD as it answers GET, with the same headers and no body.

    Decision: HEAD becomes GET before the routing. Context: Litestar wants a handler of its own for each HEAD, also
    where the handler is Litestar's. Choice: one place, so that no route can be forgotten. Price: the body is made for
    nothing.
    """

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """Answer a request; see `Litestar.__call__`."""
        if scope.get("method") == "HEAD":
            # A copy: the server knows by its own that no body follows the length that the headers state.
            scope, send = cast("Scope", {**scope, "method": "GET"}), without_body(cast("Send", send))
        await super().__call__(scope, receive, send)


def without_body(send: Send) -> Send:
    """Return what sends an answer's headers, and nothing of its body."""

    async def send_bare(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return send_bare
