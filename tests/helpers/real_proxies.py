"""nginx and Caddy themselves, run as the documents for operators have them, with TLS on localhost."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from tests.helpers.program import free_port
from tests.helpers.readme import NAME, SEVERAL, block, blocks

START_DEADLINE_S = 30.0
Command: TypeAlias = list[str | Path]


@dataclass(frozen=True)
class Certificate:
    """One for localhost, which signs itself."""

    chain: Path
    key: Path

    @classmethod
    def made_in(cls, folder: Path) -> Certificate:
        made = cls(folder / "chain.pem", folder / "key.pem")
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-nodes"]
        files = ["-newkey", "rsa:2048", "-keyout", str(made.key), "-out", str(made.chain)]
        subprocess.run(["openssl", "req", "-x509", *subject, *files], check=True, capture_output=True)
        return made

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.chain))


@dataclass(frozen=True)
class Place:
    """Where a proxy runs: its folder, its port, its certificate."""

    folder: Path
    port: int
    certificate: Certificate


def nginx_site(upstreams: list[str]) -> str:
    """Return what nginx is told of a server, or of several."""
    site = block("nginx")
    if len(upstreams) == 1:
        return site.replace("http://127.0.0.1:8000", upstreams[0])
    before, inside = blocks("nginx", SEVERAL)
    assert site.count("        proxy_pass http://127.0.0.1:8000;\n") == 1
    site = before + site.replace("        proxy_pass http://127.0.0.1:8000;\n", inside)
    for documented, upstream in zip(re.findall(r"10\.0\.0\.\d+:8000", before), upstreams, strict=True):
        site = site.replace(documented, upstream.removeprefix("http://"))
    return site


def nginx(place: Place, upstreams: list[str]) -> Command:
    """Return the command that runs nginx at a free port, in a folder of its own."""
    site = nginx_site(upstreams).replace(NAME, "localhost")
    site = re.sub(r"(ssl_certificate) .*;", rf"\1 {place.certificate.chain};", site)
    site = re.sub(r"(ssl_certificate_key) .*;", rf"\1 {place.certificate.key};", site)
    for listed, free in (("443", place.port), ("80", free_port())):
        site = site.replace(f"listen {listed}", f"listen 127.0.0.1:{free}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {place.folder}/{kind};\n" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    config = place.folder / "nginx.conf"
    config.write_text(
        f"{user} daemon off; pid {place.folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary} {site} }}\n"
    )
    return ["nginx", "-p", place.folder, "-e", "stderr", "-c", config]


def caddy(place: Place, upstreams: list[str]) -> Command:
    """Return the command that runs Caddy at a free port."""
    addresses = [upstream.removeprefix("http://") for upstream in upstreams]
    if len(addresses) == 1:
        site = block("caddyfile").replace("127.0.0.1:8000", addresses[0])
    else:
        site = block("caddyfile", SEVERAL).replace("10.0.0.11:8000 10.0.0.12:8000", " ".join(addresses))
    site = site.replace(
        f"{NAME} {{", f"localhost:{place.port} {{\n\ttls {place.certificate.chain} {place.certificate.key}"
    )
    config = place.folder / "Caddyfile"
    config.write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
    return ["caddy", "run", "--config", config, "--adapter", "caddyfile"]


Proxy: TypeAlias = Callable[[Place, list[str]], Command]


@asynccontextmanager
async def proxy_before(make: Proxy, upstreams: list[str], place: Place) -> AsyncIterator[str]:
    """Run a proxy until the end of the `with` and give its address; it has begun when it answers."""
    with (place.folder / "said").open("w") as said:
        process = await asyncio.create_subprocess_exec(
            *make(place, upstreams), env={**os.environ, "HOME": str(place.folder)}, stdout=said, stderr=said
        )
    address = f"https://localhost:{place.port}"
    try:
        transport = httpx.AsyncHTTPTransport(verify=place.certificate.trusted(), retries=8)
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            await client.get(f"{address}/healthz", timeout=START_DEADLINE_S)
        yield address
    except httpx.ConnectError:
        pytest.fail(f"the proxy did not start:\n{(place.folder / 'said').read_text()}")
    finally:
        process.terminate()
        await process.wait()
