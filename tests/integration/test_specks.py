"""What was clicked is never cleaned away, by whichever way a mask is had; the engine's logits are fixed.

The logits have a body with two holes in it and two specks beside it, each of one cell. One speck and one hole are
clicked; the others aren't, and go.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image as Pil

from app.arrays import MaskArray
from app.cli.local import LocalPicture
from app.client import ClientSession, connect
from app.engine.contract import Candidates, Embedding, Prompt
from app.pictures import PictureLimits
from app.session.limits import SessionLimits
from app.session.recipe import read_recipe
from app.settings import Settings
from tests.helpers.fake_engine import GRID, FakeEngine
from tests.helpers.image_files import png
from tests.helpers.server import Server, open_gates

pytestmark = pytest.mark.anyio

WIDTH, HEIGHT = 640, 480
BODY, SPECK, HOLE = (30, 30), (5, 6), (26, 28)
"""Cells `(row, column)`: one of the body, the speck and the hole that are clicked."""
LOST_SPECK, LOST_HOLE = (5, 50), (35, 24)
"""Those that nobody clicked."""


@dataclass
class Fixed(FakeEngine):
    """An engine that finds the same whatever it is asked."""

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        found = super().decode(embedding, prompts)
        return [Candidates(np.stack([logits()] * len(each.scores)), each.scores) for each in found]


def logits() -> np.ndarray[Any, np.dtype[np.float32]]:
    cells = np.full((GRID, GRID), -5, np.float32)
    cells[20:40, 20:40] = 5
    cells[SPECK] = cells[LOST_SPECK] = 5
    cells[HOLE] = cells[LOST_HOLE] = -5
    return cells


def at(cell: tuple[int, int], width: int = WIDTH, height: int = HEIGHT) -> tuple[float, float]:
    """Return the middle of a cell in pixels of the picture."""
    return (cell[1] + 0.5) * width / GRID, (cell[0] + 0.5) * height / GRID


def told(mask_hw: MaskArray) -> dict[str, bool]:
    """Return what a mask shows of each thing."""
    places = {"body": BODY, "speck": SPECK, "hole": HOLE, "lost speck": LOST_SPECK, "lost hole": LOST_HOLE}
    points = {name: at(cell, mask_hw.shape[1], mask_hw.shape[0]) for name, cell in places.items()}
    return {name: bool(mask_hw[int(y), int(x)]) for name, (x, y) in points.items()}


BOTH = {"body": True, "speck": True, "hole": False, "lost speck": False, "lost hole": True}
NEITHER = BOTH | {"speck": False, "hole": True}
PROMPT = [(*at(BODY), 1), (*at(SPECK), 1), (*at(HOLE), 0)]


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    fixed = Fixed()
    yield fixed
    open_gates(fixed)


async def clicked(session: ClientSession, width: int = WIDTH, height: int = HEIGHT) -> int:
    """Open a picture and click the body, the speck and the hole; return the object's id."""
    await session.open(png(width, height))
    made = await session.click(*at(BODY, width, height))
    await session.click(*at(SPECK, width, height), object=made.id)
    await session.click(*at(HOLE, width, height), label=0, object=made.id)
    return made.id


async def test_on_the_socket_until_the_point_is_moved_or_taken_away(server: Server) -> None:
    async with connect(server.url) as session:
        number = await clicked(session)
        assert told(session.objects[number].mask) == BOTH
        moved = await session.move(number, 2, *at(BODY))
        assert moved is not None
        assert told(moved.mask) == BOTH | {"hole": True}
        left = await session.unpoint(number, 1)
        assert left is not None
        assert told(left.mask) == NEITHER
        await session.undo()
        assert told(session.objects[number].mask) == BOTH | {"hole": True}


async def test_for_each_candidate_that_is_chosen(server: Server) -> None:
    async with connect(server.url) as session:
        await session.open(png(WIDTH, HEIGHT))
        made = await session.click(*at(SPECK))
        for number in (0, 2, 1):
            chosen = await session.choose(made.id, number)
            assert told(chosen.mask)["speck"]
            assert not told(chosen.mask)["lost speck"]


@pytest.mark.parametrize("refining", [False, True], ids=["new", "refining"])
async def test_under_the_pointer(server: Server, *, refining: bool) -> None:
    async with connect(server.url) as session:
        await session.open(png(WIDTH, HEIGHT))
        number = (await session.click(*at(BODY))).id if refining else None
        speck, hole = [
            await session.preview(*at(cell), label=label, object=number) for cell, label in ((SPECK, 1), (HOLE, 0))
        ]
        assert speck is not None
        assert hole is not None
        assert told(speck.mask) == NEITHER | {"speck": True}
        assert told(hole.mask) == NEITHER | {"hole": False}


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (3000, 1000)], ids=["as shown", "larger than is shown"])
async def test_in_a_file_of_the_session_and_of_its_recipe(server: Server, size: tuple[int, int]) -> None:
    async with connect(server.url) as session:
        await clicked(session, *size)
        exported = pixels_of((await session.export("mask")).data)
        recipe = read_recipe((await session.export("recipe")).data)
    assert told(exported) == BOTH
    picture = local(png(*size), Settings())
    [drawn] = picture.selection(picture.remade(recipe, SessionLimits())[0], "a.png").objects
    assert np.array_equal(drawn.draw(), exported)


async def test_by_http(server: Server) -> None:
    points = [{"x": x, "y": y, "label": label} for x, y, label in PROMPT]
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        sent = await http.post("/api/upload", files={"file": ("a.png", png(WIDTH, HEIGHT), "image/png")})
        body = {"image_id": sent.json()["image_id"], "points": points}
        masks = (await http.post("/api/segment", json=body)).json()["masks"]
        export = {"image_id": body["image_id"], "format": "mask", "objects": [{"points": points}]}
        exported = pixels_of((await http.post("/api/export", json=export)).content)
    assert told(exported) == BOTH
    for mask in masks:
        counts = mask["rle"]["counts"]
        assert told(np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(HEIGHT, WIDTH)) == BOTH


def test_by_the_command() -> None:
    picture = local(png(WIDTH, HEIGHT), Settings())
    [drawn] = picture.selection([picture.prompted(PROMPT, None, None, SessionLimits())], "a.png").objects
    assert told(drawn.draw()) == BOTH


def local(data: bytes, settings: Settings) -> LocalPicture:
    return LocalPicture(Fixed(), data, PictureLimits.of(settings), speck_share=settings.speck_share)


def pixels_of(data: bytes) -> MaskArray:
    return np.asarray(Pil.open(io.BytesIO(data)).convert("L")) > 0
