"""Files over the socket and over HTTP, of pictures small and large."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from typing import Any, get_args
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
from PIL import Image as Pil

from app.client import connect
from app.errors import BadMessageError
from app.protocol import messages as m
from app.protocol.fields import ExportFormat
from app.protocol.recipe import PointStep
from app.protocol.run_lengths import decode_mask, iou
from app.session.recipe import read_recipe
from app.settings import Settings
from tests.helpers.export_readers import coco_decoded, from_png, unzipped
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.peer import DEADLINE_S, Peer, greeted, opened, uploaded
from tests.helpers.server import Server
from tests.helpers.serving import serving
from tests.helpers.strange_names import STRANGE_NAMES

pytestmark = pytest.mark.anyio
FORMATS = get_args(ExportFormat)


@pytest.fixture
def settings() -> Settings:
    return Settings(max_export_bytes=4_000_000)


async def exported(peer: Peer, kind: Any, objects: tuple[int, ...] | None = None) -> m.File:
    seq = peer.seq()
    await peer.send(m.Export(seq=seq, format=kind, objects=objects))
    file = await peer.expect(m.File)
    assert file.seq == seq
    return file


async def refused(peer: Peer, kind: Any, objects: tuple[int, ...] | None = None) -> m.Error:
    seq = peer.seq()
    await peer.send(m.Export(seq=seq, format=kind, objects=objects))
    error = await peer.expect(m.Error)
    assert (error.seq, error.fatal) == (seq, False)
    return error


def coco_masks_of(data: bytes) -> list[np.ndarray[Any, np.dtype[np.bool_]]]:
    return [coco_decoded(item["segmentation"]) for item in json.loads(data)["annotations"]]


async def test_every_format_comes_as_a_file(server: Server) -> None:
    async with opened(server, file_of(noise(160, 120), "JPEG")) as peer:
        await peer.click(80, 60)
        files = [await exported(peer, kind) for kind in FORMATS]
    stem = files[0].name.split(".")[0]
    assert stem.startswith("picture-")
    assert [file.name.removeprefix(stem) for file in files] == [
        ".coco.json",
        ".yolo.zip",
        ".json",
        ".svg",
        ".mask.png",
        ".cutout.png",
        ".overlay.png",
        ".recipe.json",
    ]


async def test_a_file_holds_the_very_mask_that_was_shown(server: Server) -> None:
    async with opened(server, file_of(noise(160, 120), "PNG")) as peer:
        shown = decode_mask((cup := await peer.click(80, 60)).masks[cup.chosen])
        [mask_hw] = coco_masks_of((await exported(peer, "coco")).data)
        cutout = np.asarray(from_png((await exported(peer, "cutout")).data))
    assert np.array_equal(mask_hw, shown)
    assert np.array_equal(cutout[..., 3] == 255, shown)
    assert np.array_equal(cutout[shown][:, :3], np.asarray(noise(160, 120))[shown])


async def test_a_file_is_of_the_pictures_native_size(server: Server) -> None:
    picture = Pil.new("RGB", (3000, 2400), (10, 200, 30))
    async with opened(server, file_of(picture, "PNG")) as peer:
        cup = await peer.click(1500, 1200)
        mask = cup.masks[cup.chosen]
        assert mask.size == (1638, 2048)
        cutout = from_png((await exported(peer, "cutout")).data)
        [mask_hw] = coco_masks_of((await exported(peer, "coco")).data)
    assert cutout.size == (3000, 2400)
    assert np.array_equal(np.asarray(cutout)[..., 3] == 255, mask_hw)
    smaller = np.asarray(Pil.fromarray(mask_hw).resize((2048, 1638), Pil.Resampling.NEAREST))
    assert iou(smaller, decode_mask(mask)) > 0.995


async def test_a_cutout_of_a_turned_photo_is_upright(server: Server) -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    async with opened(server, file_of(noise(160, 120), "PNG", exif=exif)) as peer:
        await peer.click(60, 80)
        cutout = np.asarray(from_png((await exported(peer, "cutout")).data))
    upright = np.asarray(noise(160, 120).transpose(Pil.Transpose.ROTATE_270))
    shown = cutout[..., 3] == 255
    assert cutout.shape == (160, 120, 4)
    assert np.array_equal(cutout[shown][:, :3], upright[shown])


async def test_some_objects_are_exported_in_the_order_in_which_they_were_made(server: Server) -> None:
    async with opened(server, png(160, 120)) as peer:
        for x in (30, 80, 130):
            await peer.click(x, 60)
        some = json.loads((await exported(peer, "coco", (3, 1, 3))).data)
        every = unzipped((await exported(peer, "mask")).data)
        none = json.loads((await exported(peer, "coco", ())).data)
    first, third = (item["bbox"] for item in some["annotations"])
    assert first[0] <= 30 < 80 < third[0] + third[2]
    assert first[0] + first[2] < third[0] + third[2]
    assert len(every) == 4
    assert none["annotations"] == []


async def test_a_file_is_named_after_the_picture(server: Server) -> None:
    image_id = await uploaded(server, png(160, 120))
    async with greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), image_id=image_id, name="../my\u202e cat.jpeg"))
        await peer.expect(m.Image)
        file = await exported(peer, "labelme")
    assert file.name == "my cat.json"
    assert json.loads(file.data)["imagePath"] == "my cat.jpeg"


async def test_a_recipe_repeats_what_was_clicked(server: Server) -> None:
    async with opened(server, png(160, 120)) as peer:
        cup = await peer.click(80, 60)
        await peer.click(20, 20, object=cup.id)
        recipe = read_recipe((await exported(peer, "recipe")).data)
    assert recipe.objects[0].trail == (PointStep(x=80, y=60), PointStep(x=20, y=20))
    assert (recipe.width, recipe.height, recipe.model) == (160, 120, "tiny")


async def test_without_a_picture_there_is_no_file(server: Server) -> None:
    async with greeted(server) as peer:
        assert (await refused(peer, "coco")).code == "no_image"


async def test_an_object_that_is_not_there_is_named(server: Server) -> None:
    async with opened(server, png(160, 120)) as peer:
        await peer.click(80, 60)
        error = await refused(peer, "coco", (1, 7))
        assert (error.code, "7" in error.message) == ("unknown_object", True)
        assert len(coco_masks_of((await exported(peer, "coco", (1,))).data)) == 1


@pytest.mark.parametrize("kind", ["mask", "cutout"])
async def test_a_picture_of_no_object_is_refused(server: Server, kind: str) -> None:
    async with opened(server, png(160, 120)) as peer:
        assert (await refused(peer, kind)).code == "unknown_object"


async def test_a_file_that_gets_too_large_says_what_to_do(server: Server) -> None:
    async with opened(server, file_of(noise(1600, 1200), "JPEG")) as peer:
        await peer.send(m.Box(seq=peer.seq(), box=(0, 0, 1600, 1200)))
        await peer.expect(m.Object)
        error = await refused(peer, "cutout")
        assert (error.code, "HOVERSAM_MAX_EXPORT_BYTES" in error.message) == ("image_too_large", True)
        assert (await exported(peer, "mask")).data


async def test_a_picture_that_had_to_make_room_can_not_be_cut_out_but_its_masks_are_there(engine: FakeEngine) -> None:
    async with serving(engine, image_budget_bytes=1) as server, opened(server, png(160, 120)) as peer:
        await peer.click(80, 60)
        await uploaded(server, png(10, 10))
        assert (await refused(peer, "cutout")).code == "unknown_image"
        assert len(coco_masks_of((await exported(peer, "coco")).data)) == 1


async def test_clicks_go_on_while_a_file_is_made(server: Server) -> None:
    """The exporter's one thread is held, as by another's large file."""
    async with opened(server, png(160, 120)) as peer:
        await peer.click(80, 60)
        held, entered = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            loop.call_soon_threadsafe(entered.set)
            asyncio.run_coroutine_threadsafe(held.wait(), loop).result(DEADLINE_S)

        server.shared_state.exporter._worker.submit(hold)
        await asyncio.wait_for(entered.wait(), DEADLINE_S)
        seq = peer.seq()
        await peer.send(m.Export(seq=seq, format="coco"))
        await peer.click(20, 20)
        held.set()
        file = await peer.expect(m.File)
    assert file.seq == seq
    assert len(coco_masks_of(file.data)) == 1  # as it was when it was asked for


# Over HTTP.


async def post(server: Server, body: dict[str, Any] | str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=DEADLINE_S) as client:
        text = body if isinstance(body, str) else json.dumps(body)
        return await client.post(f"{server.url}/api/export", content=text, headers={"content-type": "application/json"})


POINT: dict[str, Any] = {"points": [{"x": 80, "y": 60, "label": 1}]}


@pytest.mark.parametrize("kind", FORMATS)
async def test_every_format_comes_over_http(server: Server, kind: str) -> None:
    image_id = await uploaded(server, file_of(noise(160, 120), "PNG"))
    response = await post(server, {"image_id": image_id, "format": kind, "objects": [POINT], "name": "Käfer.png"})
    assert response.status_code == 200, response.text
    assert saved_as(response).startswith("Käfer.")
    assert "content-encoding" not in response.headers
    assert response.headers["x-content-type-options"] == "nosniff"


async def labelled(server: Server, kind: str, name: str, label: str = "cup") -> httpx.Response:
    image_id = await uploaded(server, png(160, 120))
    objects = [{**POINT, "name": label}]
    response = await post(server, {"image_id": image_id, "format": kind, "objects": objects, "name": name})
    assert response.status_code == 200, response.text
    return response


def saved_as(response: httpx.Response) -> str:
    """Return the name under which a browser saves a file."""
    kept, _, name = response.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert kept == "attachment"
    assert re.fullmatch(r"([\w.~-]|%[0-9A-F]{2})+", name, re.ASCII)
    return unquote(name)


@pytest.mark.parametrize("name", STRANGE_NAMES[::2], ids=ascii)
async def test_labels_over_http_belong_to_the_picture_whatever_its_name(server: Server, name: str) -> None:
    stem = name.rpartition(".")[0]
    assert (await labelled(server, "coco", name)).json()["images"][0]["file_name"] == name
    assert (await labelled(server, "recipe", name)).json()["name"] == name
    labelme = await labelled(server, "labelme", name)
    assert labelme.json()["imagePath"] == name
    assert saved_as(labelme) == f"{stem}.json"
    yolo = await labelled(server, "yolo", name)
    assert saved_as(yolo) == f"{stem}.yolo.zip"
    with zipfile.ZipFile(io.BytesIO(yolo.content)) as archive:
        assert archive.namelist() == ["data.yaml", f"labels/train/{stem}.txt"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('a"b\u202e;c%41.png', "a_b;c%41.json"),
        ("caf\udce9 \udc1e\ud83d.png", "caf .json"),
        ("\u732b" * 100 + ".png", "\u732b" * 80 + "-"),
    ],
    ids=ascii,
)
async def test_a_file_over_http_is_saved_under_a_name_that_every_system_takes(
    server: Server, name: str, expected: str
) -> None:
    saved = saved_as(await labelled(server, "labelme", name))
    assert saved.startswith(expected)
    assert len(saved.encode()) <= 255


async def test_halves_of_characters_are_left_out_of_a_text_and_nothing_else(server: Server) -> None:
    text = "a\\ud800 \U0001f41e\\"  # which JSON writes with backslashes that aren't of a half
    response = await labelled(server, "coco", "caf\udce9.png", f"{text}\ud800 \udfffb")
    assert response.json()["categories"][0]["name"] == f"{text} b"
    assert response.json()["images"][0]["file_name"] == "caf.png"


async def test_an_export_over_http_is_the_mask_that_segment_has(server: Server) -> None:
    image_id = await uploaded(server, png(160, 120))
    box: dict[str, Any] = {"box": [10, 10, 60, 60], "points": [{"x": 20, "y": 20, "label": 0}]}
    data = (
        await post(server, {"image_id": image_id, "format": "coco", "objects": [POINT, {**box, "name": "mug"}]})
    ).content
    for prompt, mask_hw in zip((POINT, box), coco_masks_of(data), strict=True):
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=DEADLINE_S) as client:
            answer = await client.post(f"{server.url}/api/segment", json={"image_id": image_id, **prompt})
        counts = answer.json()["masks"][0]["rle"]["counts"]
        assert np.array_equal(np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(120, 160), mask_hw)
    assert [category["name"] for category in json.loads(data)["categories"]] == ["object", "mug"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"image_id": "0" * 32}, 404, "IMAGE_NOT_FOUND"),
        ({"format": "gif"}, 400, "BAD_REQUEST"),
        ({"objects": [{}]}, 400, "BAD_REQUEST"),
        ({"objects": [{"points": [{"x": 999, "y": 1}]}]}, 400, "BAD_REQUEST"),
        ({"objects": [{"box": [9, 9, 1, 1]}]}, 400, "BAD_REQUEST"),
        ({"objects": [POINT] * 65}, 400, "BAD_REQUEST"),
        ({"objects": []}, 404, "NOT_FOUND"),
        ({"clases": ["cat"]}, 400, "BAD_REQUEST"),
        ({"options": {"edge": "feathered"}}, 400, "BAD_REQUEST"),
        ({"options": {"tolerance": 2}}, 400, "BAD_REQUEST"),
        ({"objects": [{**POINT, "candidate": 1}]}, 400, "BAD_REQUEST"),
    ],
    ids=[
        "picture",
        "format",
        "no prompt",
        "off the picture",
        "inside out",
        "objects",
        "nothing to cut out",
        "a field that there isn't",
        "an edge that there isn't",
        "an option of other formats",
        "a field of an object that there isn't",
    ],
)
async def test_a_bad_request_has_the_one_shape_of_errors(
    server: Server, change: dict[str, Any], status: int, code: str
) -> None:
    image_id = await uploaded(server, png(160, 120))
    response = await post(server, {"image_id": image_id, "format": "cutout", "objects": [POINT], **change})
    assert (response.status_code, response.json()["detail"]["code"]) == (status, code), response.text
    assert response.json()["detail"]["message"]


async def test_options_are_heeded_by_socket_http_and_client_alike(server: Server) -> None:
    data = png(160, 120)
    image_id = await uploaded(server, data)
    options = {"trim": True, "edge": "soft", "ground": "#ffd000"}
    http = await post(server, {"image_id": image_id, "format": "cutout", "objects": [POINT], "options": options})
    async with connect(server.url) as session:
        await session.open(data)
        thing = await session.click(POINT["points"][0]["x"], POINT["points"][0]["y"])
        cut = await session.export("cutout", [thing.id], trim=True, edge="soft", ground="#ffd000")
        whole = from_png((await session.export("cutout")).data)
        with pytest.raises(BadMessageError, match="mask takes no trim, which is for cutout"):
            await session.export("mask", trim=True)
        with pytest.raises(BadMessageError):
            await session.export("coco", tolerance=1000)
        coarse = json.loads((await session.export("coco", tolerance=9)).data)["annotations"][0]
    assert http.content == cut.data
    assert from_png(cut.data).mode == "RGB"
    assert from_png(cut.data).width < whole.width
    assert coarse["polygons_differ"] > 0


async def test_a_body_that_is_no_json_is_a_bad_request(server: Server) -> None:
    assert (await post(server, "{")).json()["detail"]["code"] == "BAD_REQUEST"


async def test_a_file_over_http_is_bounded_too(server: Server) -> None:
    image_id = await uploaded(server, file_of(noise(1600, 1200), "JPEG"))
    body = {"image_id": image_id, "format": "overlay", "objects": []}
    assert (await post(server, body)).json()["detail"]["code"] == "FILE_TOO_LARGE"


def test_noise_is_larger_than_the_bound_as_the_tests_above_need() -> None:
    stream = io.BytesIO()
    noise(1600, 1200).save(stream, "PNG")
    assert len(stream.getvalue()) > 4_000_000
