"""Fetching a checkpoint from a server that resumes, ignores, cuts, stalls and lies: the right file or none."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from filelock import FileLock

from app.errors import ModelUnavailableError
from app.weights import download
from app.weights.download import MAX_ATTEMPTS, fetch
from app.weights.manifest import ModelEntry
from tests.helpers.checkpoint_factory import described
from tests.helpers.weights_site import CONTENT, HALF, Site, served


@pytest.fixture
def sites() -> Iterator[list[Site]]:
    """Three well-behaved servers, to be spoilt."""
    sites = [Site(), Site(), Site()]
    with served(*sites):
        yield sites


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def site(sites: list[Site]) -> Site:
    return sites[0]


@pytest.fixture
def entry(site: Site, tmp_path: Path) -> ModelEntry:
    """A model that the first server has."""
    (tmp_path / "sample").write_bytes(CONTENT)
    bare = ModelEntry(
        name="tiny",
        file="model.pt",
        config="",
        urls=(site.url,),
        bytes=0,
        sha256="0" * 64,
        licence="",
        params_m=1,
        bundled=False,
    )
    return described(bare, tmp_path / "sample")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoints folder that isn't there yet."""
    return tmp_path / "deep" / "checkpoints"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


def ignore(done: int, total: int) -> None:
    """Let a fetch go on."""


def part_of(folder: Path, content: bytes) -> Path:
    """Leave what an earlier fetch would have left."""
    folder.mkdir(parents=True)
    part = folder / "model.pt.part"
    part.write_bytes(content)
    return part


def assert_nothing_got_the_name(folder: Path) -> None:
    assert not (folder / "model.pt").exists()


def test_the_file_arrives_with_its_name_and_no_part_stays(entry: ModelEntry, folder: Path) -> None:
    path = fetch(entry, folder, progress=ignore)
    assert path == folder / "model.pt"
    assert path.read_bytes() == CONTENT
    assert not (folder / "model.pt.part").exists()


def test_progress_grows_to_the_whole(entry: ModelEntry, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    fetch(entry, folder, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_is_not_asked_for(entry: ModelEntry, site: Site, folder: Path) -> None:
    fetch(entry, folder, progress=ignore)
    fetch(entry, folder, progress=ignore)
    assert len(site.asked) == 1


def test_a_damaged_file_is_replaced(entry: ModelEntry, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "model.pt").write_bytes(b"damaged")
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT


def test_what_an_earlier_fetch_left_is_resumed(entry: ModelEntry, site: Site, folder: Path) -> None:
    part_of(folder, CONTENT[:HALF])
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert site.asked == [f"bytes={HALF}-"]


def test_a_whole_part_only_needs_its_name(entry: ModelEntry, site: Site, folder: Path) -> None:
    part_of(folder, CONTENT)
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert site.asked == []


def test_a_server_that_cannot_resume_begins_again(entry: ModelEntry, site: Site, folder: Path) -> None:
    site.ranges = False
    part_of(folder, CONTENT[:HALF])
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert len(site.asked) == 1


def test_an_answer_that_breaks_off_is_resumed(entry: ModelEntry, site: Site, folder: Path) -> None:
    site.cuts = [HALF, 1000]
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert site.asked == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]


def test_an_answer_without_a_length_that_ends_early_is_resumed(entry: ModelEntry, site: Site, folder: Path) -> None:
    site.length, site.cuts = 0, [HALF]
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT


def test_a_server_that_breaks_off_again_and_again_is_given_up_and_what_came_is_kept(
    entry: ModelEntry, site: Site, folder: Path
) -> None:
    site.cuts = [10] * 100
    with pytest.raises(ModelUnavailableError, match="what came is kept"):
        fetch(entry, folder, progress=ignore)
    assert len(site.asked) == download.MAX_ATTEMPTS
    assert (folder / "model.pt.part").read_bytes() == CONTENT[: 10 * download.MAX_ATTEMPTS]
    assert_nothing_got_the_name(folder)


def test_the_next_address_resumes_what_the_first_began(entry: ModelEntry, sites: list[Site], folder: Path) -> None:
    sites[0].cuts = [HALF, 0]
    entry = msgspec.structs.replace(entry, urls=(sites[0].url, sites[1].url))
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert sites[1].asked == [f"bytes={HALF}-"]


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"content": b"x" * len(CONTENT)}, "sent a file with another hash"),
        ({"content": CONTENT[:-1]}, f"has a file of {len(CONTENT) - 1} bytes where tiny has {len(CONTENT)}"),
        ({"content": CONTENT + b"more", "length": 0}, "sends more than"),
        ({"status": 404}, "answered 404 Not Found"),
        ({"status": 206}, "answered 206"),
    ],
    ids=["another file", "smaller file", "endless file", "no file", "unasked part"],
)
def test_a_server_with_another_file_is_passed_over(
    entry: ModelEntry, sites: list[Site], folder: Path, spoilt: dict[str, object], reason: str
) -> None:
    for name, value in spoilt.items():
        setattr(sites[0], name, value)
    with pytest.raises(ModelUnavailableError, match=reason):
        fetch(entry, folder, progress=ignore)
    assert_nothing_got_the_name(folder)
    both = msgspec.structs.replace(entry, urls=(sites[0].url, sites[1].url))
    assert fetch(both, folder, progress=ignore).read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away_and_fetched_again(entry: ModelEntry, site: Site, folder: Path) -> None:
    part_of(folder, b"x" * HALF)
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert site.asked == [f"bytes={HALF}-", None]


def test_a_part_that_is_too_long_is_thrown_away_and_fetched_again(entry: ModelEntry, site: Site, folder: Path) -> None:
    part_of(folder, CONTENT + b"more")
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT


@pytest.mark.parametrize("claim", ["bytes 0-10/11", "nonsense", f"bytes {HALF}-{len(CONTENT) - 1}/*"])
def test_an_answer_with_other_bytes_than_asked_for_is_not_appended(
    entry: ModelEntry, site: Site, folder: Path, claim: str
) -> None:
    site.content_range = claim
    part_of(folder, CONTENT[:HALF])
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert site.asked == [f"bytes={HALF}-", None]


def test_a_refused_range_is_asked_for_again_from_the_beginning(entry: ModelEntry, site: Site, folder: Path) -> None:
    part = part_of(folder, CONTENT[:HALF])
    site.status = 416
    with pytest.raises(ModelUnavailableError, match="answered 416"):
        fetch(entry, folder, progress=ignore)
    assert site.asked == [f"bytes={HALF}-", None]
    assert not part.exists()


def test_a_server_that_stalls_is_given_up_after_the_timeout_and_what_came_is_kept(
    entry: ModelEntry, site: Site, folder: Path
) -> None:
    site.stall = threading.Event()
    with httpx.Client(timeout=0.2) as client, pytest.raises(ModelUnavailableError, match="timed out"):
        fetch(entry, folder, progress=ignore, client=client)
    site.stall.set()
    assert CONTENT.startswith((folder / "model.pt.part").read_bytes())
    assert_nothing_got_the_name(folder)


def test_a_server_that_drips_is_given_up_and_what_came_is_kept(entry: ModelEntry, site: Site, folder: Path) -> None:
    site.drips = True
    with httpx.Client(timeout=0.2) as client, pytest.raises(ModelUnavailableError, match="bytes a second"):
        fetch(entry, folder, progress=ignore, client=client)
    assert 0 < len((folder / "model.pt.part").read_bytes()) < HALF
    assert len(site.asked) == MAX_ATTEMPTS
    assert_nothing_got_the_name(folder)


def test_a_host_that_is_not_there_is_named(entry: ModelEntry, folder: Path, client: httpx.Client) -> None:
    gone = msgspec.structs.replace(entry, urls=("http://127.0.0.1:1/model.pt",))
    with pytest.raises(ModelUnavailableError, match=r"http://127.0.0.1:1/model.pt .*Check the network"):
        fetch(gone, folder, progress=ignore, client=client)


def test_an_exception_of_progress_cancels_and_what_came_is_kept(entry: ModelEntry, folder: Path) -> None:
    class CancelledError(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        fetch(entry, folder, progress=cancel)
    assert CONTENT.startswith((folder / "model.pt.part").read_bytes())
    assert_nothing_got_the_name(folder)
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT


def test_two_that_ask_together_fetch_once(entry: ModelEntry, site: Site, folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: fetch(entry, folder, progress=ignore), range(2)))
    assert [path.read_bytes() for path in paths] == [CONTENT, CONTENT]
    assert len(site.asked) == 1


def test_while_another_process_fetches_its_progress_is_told_until_it_takes_too_long(
    entry: ModelEntry, site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "LOCK_POLL_S", 0.01)
    part_of(folder, CONTENT[:HALF])
    told: list[int] = []
    with FileLock(folder / ".model.pt.lock"), pytest.raises(ModelUnavailableError, match="another process"):
        fetch(entry, folder, progress=lambda done, total: told.append(done), lock_timeout_s=0.03)
    assert told == [HALF] * 3
    assert site.asked == []


def test_a_disk_without_room_is_told_before_anything_is_asked(
    entry: ModelEntry, site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(ModelUnavailableError, match=r"tiny needs 64 MiB in .*, 1 MiB are free; make room"):
        fetch(entry, folder, progress=ignore)
    assert site.asked == []


def test_a_folder_that_cannot_be_made_is_named(entry: ModelEntry, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelUnavailableError, match=r"can't be written to .*file"):
        fetch(entry, tmp_path / "file" / "checkpoints", progress=ignore)


def test_a_bundled_model_is_not_fetched(entry: ModelEntry, folder: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="restore it from the program's own files"):
        fetch(msgspec.structs.replace(entry, urls=()), folder, progress=ignore)
