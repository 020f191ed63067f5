"""One list of classes over several pictures: by HTTP, in a session, by the client and by the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from app.__main__ import main as run
from app.client import Class, connect
from app.errors import BadMessageError, UnknownObjectError
from app.protocol import messages as m
from app.session.recipe import read_recipe
from tests.helpers.export_readers import unzipped
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.peer import DEADLINE_S, dialled, uploaded
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio

LIST = ["eye", "cat", "dog"]
ONE, TWO = png(160, 120), file_of(noise(160, 120), "PNG")
EYE = {"points": [{"x": 20, "y": 20}], "name": "eye"}
CAT = {"points": [{"x": 80, "y": 60}], "name": "cat"}


async def post(server: Server, path: str, body: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=DEADLINE_S) as client:
        return await client.post(path, json=body)


def yolo_numbers(data: bytes) -> tuple[dict[int, str], list[int]]:
    """Return the classes of a YOLO file, and the numbers that its labels have."""
    members = unzipped(data)
    [labels] = [content.decode() for name, content in members.items() if name.endswith(".txt")]
    return yaml.safe_load(members["data.yaml"])["names"], [int(line.split()[0]) for line in labels.splitlines()]


def coco_numbers(data: bytes) -> tuple[dict[int, str], list[int]]:
    """Return the categories of a COCO file, and those that its annotations have."""
    content = json.loads(data)
    categories = {each["id"]: each["name"] for each in content["categories"]}
    return categories, [each["category_id"] for each in content["annotations"]]


@pytest.mark.parametrize("classes", [LIST, ["eye", {"name": "cat", "color": 5}, "dog"]], ids=["names", "colours"])
async def test_by_http_a_class_has_one_number_on_every_picture(server: Server, classes: list[object]) -> None:
    first, second = await uploaded(server, ONE), await uploaded(server, TWO)
    found = []
    for image_id, objects in ((first, [CAT, EYE]), (second, [CAT])):
        body = {"image_id": image_id, "objects": objects, "classes": classes}
        yolo, coco = [
            (await post(server, "/api/export", {**body, "format": kind})).content for kind in ("yolo", "coco")
        ]
        found.append((yolo_numbers(yolo), coco_numbers(coco)))
    names, ids = dict(enumerate(LIST)), dict(enumerate(LIST, 1))
    assert found == [((names, [1, 0]), (ids, [2, 1])), ((names, [1]), (ids, [2]))]


async def test_by_http_without_a_list_classes_are_numbered_as_the_objects_come(server: Server) -> None:
    body = {"image_id": await uploaded(server, ONE), "objects": [CAT, EYE], "format": "yolo"}
    assert yolo_numbers((await post(server, "/api/export", body)).content) == ({0: "cat", 1: "eye"}, [0, 1])


async def test_by_http_a_list_is_in_the_recipe_too(server: Server) -> None:
    body = {"image_id": await uploaded(server, ONE), "objects": [CAT], "classes": LIST, "format": "recipe"}
    recipe = read_recipe((await post(server, "/api/export", body)).content)
    assert [each.name for each in recipe.classes] == LIST


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (["eye"], "object 1 is named 'cat', which isn't in the list of classes ('eye')"),
        (["cat", "cat"], "class 2: 'cat' is there already, at class 1"),
        (["cat", " "], "class 2: a class without a name"),
        ([3], "classes"),
        ("cat", "classes"),
        ([{"name": "cat"}], "color"),
        ([{"name": "cat", "color": -1}], "color"),
        ([{"name": "cat", "color": 1, "colour": 1}], "colour"),
        (["x" * 257], "256"),
        ([str(number) for number in range(2001)], "2000"),
    ],
    ids=str,
)
async def test_by_http_a_list_that_is_none_is_refused_in_words(server: Server, classes: object, words: str) -> None:
    body = {"image_id": await uploaded(server, ONE), "objects": [CAT], "classes": classes, "format": "coco"}
    response = await post(server, "/api/export", body)
    assert (response.status_code, response.json()["detail"]["code"]) == (400, "BAD_REQUEST")
    assert words in response.json()["detail"]["message"]


async def test_by_http_a_file_of_classes_is_read_or_refused_with_its_line(server: Server) -> None:
    read = await post(server, "/api/classes", {"name": "data.yaml", "text": "names: [no, cat]"})
    assert read.json() == {"classes": ["no", "cat"]}
    refused = await post(server, "/api/classes", {"name": "classes.txt", "text": "cat\n\ndog\n"})
    assert (refused.status_code, refused.json()["detail"]["code"]) == (400, "BAD_REQUEST")
    assert refused.json()["detail"]["message"].startswith("line 2: ")
    huge = await post(server, "/api/classes", {"name": "classes.txt", "text": "x" * 600_000})
    assert huge.status_code == 413
    misspelt = await post(server, "/api/classes", {"name": "classes.txt", "text": "cat", "nmae": "data.yaml"})
    assert (misspelt.status_code, "nmae" in misspelt.json()["detail"]["message"]) == (400, True)


async def test_in_a_session_the_list_goes_on_from_picture_to_picture(server: Server) -> None:
    async with connect(server.url) as session:
        await session.set_classes(LIST)
        await session.open(ONE)
        assert not session.can_undo
        await session.click(80, 60, name="cat")
        await session.box((10, 10, 40, 40), name="eye")
        first = yolo_numbers((await session.export("yolo")).data), coco_numbers((await session.export("coco")).data)
        await session.open(TWO)
        await session.label((await session.click(80, 60)).id, "zebra")
        await session.click(20, 20, name="cat")
        second = yolo_numbers((await session.export("yolo")).data), coco_numbers((await session.export("coco")).data)
    names = dict(enumerate([*LIST, "zebra"]))
    assert first[0] == (dict(enumerate(LIST)), [1, 0])
    assert second[0] == (names, [3, 1])
    assert (first[1][1], second[1][1]) == ([2, 1], [4, 2])


async def test_a_client_renames_merges_and_takes_back(server: Server) -> None:
    async with connect(server.url) as session:
        await session.open(ONE)
        cat, kitten = await session.click(80, 60, name="cat"), await session.click(20, 20, name="kitten")
        assert [each.name for each in session.classes] == ["cat", "kitten"]
        assert [each.name for each in await session.rename_class("kitten", "cat")] == ["cat"]
        assert {each.name for each in session.objects.values()} == {"cat"}
        assert session.objects[cat.id].color == session.objects[kitten.id].color
        await session.undo()
        assert [session.objects[each.id].name for each in (cat, kitten)] == ["cat", "kitten"]
        assert [each.name for each in session.classes] == ["cat", "kitten"]
        assert await session.set_classes(["dog", Class(name="cat", color=7)]) == session.classes
        assert [(each.name, session.objects[cat.id].color) for each in session.classes[1:2]] == [("cat", 7)]
        with pytest.raises(BadMessageError, match="'a' is there already"):
            await session.set_classes(["a", "a"])
        with pytest.raises(BadMessageError, match="expected a list of classes, got the text 'cat'"):
            await session.set_classes("cat")
        with pytest.raises(UnknownObjectError, match="no class 'mouse'"):
            await session.rename_class("mouse", "cat")
        assert [each.name for each in session.classes] == ["dog", "cat", "kitten"]


async def test_a_resumed_session_tells_its_list_before_the_objects(server: Server) -> None:
    image_id = await uploaded(server, ONE)
    async with dialled(server) as peer:
        welcome = await peer.hello()
        await peer.open(image_id)
        await peer.send(m.Click(seq=peer.seq(), x=80, y=60, name="cat"))
        assert isinstance(await peer.receive(), m.Classes)
        assert isinstance(await peer.receive(), m.Object)
    async with dialled(server) as peer:
        await peer.hello(welcome)
        told = [await peer.receive() for _ in range(3)]
    assert [type(message) for message in told] == [m.Image, m.Classes, m.Object]
    assert isinstance(told[1], m.Classes)
    assert [each.name for each in told[1].classes] == ["cat"]


async def test_a_list_without_a_picture_is_told_again_too(server: Server) -> None:
    async with dialled(server) as peer:
        welcome = await peer.hello()
        await peer.send(m.SetClasses(seq=peer.seq(), classes=tuple(LIST)))
        assert (await peer.expect(m.Classes)).last
    async with dialled(server) as peer:
        await peer.hello(welcome)
        assert [each.name for each in (await peer.expect(m.Classes)).classes] == LIST


async def test_the_command_takes_a_list_and_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.cli.segment.loaded", lambda _: FakeEngine())
    photo, listed, out = tmp_path / "cat.png", tmp_path / "classes.txt", tmp_path / "yolo.zip"
    photo.write_bytes(ONE)
    listed.write_text("\n".join(LIST))
    prompt = ["segment", str(photo), "--point", "80,60", "--out", str(out), "--classes", str(listed)]
    assert run([*prompt, "--name", "cat"]) == 0
    assert yolo_numbers(out.read_bytes()) == (dict(enumerate(LIST)), [1])
    assert run([*prompt, "--name", "mouse"]) == 1
    assert "'mouse', which isn't in the list of classes" in capsys.readouterr().err
    listed.write_text("cat\n\ndog")
    assert run([*prompt, "--name", "cat"]) == 1
    assert f"{listed}: line 2: a class without a name" in capsys.readouterr().err


async def test_the_command_takes_the_list_of_a_recipe_or_another_in_its_place(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.segment.loaded", lambda _: FakeEngine())
    photo, recipe, out, other = (tmp_path / name for name in ("cat.png", "cat.json", "yolo.zip", "data.yaml"))
    photo.write_bytes(ONE)
    async with connect(server.url) as session:
        await session.set_classes(LIST)
        await session.open(ONE)
        await session.click(80, 60, name="cat")
        recipe.write_bytes((await session.export("recipe")).data)
    replay = ["segment", str(photo), "--recipe", str(recipe), "--out", str(out)]
    assert run(replay) == 0
    assert yolo_numbers(out.read_bytes()) == (dict(enumerate(LIST)), [1])
    other.write_text("names: {1: cat, 0: bird, 2: eye}")
    assert run([*replay, "--classes", str(other)]) == 0
    assert yolo_numbers(out.read_bytes()) == ({0: "bird", 1: "cat", 2: "eye"}, [1])
