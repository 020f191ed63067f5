from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from app.client import connect
from app.errors import UnknownObjectError
from app.protocol import messages as m
from tests.helpers.image_files import file_of, png
from tests.helpers.peer import dialled, opened
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(png(160, 120))
    return path


async def test_a_client_is_welcomed_with_what_it_should_know(server: Server) -> None:
    async with dialled(server) as peer:
        welcome = await peer.hello()
        assert peer.socket.subprotocol == m.SUBPROTOCOL
    assert (welcome.version, welcome.resumed, welcome.model) == (1, False, "tiny")
    assert not any(info.fetchable for info in welcome.models)  # it is offline
    assert [model.name for model in welcome.models] == ["nano", "tiny", "small", "base_plus", "large"]
    assert welcome.limits.max_points == server.limits.session.max_points


async def test_from_a_picture_to_a_kept_object(server: Server, photo: Path) -> None:
    async with connect(server.url) as session:
        image = await session.open(photo)
        assert (image.width, image.height, image.model) == (160, 120, "tiny")

        preview = await session.preview(80, 60)
        assert preview is not None
        assert preview.mask.shape == (120, 160)
        assert preview.mask[60, 80]
        assert not preview.mask[0, 0]
        assert len(preview.masks) == 3
        assert not session.objects

        cup = await session.click(80, 60)
        assert cup.mask[60, 80]
        assert cup.masks[cup.chosen].size == (120, 160)
        assert cup.area == cup.mask.sum()

        wider = await session.click(20, 20, object=cup.id)
        assert wider.mask[20, 20]
        assert len(wider.masks) == 1
        smaller = await session.click(80, 60, label=0, object=cup.id)
        assert not smaller.mask[60, 80]
        assert smaller.mask[20, 20]

        boxed = await session.box((100, 10, 150, 50))
        assert boxed.mask[30, 125]
        assert not boxed.mask[60, 125]

        await session.move(cup.id, 1, 20, 100)
        assert session.objects[cup.id].mask[100, 20]
        await session.unpoint(cup.id, 2)
        await session.label(cup.id, "cup")
        assert session.objects[cup.id].name == "cup"
        await session.delete(boxed.id)
        assert list(session.objects) == [cup.id]
        await session.undo()
        assert list(session.objects) == [cup.id, boxed.id]
        await session.redo()
        assert list(session.objects) == [cup.id]
        await session.clear()
        assert not session.objects


async def test_undo_and_redo_bring_the_same_mask_back(server: Server, photo: Path) -> None:
    async with connect(server.url) as session:
        await session.open(photo)
        cup = await session.click(80, 60)
        refined = await session.click(20, 20, object=cup.id)
        await session.undo()
        assert session.objects[cup.id].masks == cup.masks
        await session.redo()
        assert session.objects[cup.id].masks == refined.masks


async def test_another_candidate_is_chosen(server: Server, photo: Path) -> None:
    async with connect(server.url) as session:
        await session.open(photo)
        cup = await session.click(80, 60)
        part = await session.choose(cup.id, 0)
        assert part.area < cup.area
        with pytest.raises(UnknownObjectError):
            await session.choose(cup.id, 3)


async def test_the_click_gives_what_the_hover_showed(server: Server, photo: Path) -> None:
    async with connect(server.url) as session:
        await session.open(photo)
        preview = await session.preview(80, 60)
        clicked = await session.click(80, 60)
        assert preview is not None
        overlap = np.count_nonzero(preview.mask & clicked.mask) / np.count_nonzero(preview.mask | clicked.mask)
        assert overlap > 0.9


async def test_a_click_takes_the_candidate_that_the_hover_showed(server: Server, photo: Path) -> None:
    async with connect(server.url) as session:
        await session.open(photo)
        preview = await session.preview(80, 60)
        assert preview is not None
        made = [await session.click(80, 60, candidate=number) for number in range(3)]
        assert [each.chosen for each in made] == [0, 1, 2]
        assert [each.area for each in made] == pytest.approx([mask.area for mask in preview.masks], rel=0.1)
        assert [mask.size for mask in made[2].masks] == [(64, 64), (64, 64), (120, 160)]
        with pytest.raises(UnknownObjectError, match="3 candidates, got candidate 3"):
            await session.click(80, 60, candidate=3)
        assert list(session.objects) == [each.id for each in made]


async def test_a_point_lands_on_the_upright_picture(server: Server) -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    async with connect(server.url) as session:
        image = await session.open(file_of(Pil.new("RGB", (160, 120)), "JPEG", exif=exif))
        assert (image.width, image.height) == (120, 160)
        corner = await session.click(110, 150)
        assert corner.mask.shape == (160, 120)
        assert corner.mask[150, 110]
        assert not corner.mask[10, 10]


async def test_pixels_that_a_script_holds_are_a_picture_by_their_content(server: Server) -> None:
    pixels = np.arange(120 * 160 * 3, dtype=np.uint32).reshape(120, 160, 3).astype(np.uint8)
    async with connect(server.url) as session:
        first = await session.open(pixels)
        assert (first.width, first.height) == (160, 120)
        assert (await session.click(80, 60)).mask.shape == pixels.shape[:2]
        assert (await session.open(pixels.copy())).image_id == first.image_id
        assert (await session.open(Pil.fromarray(pixels[:, ::2]))).width == 80
        with pytest.raises(TypeError, match="uint8 in RGB"):
            await session.open(pixels / 255)
        assert session.image is not None
        assert session.image.width == 80


async def test_a_point_lands_right_on_a_picture_that_was_scaled_down_for_the_model(server: Server) -> None:
    async with connect(server.url) as session:
        image = await session.open(png(3000, 1000))
        assert (image.width, image.height) == (3000, 1000)
        found = await session.click(2900, 900)
        assert found.masks[found.chosen].size == (683, 2048)
        assert found.mask[900, 2900]
        assert not found.mask[500, 1500]
        assert found.area == pytest.approx(found.mask.sum(), rel=0.01)


async def test_a_candidate_is_told_in_full_once_it_is_chosen(server: Server, photo: Path) -> None:
    async with connect(server.url) as session:
        await session.open(photo)
        cup = await session.click(80, 60)
        assert [mask.size for mask in cup.masks] == [(64, 64), (120, 160), (64, 64)]
        other = await session.choose(cup.id, 2)
        assert [mask.size for mask in other.masks] == [(64, 64), (64, 64), (120, 160)]
        assert other.mask.sum() == other.area == pytest.approx(cup.masks[2].area, rel=0.05)
        await session.undo()
        assert session.objects[cup.id].masks == cup.masks
        await session.redo()
        assert session.objects[cup.id].masks == other.masks


async def test_a_single_pixel_can_be_clicked(server: Server) -> None:
    async with connect(server.url) as session:
        await session.open(png(1, 1))
        assert (await session.click(0.5, 0.5)).masks[0].size == (1, 1)


async def test_the_second_who_opens_a_picture_finds_it_encoded(server: Server, photo: Path) -> None:
    async with connect(server.url) as first, connect(server.url) as second:
        await first.open(photo)
        assert (await second.open(photo)).cached
    assert server.engine.encodes == 1


async def test_a_ping_is_answered_with_the_clients_own_clock(server: Server) -> None:
    async with opened(server, png()) as peer:
        await peer.click(5, 5)
        await peer.send(m.Ping(at=1234.5))
        pong = await peer.expect(m.Pong)
        assert pong.at == 1234.5
        assert pong.decode_ms > 0


async def test_the_model_that_runs_may_be_chosen_again_and_another_may_not(server: Server) -> None:
    async with opened(server, png()) as peer:
        made = await peer.click(5, 5)
        await peer.send(m.Model(seq=peer.seq(), name="tiny"))
        assert (await peer.expect(m.Image)).model == "tiny"
        assert (await peer.expect(m.Object)).masks == made.masks
        for name, code in [("large", "model_unavailable"), ("huge", "unknown_model")]:
            await peer.send(m.Model(seq=peer.seq(), name=name))
            error = await peer.expect(m.Error)
            assert error.code == code
            assert not re.search(r"/|python|HOVERSAM_", error.message)  # nothing of the server's own
