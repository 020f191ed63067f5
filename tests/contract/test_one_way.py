"""The same prompts give the same mask to the bit, by whichever way they come in."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageDraw

from app.arrays import MaskArray
from app.cli.local import LocalPicture
from app.cli.local_clip import LocalClip
from app.client import ClientSession, connect
from app.clips import ClipLimits
from app.engine.contract import Engine
from app.engine.openvino.runtime import detect
from app.engine.sam2.engine import load_torch_engine
from app.pictures import PictureLimits
from app.service.answers import is_ambiguous
from app.session.limits import SessionLimits
from app.session.objects import SessionObject
from app.session.recipe import read_recipe
from app.settings import Settings
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.clip_files import zipped_frames
from tests.helpers.clip_screen import ClipScreen, uploaded_clip
from tests.helpers.graph_factory import compiled_nano
from tests.helpers.image_files import file_of
from tests.helpers.load import SOAKS
from tests.helpers.moving_scene import moving_scene
from tests.helpers.peer import greeted
from tests.helpers.server import started

pytestmark = pytest.mark.anyio

NANO = load_manifest().entry("nano")
SETTINGS = Settings(offline=True)
Act = tuple[str, Any]


def click(x: float, y: float, label: int = 1, candidate: int | None = None) -> Act:
    return "click", (x, y, label, candidate)


ON, ON_TOO, OFF = click(210, 160), click(330, 210), click(250, 320, 0)
BOX = ("box", (120, 90, 420, 330))
PROMPTS: dict[str, list[Act]] = {
    "a lone point": [ON],
    "a lone point off it": [OFF],
    "two points": [ON, ON_TOO],
    "a point off it": [ON, OFF],
    "four points": [ON, ON_TOO, OFF, click(205, 166)],
    "a box": [BOX],
    "a box, then points": [BOX, ON, OFF],
    "points, then a box": [ON, OFF, BOX],
    "a box, a point, another box": [BOX, ON_TOO, ("box", (100, 80, 400, 350))],
    "a point that was moved": [click(300, 300), ON_TOO, ("move", (0, 210, 160))],
    "a point that was taken away": [click(300, 300), ON, ON_TOO, ("unpoint", 0)],
    "moved and taken away beside a box": [BOX, ON, OFF, ON_TOO, ("move", (1, 250, 310)), ("unpoint", 0)],
    "another candidate": [ON, ("choose", 0)],
    "another candidate, as it lit up": [click(210, 160, candidate=2)],
    "another candidate, then points": [ON, ("choose", 0), ON_TOO, OFF],
    "another candidate of a point that was moved": [ON, ("choose", 2), OFF, ("move", (0, 215, 150))],
}


def torch() -> Engine:
    return load_torch_engine(NANO, BUNDLED_DIR / NANO.file)


ENGINES: dict[str, Callable[[], Engine]] = {
    "torch": torch,
    **{
        f"openvino {precision}": partial(compiled_nano, precision)
        for precision in (("fp32", "bf16") if SOAKS else (detect(None).precision,))
    },
}
"""OpenVINO in the precision that this CPU is given; in the long tests in both."""


def scene(width: int, height: int) -> bytes:
    """Return a picture of a disc with a hole in it, a second disc that touches it, and a bar below."""
    picture = Pil.new("RGB", (480, 400), (92, 108, 120))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((130, 100, 290, 250), fill=(240, 206, 80))
    draw.ellipse((190, 140, 230, 180), fill=(180, 60, 50))
    draw.ellipse((280, 150, 400, 270), fill=(70, 160, 90))
    draw.rectangle((100, 300, 400, 330), fill=(220, 220, 230))
    return file_of(picture.resize((width, height)), "PNG")


async def done(session: ClientSession, acts: list[Act], scale: float) -> int:
    """Do what a person does on the page, in pixels of a picture that is so many times larger; return the object."""
    number: int | None = None
    for kind, args in acts:
        if kind == "click":
            x, y, label, candidate = args
            made = await session.click(x * scale, y * scale, label=label, object=number, candidate=candidate)
            number = made.id
        elif kind == "box":
            x0, y0, x1, y1 = args
            number = (await session.box((x0 * scale, y0 * scale, x1 * scale, y1 * scale), object=number)).id
        elif kind == "choose":
            await session.choose(number or 0, args)
        elif kind == "move":
            await session.move(number or 0, args[0], args[1] * scale, args[2] * scale)
        else:
            await session.unpoint(number or 0, args)
    assert number is not None
    return number


@pytest.mark.parametrize("load", ENGINES.values(), ids=ENGINES)
async def test_every_way_gives_the_same_mask(load: Callable[[], Engine]) -> None:
    engine = load()
    server = await started(SETTINGS, engine)  # type: ignore[arg-type]
    async with connect(server.url) as session, httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        for scale, prompts in ((1, list(PROMPTS)), (5, ["points, then a box"])):  # 5 is larger than is shown
            data = scene(480 * scale, 400 * scale)
            local = LocalPicture(engine, data, PictureLimits.of(SETTINGS), speck_share=SETTINGS.speck_share)
            await session.open(data)
            for name in prompts:
                number = await done(session, PROMPTS[name], scale)
                shown = await saved(session, number)
                if scale == 1:
                    assert np.array_equal(session.objects[number].mask, shown), name
                recipe = read_recipe((await session.export("recipe", [number])).data)
                [again], _ = local.remade(recipe, SessionLimits())
                assert np.array_equal(drawn(local, again), shown), name
                await check_afresh(local, http, again, shown, name)
                await check_candidates(http, session, again, shown, name)
    await server.stop()


async def test_the_command_follows_an_object_as_a_session_does() -> None:
    engine, begun, frames = compiled_nano(detect(None).precision), 1, 3
    data, (x, y) = zipped_frames(moving_scene(frames)), (75, 85)  # on the red disc
    local = LocalClip(engine, data, "clip.zip", ClipLimits(), part=None, speck_share=SETTINGS.speck_share)
    first = local.frame(begun)
    item = first.prompted([(x, y, 1)], None, None, SessionLimits())
    server = await started(SETTINGS, engine)  # type: ignore[arg-type]
    async with greeted(server) as peer:
        screen = ClipScreen(peer)
        await screen.open(await uploaded_clip(server.url, data), begun)
        await screen.click(x, y)
        await screen.track()
    followed = local.followed(item, first, begun)
    assert {(1, frame): mask for frame, mask in followed.items()} == screen.masks
    assert {frame for _, frame in screen.masks} == set(range(frames)), "it is seen on all of them"
    await server.stop()


async def check_afresh(
    local: LocalPicture, http: httpx.AsyncClient, item: SessionObject, shown: MaskArray, name: str
) -> None:
    """The command and HTTP, which take a whole prompt at once, give the mask that was shown."""
    *before, last = [step.pick for step in item.prompts]
    if not any(pick is not None for pick in before):
        fresh = local.prompted(item.points, item.box, last, SessionLimits())
        assert np.array_equal(drawn(local, fresh), shown), name
        if last is None:
            body = {"image_id": local.image.image_id, "format": "mask", "objects": [prompt_of(item)]}
            assert np.array_equal(pixels_of((await http.post("/api/export", json=body)).content), shown), name


async def check_candidates(
    http: httpx.AsyncClient, session: ClientSession, item: SessionObject, shown: MaskArray, name: str
) -> None:
    """HTTP gives three masks, best first: those of the page, where the prompt is a lone point on the object."""
    assert session.image is not None
    reply = await http.post("/api/segment", json={"image_id": session.image.image_id, **prompt_of(item)})
    masks = reply.json()["masks"]
    scores = [mask["score"] for mask in masks]
    assert len(scores) == 3, name
    assert scores == sorted(scores, reverse=True), name
    if is_ambiguous(item.trail):
        candidates = [mask_of(mask) for mask in masks]
        [number] = session.objects
        each = [shown]
        for candidate in range(3):
            await session.choose(number, candidate)
            each.append(await saved(session, number))
        assert all(any(np.array_equal(mask, one) for one in candidates) for mask in each), name
    await session.clear()


def prompt_of(item: SessionObject) -> dict[str, Any]:
    return {"points": [{"x": x, "y": y, "label": label} for x, y, label in item.points], "box": item.box}


async def saved(session: ClientSession, number: int) -> MaskArray:
    return pixels_of((await session.export("mask", [number])).data)


def drawn(local: LocalPicture, item: SessionObject) -> MaskArray:
    return local.selection([item], "a.png").objects[0].draw()


def mask_of(reply: dict[str, Any]) -> MaskArray:
    counts, (height, width) = reply["rle"]["counts"], reply["rle"]["size"]
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width)


def pixels_of(data: bytes) -> MaskArray:
    return np.asarray(Pil.open(io.BytesIO(data)).convert("L")) > 0
