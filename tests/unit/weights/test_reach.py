"""Looking for a model that nobody asked for: short, whatever hangs, and not again for an hour where it failed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.errors import ModelUnavailableError
from app.settings import Settings
from app.weights import download
from app.weights.catalogue import find_weights
from app.weights.checkpoints import file_sha256
from app.weights.manifest import Manifest, ModelEntry, load_manifest
from app.weights.reach import AGAIN_S, LOOK_S, within_reach
from tests.helpers.weights_site import CONTENT, Site, served

SHORT_S = 0.2
"""For what never answers."""
LONG_S = 20.0
"""For what answers at once, on a busy machine too."""
NOON_S = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    """A mirror and the publisher."""
    sites = (Site(), Site())
    with served(*sites):
        yield sites


@pytest.fixture
def entry(sites: tuple[Site, Site], tmp_path: Path) -> ModelEntry:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    return msgspec.structs.replace(
        load_manifest().entry("tiny"),
        urls=tuple(site.url for site in sites),
        bytes=len(CONTENT),
        sha256=file_sha256(source),
    )


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "looks.json"


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of something that takes connections and never says a word, as a dead proxy may, or a slow line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/model.pt"


def only(entry: ModelEntry, url: str) -> ModelEntry:
    return msgspec.structs.replace(entry, urls=(url,))


def refused(entry: ModelEntry, memory: Path, *, at_s: float = NOON_S, look_s: float = LONG_S) -> str:
    """Look, in vain; return why."""
    with pytest.raises(ModelUnavailableError) as caught:
        within_reach(entry, memory, look_s=look_s, now_s=lambda: at_s)
    return caught.value.message


def test_no_look_takes_two_seconds() -> None:
    assert LOOK_S < 2


def test_the_first_address_that_has_the_file_goes_first(
    entry: ModelEntry, sites: tuple[Site, Site], memory: Path
) -> None:
    assert within_reach(entry, memory).urls == entry.urls
    sites[0].status = 404
    assert within_reach(entry, memory).urls == (sites[1].url, sites[0].url)
    assert not memory.exists()


def test_a_mirror_that_hangs_keeps_nobody_from_the_publisher(
    entry: ModelEntry, sites: tuple[Site, Site], silent: str, memory: Path
) -> None:
    mirrored = msgspec.structs.replace(entry, urls=(silent, sites[1].url))
    assert within_reach(mirrored, memory, look_s=1.5).urls == (sites[1].url, silent)


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"content": b"<html>please log in</html>"}, "has another file, of 26 bytes"),
        ({"length": 0}, "of unknown bytes"),
        ({"status": 511}, "answered 511"),
        ({"status": 407}, "answered 407"),
    ],
    ids=["a hotel's page", "no length", "511", "a proxy that wants a password"],
)
def test_what_has_another_file_is_no_network(
    entry: ModelEntry, sites: tuple[Site, Site], memory: Path, spoilt: dict[str, object], why: str
) -> None:
    for name, value in spoilt.items():
        setattr(sites[0], name, value)
    said = refused(only(entry, sites[0].url), memory)
    assert why in said
    assert "weights fetch tiny" in said


def test_a_peer_that_says_nothing_is_left(entry: ModelEntry, silent: str, memory: Path) -> None:
    assert silent in refused(only(entry, silent), memory, look_s=SHORT_S)


def test_a_proxy_that_says_nothing_is_left(
    entry: ModelEntry, silent: str, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", silent)
    monkeypatch.setenv("NO_PROXY", "")
    refused(only(entry, "http://weights.example/model.pt"), memory, look_s=SHORT_S)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "socks5://127.0.0.1:1", "nonsense://"])
def test_a_proxy_that_cannot_be_used_is_no_network(
    entry: ModelEntry, memory: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    refused(only(entry, "http://weights.example/model.pt"), memory)


def test_a_name_server_that_does_not_answer_is_not_waited_for(
    entry: ModelEntry, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        over.wait()
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    said = refused(only(entry, "http://weights.example/model.pt"), memory, look_s=SHORT_S)
    lookers = [thread for thread in threading.enumerate() if thread.name == "look"]
    over.set()
    for thread in lookers:
        assert thread.daemon  # a program that ends doesn't wait for it either
        thread.join()
    assert f"gave no answer within {SHORT_S:g} s" in said


@pytest.fixture
def failed(entry: ModelEntry, sites: tuple[Site, Site], memory: Path) -> ModelEntry:
    """A model whose look failed at noon; since then the network is back."""
    for site in sites:
        site.status = 503
    refused(entry, memory)
    for site in sites:
        site.status = None
        site.asked.clear()
    return entry


def test_a_look_that_failed_is_not_repeated_for_an_hour(
    failed: ModelEntry, sites: tuple[Site, Site], memory: Path
) -> None:
    said = refused(failed, memory, at_s=NOON_S + AGAIN_S - 1)
    assert "weights fetch tiny" in said
    assert [site.asked for site in sites] == [[], []]
    assert within_reach(failed, memory, now_s=lambda: NOON_S + AGAIN_S).urls == failed.urls


def test_a_clock_that_was_set_back_forgets(failed: ModelEntry, memory: Path) -> None:
    assert within_reach(failed, memory, now_s=lambda: NOON_S - 1).urls == failed.urls


def test_other_addresses_are_looked_at_at_once(failed: ModelEntry, sites: tuple[Site, Site], memory: Path) -> None:
    assert within_reach(only(failed, sites[1].url), memory, now_s=lambda: NOON_S).urls == (sites[1].url,)


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"tiny": {"at_s": "noon", "urls": []}}', b'{"tiny": {"at_s": 1e999, "urls": []}}', b"\xff"]
)
def test_a_damaged_memory_means_nothing(failed: ModelEntry, memory: Path, damage: bytes) -> None:
    memory.write_bytes(damage)
    assert within_reach(failed, memory, now_s=lambda: NOON_S).urls == failed.urls


def test_where_nothing_can_be_remembered_only_the_next_start_is_longer(
    entry: ModelEntry, sites: tuple[Site, Site], tmp_path: Path
) -> None:
    sites[0].status = sites[1].status = 503
    for _ in range(2):
        refused(entry, tmp_path / "source" / "looks.json")  # its folder is a file
    assert [len(site.asked) for site in sites] == [2, 2]


def start(settings: Settings, entry: ModelEntry) -> tuple[str, str]:
    """Return the model that a start takes, and what it says."""
    said: list[str] = []
    weights = find_weights(settings, Manifest((load_manifest().entry("nano"), entry)), said.append)
    return weights.entry.name, "\n".join(said)


def test_a_start_looks_once_and_runs_nano(entry: ModelEntry, sites: tuple[Site, Site], tmp_path: Path) -> None:
    sites[0].status = sites[1].status = 503
    settings = Settings(checkpoints_dir=tmp_path / "checkpoints", cache_dir=tmp_path / "cache")
    for _ in range(3):
        name, said = start(settings, entry)
        assert name == "nano"
        assert "weights fetch tiny" in said
    assert [len(site.asked) for site in sites] == [1, 1]


def test_a_model_that_was_asked_for_is_always_tried(failed: ModelEntry, tmp_path: Path) -> None:
    """What `--model` and `weights fetch` name is fetched however lately a look failed."""
    settings = Settings(checkpoints_dir=tmp_path / "checkpoints", cache_dir=tmp_path / "cache", model="tiny")
    assert start(settings, failed)[0] == "tiny"
    again = tmp_path / "elsewhere"
    assert download.fetch(failed, again, progress=lambda *_: None).read_bytes() == CONTENT


def test_a_start_that_finds_the_network_fetches(entry: ModelEntry, tmp_path: Path) -> None:
    settings = Settings(checkpoints_dir=tmp_path / "checkpoints", cache_dir=tmp_path / "cache")
    assert start(settings, entry)[0] == "tiny"
    assert (tmp_path / "checkpoints" / entry.file).read_bytes() == CONTENT
