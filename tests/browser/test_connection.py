"""The page when its line to the server breaks: the work survives."""

from __future__ import annotations

import msgpack
import pytest
from playwright.sync_api import Page, WebSocketRoute

from tests.browser.studio import (
    DISC_A,
    DISC_B,
    OpenStudio,
    discs,
)

pytestmark = pytest.mark.browser


class Line:
    """The wire between page and server, which a test may cut."""

    def __init__(self) -> None:
        self.routes: list[WebSocketRoute] = []
        self.forget = False

    def watch(self, page: Page) -> None:
        page.route_web_socket("**/ws", self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        self.routes.append(route)
        route.on_message(lambda message: server.send(self._stripped(message)))

    def _stripped(self, message: str | bytes) -> str | bytes:
        """Take the session out of a `hello`, as if the server had lost it."""
        if not self.forget or isinstance(message, str):
            return message
        fields = msgpack.unpackb(message)
        if fields["t"] == "hello":
            fields = {key: value for key, value in fields.items() if key not in ("session", "token")}
        return bytes(msgpack.packb(fields))

    def cut(self) -> None:
        self.routes[-1].close(code=1012)


@pytest.mark.parametrize("lost", [False, True], ids=["resumed", "session lost"])
def test_work_survives_a_dropped_connection(open_studio: OpenStudio, lost: bool) -> None:
    line = Line()
    studio = open_studio(before=line.watch)
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.add_object(DISC_B)
    areas = studio.areas()
    line.forget = lost
    line.cut()
    studio.until("s.connection !== 'ready'")
    studio.until("s.connection === 'ready' && !s.restoring && s.objects.length === 2")
    assert studio.areas() == areas
    studio.hover(DISC_A)
    studio.until("s.preview !== null")
