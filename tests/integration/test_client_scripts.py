"""Scripts and swarms against a real server: recorded, replayed, and in numbers."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from app.cli import script
from app.cli.player import Outcome, play
from app.cli.script_line import read_script
from app.cli.swarm import Plan, swarm
from app.client import Timeouts, connect
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.protocol_server import unused_url
from tests.helpers.server import Server, started
from tests.helpers.tour import told, tour

pytestmark = pytest.mark.anyio

EVERYTHING = """
{"t": "open", "picture": "photo.png"}
{"t": "hover", "x": 80, "y": 60}
{"t": "leave"}
{"t": "click", "x": 80, "y": 60, "as": "cup"}
{"t": "choose", "object": "cup", "candidate": 2}
{"t": "click", "x": 20, "y": 20, "object": "cup"}
{"t": "box", "box": [100, 10, 150, 50], "as": "plate"}
{"t": "label", "object": "plate", "name": "Plate"}
{"t": "classes", "classes": ["Plate", {"name": "Cup", "color": 3}]}
{"t": "rename", "name": "Plate", "to": "Dish"}
{"t": "move", "object": "cup", "point": 1, "x": 20, "y": 100}
{"t": "unpoint", "object": "cup", "point": 0}
{"t": "delete", "object": "plate"}
{"t": "undo"}
{"t": "redo"}
{"t": "clear"}
{"t": "ping"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(png(160, 120))
    return tmp_path


async def played(server: Server, text: str, folder: Path) -> list[Outcome]:
    async with connect(server.url) as session:
        return [outcome async for outcome in play(session, read_script(text.splitlines()), folder)]


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    script.add_arguments(parser)
    return parser.parse_args(list(arguments))


async def test_every_line_of_a_script_is_answered(server: Server, folder: Path) -> None:
    outcomes = await played(server, EVERYTHING, folder)
    assert [outcome.line for outcome in outcomes if outcome.code] == []
    assert len(outcomes) == 17
    assert "object 1 'Object 1', 1 points" in outcomes[3].text


async def test_a_line_that_fails_has_the_servers_code(server: Server, folder: Path) -> None:
    text = '{"t": "click", "x": 1, "y": 1}\n{"t": "open", "picture": "none.png"}\n{"t": "delete", "object": "cup"}'
    assert [outcome.code for outcome in await played(server, text, folder)] == [
        "no_image", "FileNotFoundError", "unknown_object"
    ]  # fmt: skip


async def test_a_file_that_can_not_be_written_fails_its_line_alone(server: Server, folder: Path) -> None:
    text = """
    {"t": "open", "picture": "photo.png"}
    {"t": "click", "x": 80, "y": 60}
    {"t": "export", "format": "coco", "out": "missing/cup.json"}
    {"t": "ping"}
    """
    codes = [outcome.code for outcome in await played(server, text, folder)]
    assert codes == [None, None, "FileNotFoundError", None]


async def test_a_script_keeps_its_own_time(server: Server, folder: Path) -> None:
    async with connect(server.url) as session:
        loop = asyncio.get_running_loop()
        began = loop.time()
        steps = read_script(['{"at": 0.2, "t": "ping"}'])
        [_] = [outcome async for outcome in play(session, steps, folder)]
        assert loop.time() - began >= 0.2


@pytest.mark.parametrize("as_bytes", [True, False])
async def test_a_recorded_session_replays_to_the_same_masks(server: Server, folder: Path, as_bytes: bool) -> None:
    record = folder / "session.jsonl"
    async with connect(server.url, record=record) as session:
        await tour(session)
        if not as_bytes:
            await session.open(folder / "photo.png")
            await session.click(30, 30)
        await session.preview(5, 5)
        recorded = [each[1:] for each in told(session.objects).values()]
    async with connect(server.url) as again:
        steps = read_script(record.read_text().splitlines())
        outcomes = [outcome async for outcome in play(again, steps, folder, paced=False)]
        assert [outcome.line for outcome in outcomes if outcome.code] == []
        assert [each[1:] for each in told(again.objects).values()] == recorded


async def test_where_a_recorded_session_looked_and_how_its_files_were_made_is_replayed(
    server: Server, folder: Path
) -> None:
    record = folder / "session.jsonl"
    async with connect(server.url, record=record) as session:
        await session.open(png(640, 480))
        window = await session.look((300, 200, 380, 280))
        made = [await session.click(340, 240)]
        assert await session.look() is None
        made.append(await session.click(100, 400))
        assert [each.masks[each.chosen].window for each in made] == [window, None]
        await session.export("cutout", trim=True)
        await session.regions()
    outcomes = await played(server, record.read_text(), folder)
    assert [outcome.line for outcome in outcomes if outcome.code] == []
    texts = [outcome.text for outcome in outcomes]
    assert window is not None
    assert texts[1] == f"sharp in {','.join(map(str, window))}"
    assert texts[3] == "all of the picture"
    areas = [each.masks[each.chosen].area for each in made]
    assert [f", {area} px," in text for area, text in zip(areas, texts[2:5:2], strict=True)] == [True, True]
    assert texts[-1].endswith(" things")


async def test_the_command_stops_at_the_first_failure_unless_it_is_to_go_on(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "script.jsonl"
    file.write_text('{"t": "undo"}\n{"t": "ping"}\n')
    assert await asyncio.to_thread(script.main, options(str(file), "--url", server.url)) == 1
    assert "0 of 2 lines were answered" in capsys.readouterr().out
    going_on = options(str(file), "--url", server.url, "--keep-going", "--json")
    assert await asyncio.to_thread(script.main, going_on) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["error"], second["t"]) == ("no_image", "ping")


def test_the_command_without_a_server_or_a_readable_script_is_a_wrong_use(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "script.jsonl"
    file.write_text('{"t": "ping"}\n')
    assert script.main(options(str(file), "--url", unused_url())) == 2
    assert "start one with ./start.sh" in capsys.readouterr().err
    file.write_text("dance\n")
    assert script.main(options(str(file))) == 2
    assert "line 1" in capsys.readouterr().err
    assert script.main(options(str(folder / "missing.jsonl"))) == 2


async def test_a_swarm_sees_answers_in_every_session(server: Server) -> None:
    plan = Plan((png(160, 120), png(80, 60)), sessions=4, rate_hz=20.0, duration_s=1.0, click_every_s=0.7)
    ticks: list[float] = []
    report = await swarm(server.url, plan, ticks.append)
    assert report.errors == {}
    assert report.clean
    assert report.sessions == 4
    assert report.hover.count > 0
    assert report.replies_per_s_least > 0
    assert report.hover.count + report.drops == report.hovers
    assert ticks
    assert server.engine.encodes == 2
    assert json.loads(json.dumps(report.as_json()))["hover"]["p95_ms"] == report.hover.p95_ms


async def test_a_swarm_counts_errors_by_their_code_and_goes_on(engine: FakeEngine) -> None:
    server = await started(Settings(max_sessions=2), engine)
    plan = Plan((png(),), sessions=3, rate_hz=10.0, duration_s=0.5, timeouts=Timeouts(busy_s=0))
    report = await swarm(server.url, plan)
    assert report.errors == {"busy": 1}
    assert report.hover.count > 0
    await server.stop()


async def test_a_swarm_without_a_server_says_so() -> None:
    with pytest.raises(ConnectionRefusedError):
        await swarm(unused_url(), Plan((png(),), sessions=2))
