"""Clips by the client: followed frame by frame, across lost connections too, and saved as files that others read."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from app.cli.player import play
from app.cli.script_line import read_script
from app.client import ClientSession, ClipMask, Reconnect, connect, connect_blocking
from app.errors import BadMessageError, ClipTooLongError, UnknownObjectError
from app.protocol import messages as m
from tests.helpers.clip_decoders import program, saying, short_clip
from tests.helpers.clip_files import animation, picture, zipped
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.peer import DEADLINE_S, greeted
from tests.helpers.proxy import Cut, once, proxied
from tests.helpers.server import Server
from tests.integration.test_tracking import Turnstile, gate  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio
COUNT, BEGUN = 8, 3
CLIP = zipped(COUNT)
OTHERS = [index for index in range(COUNT) if index != BEGUN]
QUICK = Reconnect(give_up_s=DEADLINE_S, first_s=0.01, longest_s=0.1)


@pytest.fixture
def quick(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a decoder that says the frames without reading them."""
    monkeypatch.setattr(server.predictor.clips, "_command", program(saying(*short_clip(COUNT))))


async def begun(session: ClientSession) -> int:
    """Open the clip, click an object on one of its frames and return its id."""
    await session.open_clip(CLIP)
    assert (await session.frame(BEGUN)).frame == BEGUN
    return (await session.click(40, 60, name="walker")).id


async def followed(session: ClientSession, id_: int) -> dict[int, ClipMask]:
    """Follow an object both ways; return its masks by frame, each of which must come once."""
    found: dict[int, ClipMask] = {}
    async for frame, masks in session.track([id_]):
        assert frame not in found
        found[frame] = masks[id_]
    return found


def members(file: m.File) -> dict[str, bytes]:
    with ZipFile(BytesIO(file.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # COCO's tools and NumPy 2
@pytest.mark.usefixtures("quick")
async def test_an_object_is_followed_and_saved_in_files_that_others_read(server: Server, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    told: list[m.Progress] = []
    async with connect(server.url) as session:
        id_ = await begun(session)
        assert session.clip is not None
        assert (session.clip.width, len(session.clip.times)) == (160, COUNT)
        found = await followed(session, id_)
        assert sorted(found) == OTHERS
        assert sorted(session.masks) == OTHERS
        assert all(mask.mask.shape == (120, 160) and mask.area == mask.mask.sum() > 0 for mask in found.values())
        await session.frame(0)
        assert np.array_equal(session.objects[id_].mask, found[0].mask)
        # Masks: a PNG a frame.
        file = await session.export("mask", progress=told.append)
        masks = {name: np.asarray(Pil.open(BytesIO(data))) > 0 for name, data in members(file).items()}
        assert [*masks] == [f"{index:06d}.png" for index in range(COUNT)]
        assert all(np.array_equal(masks[f"{index:06d}.png"], found[index].mask) for index in OTHERS)
        assert {each.stage for each in told} == {"exporting"}
        assert told[-1].fraction == (COUNT - 1) / COUNT
        # COCO and YOLO: a picture a frame.
        (tmp_path / "coco.json").write_bytes((await session.export("coco")).data)
        coco = COCO(str(tmp_path / "coco.json"))
        for image in coco.loadImgs(coco.getImgIds()):
            [annotation] = coco.loadAnns(coco.getAnnIds(image["id"]))
            assert np.array_equal(coco.annToMask(annotation) > 0, masks[f"{image['frame']:06d}.png"])
            assert (annotation["track_id"], coco.loadCats(1)[0]["name"]) == (id_, "walker")
        yolo = members(await session.export("yolo"))
        assert sum(name.startswith("labels/train/") and data != b"" for name, data in yolo.items()) == COUNT
        pictures = [data for name, data in sorted(yolo.items()) if name.startswith("images/")]
        assert abs(np.asarray(Pil.open(BytesIO(pictures[5]))).astype(int) - picture(5)).mean() < 2
        # Recipe: what makes it again.
        recipe = json.loads((await session.export("recipe")).data)
        assert (recipe["image_id"], len(recipe["objects"])) == (session.clip.clip_id, 1)
        assert {step["t"] for step in recipe["objects"][0]["trail"]} == {"point", "track"}
        with pytest.raises(BadMessageError, match="saved as"):
            await session.export("svg")
        with pytest.raises(BadMessageError, match="trim"):
            await session.export("cutout", trim=True)
        with pytest.raises(UnknownObjectError):
            await session.export("coco", [99])


@pytest.mark.usefixtures("quick")
async def test_a_video_of_an_object_is_read_by_others(server: Server, tmp_path: Path) -> None:
    pytest.importorskip("av")
    async with connect(server.url) as session:
        id_ = await begun(session)
        found = await followed(session, id_)
        for kind, options in (("overlay", {}), ("cutout", {"ground": "#00ff00"})):
            file = tmp_path / f"walk.{kind}.mp4"
            file.write_bytes((await session.export(kind, **options)).data)  # type: ignore[arg-type]
            video = cv2.VideoCapture(str(file))
            shown = [video.read()[1] for _ in range(COUNT)]
            assert not video.read()[0]
            assert all(frame.shape == (120, 160, 3) for frame in shown)
        off = ~cv2.dilate(found[5].mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
        assert abs(shown[5][off].astype(int) - (0, 255, 0)).mean() < 12  # green, but for what H.264 makes of it


@pytest.mark.usefixtures("quick")
async def test_whoever_leaves_the_loop_stops_it(server: Server, engine: FakeEngine, gate: Turnstile) -> None:  # noqa: F811
    async with connect(server.url) as session:
        id_ = await begun(session)
        async with aclosing(session.track([id_], direction="forward")) as frames:
            gate.let(1)
            assert (await anext(frames))[0] == BEGUN + 1
        gate.set()
        [_, step] = session.objects[id_].trail
        assert getattr(step, "last", None) == BEGUN + 1
        with pytest.raises(BadMessageError):
            await session.stop()
    assert len(engine.tracked) <= 2


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", ["objects", "masks", "tracked", "last"])
async def test_a_lost_connection_in_the_middle_of_it_loses_no_frame(server: Server, kind: str) -> None:
    async with connect(server.url) as session:
        undisturbed = await followed(session, await begun(session))
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        id_ = await begun(session)
        message, number = {"objects": ("object", 1), "last": ("tracked", COUNT - 1)}.get(kind, (kind, 3))
        proxy.judge = once("server", message, "before", number=number)
        found = await followed(session, id_)
        assert proxy.cuts == 1
        assert sorted(found) == OTHERS
        assert all(np.array_equal(mask.mask, undisturbed[frame].mask) for frame, mask in found.items())


@pytest.mark.usefixtures("quick")
async def test_a_server_that_has_forgotten_all_follows_again(server: Server) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        id_ = await begun(session)
        third = once("server", "masks", "before", number=3)

        def forgetting(side: str, message: dict[str, Any]) -> Cut | None:
            if cut := third(side, message):
                server.shared_state.registry._entries.clear()
                server.predictor.clips._clips.clear()
                server.predictor.clips._files.clear()
            return cut

        proxy.judge = forgetting
        assert sorted(await followed(session, id_)) == OTHERS
        assert session.losses >= 1
        assert sorted(session.objects) == [id_]


@pytest.mark.usefixtures("quick")
async def test_a_file_of_a_clip_is_given_up_by_its_number(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connect(server.url) as session, greeted(server) as peer:
        await session.open_clip(CLIP)
        assert session.clip is not None
        opened = asyncio.Event()
        monkeypatch.setattr(server.shared_state.exporter, "make_clip", lambda *_: opened.wait())
        await peer.send(m.Open(seq=peer.seq(), image_id=session.clip.clip_id))
        await peer.expect(m.OpenedClip)
        await peer.expect(m.Image)
        await peer.click(40, 60)
        first, second = peer.seq(), peer.seq()
        for seq in (first, second):
            await peer.send(m.Export(seq=seq, format="mask"))
        for of in (second, first):
            await peer.send(m.Stop(seq=peer.seq(), of=of))
        seen = [await peer.receive() for _ in range(4)]
        errors = [each for each in seen if isinstance(each, m.Error)]
        assert {(each.seq, each.reason) for each in errors} == {(first, "export_stopped"), (second, "export_stopped")}
        assert sum(isinstance(each, m.Gone) for each in seen) == 2


@pytest.mark.parametrize("as_bytes", [True, False])
async def test_a_recorded_session_on_a_clip_replays_to_the_same_masks(
    server: Server, tmp_path: Path, as_bytes: bool
) -> None:
    (tmp_path / "walk.zip").write_bytes(CLIP)
    async with connect(server.url, record=tmp_path / "session.jsonl") as session:
        await session.open_clip(CLIP if as_bytes else tmp_path / "walk.zip", part=(0.04, 0.2, 25), frame=1)
        id_ = (await session.click(40, 60)).id
        recorded = await followed(session, id_)
        await session.frame(3)
    steps = read_script((tmp_path / "session.jsonl").read_text().splitlines())
    async with connect(server.url) as again:
        outcomes = [outcome async for outcome in play(again, steps, tmp_path, paced=False)]
        assert [outcome.line for outcome in outcomes if outcome.code] == []
        assert {frame: masks[id_].told for frame, masks in again.masks.items()} == {
            frame: mask.told for frame, mask in recorded.items()
        }
        assert outcomes[0].text == "160 x 120, 4 frames in 0.2 s"


async def test_a_clip_that_is_too_long_is_opened_in_part_and_a_folder_as_it_lies(
    server: Server, tmp_path: Path
) -> None:
    for index in range(3):
        Pil.fromarray(picture(index)).save(tmp_path / f"shot{index}.png")
    (tmp_path / "notes.txt").write_text("of the day")
    two = animation(count=2, durations_ms=40)
    long = two[:-1] + two[two.rindex(b"\x21\xf9\x04") : -1] * 399 + b";"

    def blocking() -> None:
        with connect_blocking(server.url) as session:
            assert len(session.open_clip(tmp_path).times) == 3
            id_ = session.click(40, 60).id
            assert [frame for frame, _ in session.track([id_])] == [1, 2]
            assert sorted(session.masks) == [1, 2]
            with pytest.raises(ClipTooLongError, match="choose a part"):
                session.open_clip(long)
            assert session.open_clip(long, part=(1, 3, 5), frame=2).times[2] == pytest.approx(1.4)
            assert session.image is not None
            assert session.image.frame == 2

    await asyncio.to_thread(blocking)
