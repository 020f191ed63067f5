"""What a server finds before anybody asks for it: over the socket, by HTTP and by the client.

The engine sees three squares; a point on one gives it whole, whichever candidate; elsewhere it is sure of nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from app.arrays import MaskArray
from app.bench.regions import answer_bytes
from app.client import connect
from app.engine.contract import Candidates, Embedding, Prompt
from app.protocol import messages as m
from app.protocol.frames import over_picture
from app.protocol.run_lengths import decode_mask, scale_mask
from app.service.region_finder import GRID_ENDS
from tests.helpers.fake_engine import GRID, MAX_LOGIT, FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import Peer, greeted, opened, uploaded
from tests.helpers.server import Server, open_gates
from tests.helpers.serving import serving

pytestmark = pytest.mark.anyio

SIDE = GRID * 4
"""Of the picture: four pixels to a cell."""
SQUARES = ((2, 2, 14, 14), (20, 20, 44, 44), (50, 8, 58, 16))
"""First and last but one row and column, in cells."""
UNSURE = Candidates(np.full((3, GRID, GRID), 0.5, np.float32), np.array([0.9, 0.1, 0.1], np.float32))


@dataclass
class Squares(FakeEngine):
    """An engine that sees the squares."""

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        super().decode(embedding, prompts)
        return [seen(prompt) for prompt in prompts]


@dataclass
class CloseUps(FakeEngine):
    """An engine that sees a square in the middle of every window, and nothing in the whole picture."""

    model: str = "nano"

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        super().decode(embedding, prompts)
        is_part = embedding.size_hw != (SIDE, SIDE)
        return [answer(cells((26, 26, 38, 38))) if is_part else UNSURE for _ in prompts]


def seen(prompt: Prompt) -> Candidates:
    x, y = (value * GRID / SIDE for value in prompt.points_xy[0])
    for square in SQUARES:
        if square[0] <= y < square[2] and square[1] <= x < square[3]:
            return answer(cells(square))
    return UNSURE


def answer(mask_hw: MaskArray) -> Candidates:
    logits = np.where(mask_hw, MAX_LOGIT / 4, -MAX_LOGIT / 4).astype(np.float32)
    return Candidates(np.stack([logits] * 3), np.array([0.2, 0.3, 0.9], np.float32))


def cells(square: tuple[int, int, int, int]) -> MaskArray:
    mask_hw = np.zeros((GRID, GRID), np.bool_)
    mask_hw[square[0] : square[2], square[1] : square[3]] = True
    return mask_hw


def places(regions: tuple[m.Region, ...]) -> set[int]:
    """Return which of the squares the regions are; each is one of them to the cell."""
    masks = [scale_mask(decode_mask(region.mask), (GRID, GRID)) for region in regions]
    found = [i for mask_hw in masks for i in range(3) if np.array_equal(mask_hw, cells(SQUARES[i]))]
    assert len(found) == len(set(found)) == len(regions)
    return set(found)


@pytest.fixture
def engine() -> Iterator[Squares]:
    engine = Squares()
    yield engine
    open_gates(engine)


async def told(peer: Peer, seq: int) -> list[m.Regions]:
    """Ask for the regions; return all answers."""
    await peer.send(m.FindRegions(seq=seq))
    answers = [await peer.expect(m.Regions)]
    while not answers[-1].last:
        answers.append(await peer.expect(m.Regions))
    return answers


async def test_regions_come_from_coarse_to_fine_and_a_click_at_one_gives_it(server: Server) -> None:
    async with opened(server, png(SIDE, SIDE)) as peer:
        answers = await told(peer, 100)
        assert [len(answer.regions) for answer in answers] == sorted(len(answer.regions) for answer in answers)
        assert places(answers[-1].regions) == {0, 1, 2}
        for number, region in enumerate(answers[-1].regions):
            click = m.Click(seq=101 + number, x=region.x, y=region.y, candidate=region.candidate)
            await peer.send(click)
            item = await peer.expect(m.Object)
            assert (item.chosen, region.candidate) == (2, 2)
            assert item.masks[2].area == pytest.approx(region.mask.area, rel=0.1)  # finer, with rounder corners


async def test_what_was_found_is_remembered_for_everybody(server: Server, engine: Squares) -> None:
    async with opened(server, png(SIDE, SIDE)) as peer, opened(server, png(SIDE, SIDE)) as other:
        first = await told(peer, 100)
        asked = len(engine.decoded)
        assert asked == 256
        assert (await told(other, 100))[-1].regions == first[-1].regions
        assert len(engine.decoded) == asked


async def test_hovers_and_clicks_go_before_the_search(server: Server, engine: Squares) -> None:
    async with opened(server, png(SIDE, SIDE)) as peer:
        engine.decode_gate = threading.Event()
        await peer.send(m.FindRegions(seq=100))
        await peer.send(m.Hover(seq=101, x=30, y=30))
        await peer.send(m.Click(seq=102, x=30, y=30))
        engine.decode_gate.set()
        came = [await peer.receive() for _ in range(2)]
        assert {type(message) for message in came} == {m.Preview, m.Object}


async def test_another_picture_ends_the_search(server: Server, engine: Squares) -> None:
    other = await uploaded(server, png(SIDE, SIDE // 2))
    async with opened(server, png(SIDE, SIDE)) as peer:
        engine.decode_gate = threading.Event()
        await peer.send(m.FindRegions(seq=100))
        await peer.send(m.Open(seq=101, image_id=other))
        error = await peer.expect(m.Error)
        assert (error.seq, error.code) == (100, "unknown_image")
        engine.decode_gate.set()
        image = await peer.expect(m.Image)
        assert image.image_id == other
        assert len(engine.decoded) <= 1  # the one that was at work


async def test_without_a_picture_there_is_nothing_to_find(server: Server) -> None:
    async with greeted(server) as peer:
        await peer.send(m.FindRegions(seq=1))
        assert (await peer.expect(m.Error)).code == "no_image"


async def test_the_client_gets_them_whole(server: Server) -> None:
    async with connect(server.url) as session:
        await session.open(png(SIDE, SIDE))
        assert places(await session.regions()) == {0, 1, 2}


async def test_by_http_they_come_at_the_size_of_the_picture(server: Server) -> None:
    image_id = await uploaded(server, png(SIDE, SIDE))
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        found = (await http.post("/api/regions", json={"image_id": image_id})).json()["regions"]
        assert sorted(each["mask"]["bbox"] for each in found) == sorted(
            [4 * x0, 4 * y0, 4 * x1 - 1, 4 * y1 - 1] for y0, x0, y1, x1 in SQUARES
        )
        gone = await http.post("/api/regions", json={"image_id": "0" * 32})
        assert (gone.status_code, gone.json()["detail"]["code"]) == (404, "IMAGE_NOT_FOUND")
        assert (await http.post("/api/regions", json={"image_id": image_id, "points": []})).status_code == 400


async def test_the_benchmark_weighs_the_frame_of_the_last_answer_as_it_comes(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "squares.png"
    file.write_bytes(png(SIDE, SIDE))
    async with opened(server, file.read_bytes()) as peer:
        await peer.send(m.FindRegions(seq=2))
        frames = [await peer.socket.recv() for _ in GRID_ENDS]
    assert await answer_bytes(server.url, file) == len(frames[-1])


async def test_what_is_small_is_found_in_windows_and_its_click_names_the_window() -> None:
    side = round(SIDE * 2 / 3)
    corners = {(x, y, x + side, y + side) for x in (0, SIDE - side) for y in (0, SIDE - side)}
    async with serving(CloseUps()) as server:
        async with opened(server, png(SIDE, SIDE)) as peer:
            answers = await told(peer, 100)
            assert [len(each.regions) for each in answers] == [0, 0, 0, 4]
            assert {region.mask.window for region in answers[-1].regions} == corners
            region = answers[-1].regions[0]
            click = m.Click(seq=200, x=region.x, y=region.y, candidate=region.candidate, window=region.mask.window)
            await peer.send(click)
            item = await peer.expect(m.Object)
            assert (item.chosen, item.masks[item.chosen].window) == (region.candidate, region.mask.window)
            assert item.masks[item.chosen].area == pytest.approx(region.mask.area, rel=0.1)
        async with connect(server.url) as session:
            image = await session.open(png(SIDE, SIDE))
            [found, *_] = await session.regions()
            taken = await session.click(found.x, found.y, candidate=found.candidate, window=found.mask.window)
            assert np.array_equal(taken.mask, over_picture(taken.masks[taken.chosen], (SIDE, SIDE)))
            assert taken.masks[taken.chosen].window == found.mask.window
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            reply = (await http.post("/api/regions", json={"image_id": image.image_id})).json()["regions"]
        boxes = {(*each["window"],): each["mask"]["bbox"] for each in reply}
        assert boxes.keys() == corners
        first = 26 * side // GRID
        assert boxes[0, 0, side, side] == [pytest.approx(edge, abs=1) for edge in (first, first, 101, 101)]
