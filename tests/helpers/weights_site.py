"""A server of weights that resumes, ignores, cuts, stalls and lies, for tests of downloads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 1000
HALF = len(CONTENT) // 2
DRIP_S = 0.01


@dataclass
class Site:
    """A server's file, and how it misbehaves.

    Attributes:
        content: what it serves.
        ranges: True where it resumes, False where it begins again whatever was asked.
        cuts: after how many bytes the next answers break off, one each.
        length: the Content-Length that it claims; None is the true one; 0 sends none.
        content_range: the Content-Range that it claims; None is the true one.
        status: the status of every answer; None is the fitting one.
        stall: where given, answers wait for it after half of their bytes.
        drips: True where answers come a byte at a time, for as long as anyone listens.
        asked: the Range header of each request.
    """

    content: bytes = CONTENT
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    length: int | None = None
    content_range: str | None = None
    status: int | None = None
    stall: threading.Event | None = None
    drips: bool = False
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.site, self.closing = site, threading.Event()
        site.url = f"http://127.0.0.1:{self.server_port}/model.pt"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        site, wanted = self.server.site, self.headers.get("Range")
        site.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and site.ranges else 0
        body = site.content[start:]
        self.send_response(site.status or (206 if start else 200))
        if start:
            true_range = f"bytes {start}-{len(site.content) - 1}/{len(site.content)}"
            self.send_header("Content-Range", site.content_range or true_range)
        if site.length != 0:
            self.send_header("Content-Length", str(site.length or len(body)))
        self.end_headers()
        if site.stall is not None:
            self.wfile.write(body[: len(body) // 2])
            site.stall.wait(30)
            return
        if site.drips:
            self._drip(body)
            return
        self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

    def _drip(self, body: bytes) -> None:
        with contextlib.suppress(OSError):  # the client has had enough
            for number in range(len(body)):
                self.wfile.write(body[number : number + 1])
                self.server.closing.wait(DRIP_S)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(*sites: Site) -> Iterator[None]:
    """Serve each site at an address of its own, which its `url` then says."""
    servers = [Server(site) for site in sites]
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.closing.set()
            server.shutdown()
            thread.join()
            server.server_close()
