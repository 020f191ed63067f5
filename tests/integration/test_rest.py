"""The HTTP surface of FastSAM-Demo's backend: what its page and its documented commands send, and what they get."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest

from app.arrays import MaskArray
from app.errors import BusyError, EngineFailedError
from app.protocol.run_lengths import decode_mask
from app.service.encodes import MAX_PREPARED
from app.settings import Settings
from app.web import segment
from app.web.segment import MAX_BODY_BYTES
from tests.helpers.fake_engine import BEST, EMBEDDING_BYTES, SCORES, FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import DEADLINE_S, happened, opened, until, uploaded
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio

MASK_FIELDS = {"rle", "bbox", "score", "area"}


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=DEADLINE_S) as client:
        yield client


async def asked(http: httpx.AsyncClient, image_id: str, *points: tuple[float, float], **more: Any) -> dict[str, Any]:
    body = {"image_id": image_id, "points": [{"x": x, "y": y} for x, y in points], **more}
    response = await http.post("/api/segment", json=body)
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


def mask_of(reply: dict[str, Any]) -> MaskArray:
    """Return a reply's mask by the peer's own rule: counts of 0 and 1 in turn, beginning with 0, row by row."""
    counts, (height, width) = reply["rle"]["counts"], reply["rle"]["size"]
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width)


async def encoded(server: Server, count: int) -> None:
    """Wait until this many pictures are encoded and none is on its way."""
    await until(lambda: server.backend.store.stats().bytes == count * EMBEDDING_BYTES)


async def test_a_click_is_answered_as_the_peers_page_reads_it(server: Server, http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/health")).json()["status"] == "ok"
    sent = await http.post("/api/upload", files={"file": ("cat.png", png(160, 120), "image/png")})
    assert sent.json() == {"image_id": sent.json()["image_id"], "width": 160, "height": 120}
    point = {"x": 80, "y": 60, "label": 1}
    got = await http.post("/api/segment", json={"image_id": sent.json()["image_id"], "points": [point]})
    assert got.headers["content-type"] == "application/json"
    reply = got.json()
    assert set(reply) == {"masks", "image_id"}
    assert reply["image_id"] == sent.json()["image_id"]
    assert [set(mask) for mask in reply["masks"]] == [MASK_FIELDS] * 3
    assert [round(mask["score"], 3) for mask in reply["masks"]] == sorted(SCORES, reverse=True)


async def test_each_mask_says_of_itself_what_is_so(server: Server, http: httpx.AsyncClient) -> None:
    reply = await asked(http, await uploaded(server, png(160, 120)), (80, 60))
    for mask in reply["masks"]:
        drawn = mask_of(mask)
        rows, columns = np.nonzero(drawn)
        assert mask["rle"]["size"] == [120, 160]
        assert mask["bbox"] == [columns.min(), rows.min(), columns.max(), rows.max()]
        assert mask["area"] == drawn.sum() > 0
        assert drawn[60, 80]
        assert not drawn[0, 0]


async def test_a_mask_is_the_one_that_a_session_gets(server: Server, http: httpx.AsyncClient) -> None:
    reply = await asked(http, await uploaded(server, png(160, 120)), (80, 60))
    async with opened(server, png(160, 120)) as peer:
        made = await peer.click(80, 60)
    assert made.chosen == BEST
    np.testing.assert_array_equal(mask_of(reply["masks"][0]), decode_mask(made.masks[made.chosen]))


async def test_a_mask_has_the_size_of_a_picture_larger_than_any_mask_of_a_session(
    server: Server, http: httpx.AsyncClient
) -> None:
    image_id = await uploaded(server, png(3000, 1000))
    for mask in (await asked(http, image_id, (2900, 900)))["masks"]:
        drawn = mask_of(mask)
        assert drawn.shape == (1000, 3000)
        assert drawn[900, 2900]


async def test_a_picture_of_forty_megapixels_is_answered_at_its_size(server: Server, http: httpx.AsyncClient) -> None:
    image_id = await uploaded(server, png(8000, 5000, 200, "L"))
    reply = await asked(http, image_id, (7990, 10))
    assert [sum(mask["rle"]["counts"]) for mask in reply["masks"]] == [40_000_000] * 3
    assert mask_of(reply["masks"][0])[10, 7990]


async def test_a_point_off_the_object_takes_away(server: Server, http: httpx.AsyncClient) -> None:
    image_id = await uploaded(server, png(160, 120))
    points = [{"x": 80, "y": 60}, {"x": 90, "y": 60, "label": 0}]
    with_it = await http.post("/api/segment", json={"image_id": image_id, "points": points})
    assert mask_of((await asked(http, image_id, (80, 60)))["masks"][0])[60, 90]
    assert not mask_of(with_it.json()["masks"][0])[60, 90]


@pytest.mark.parametrize("more", [{}, {"points": []}, {"points": [{"x": 30, "y": 30}]}], ids=repr)
async def test_a_box_may_stand_alone_or_beside_points(
    server: Server, http: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    body = {"image_id": await uploaded(server, png(160, 120)), "box": [20, 20, 140, 100], **more}
    reply = await http.post("/api/segment", json=body)
    assert reply.status_code == 200
    assert mask_of(reply.json()["masks"][0])[90, 130]


async def test_fields_that_nobody_knows_are_passed_over(server: Server, http: httpx.AsyncClient) -> None:
    await asked(http, await uploaded(server, png()), (5, 5), multimask=True)


async def test_the_edge_of_the_picture_counts(server: Server, http: httpx.AsyncClient) -> None:
    assert mask_of((await asked(http, await uploaded(server, png(64, 48)), (64, 48)))["masks"][0])[47, 63]


# Encoding


async def test_a_picture_is_encoded_from_its_upload_on(server: Server, engine: FakeEngine) -> None:
    await uploaded(server, png())
    await encoded(server, 1)
    assert engine.encodes == 1


async def test_two_users_clicking_in_turn_on_two_pictures_never_cause_an_encode(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient
) -> None:
    pictures = [await uploaded(server, png(160, 120)), await uploaded(server, png(120, 160))]
    await encoded(server, 2)
    replies = [await asked(http, image_id, (50, 50)) for _ in range(10) for image_id in pictures]
    assert engine.encodes == 2
    assert replies[::2] == replies[:1] * 10
    assert replies[1::2] == replies[1:2] * 10
    assert replies[0]["masks"] != replies[1]["masks"]


async def test_a_picture_that_a_session_has_open_is_not_encoded_again(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient
) -> None:
    image_id = await uploaded(server, png())
    async with opened(server, png()) as peer:
        await peer.click(5, 5)
        await asked(http, image_id, (5, 5))
    assert engine.encodes == 1


async def test_a_click_that_comes_before_the_encode_is_done_waits_for_it(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient
) -> None:
    engine.encode_gate = threading.Event()
    image_id = await uploaded(server, png())
    await happened(engine.encoding)
    asking = asyncio.create_task(asked(http, image_id, (5, 5)))
    assert (await http.get("/healthz")).status_code == 200
    assert not asking.done()
    engine.encode_gate.set()
    assert (await asking)["masks"]
    assert engine.encodes == 1


async def test_a_picture_is_encoded_by_its_first_click_where_the_upload_could_not(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient
) -> None:
    engine.failures.append(EngineFailedError("out of memory"))
    image_id = await uploaded(server, png())
    await until(lambda: not engine.failures)
    assert (await asked(http, image_id, (5, 5)))["masks"]


async def test_uploads_beyond_a_few_wait_for_their_first_click(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient
) -> None:
    engine.encode_gate = threading.Event()
    pictures = [await uploaded(server, png(10 + number)) for number in range(MAX_PREPARED + 1)]
    engine.encode_gate.set()
    await encoded(server, MAX_PREPARED)
    assert engine.encodes == MAX_PREPARED
    await asked(http, pictures[-1], (5, 5))
    assert engine.encodes == MAX_PREPARED + 1


# Others meanwhile


async def test_drawing_a_reply_holds_up_neither_hovers_nor_the_server(
    server: Server, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate, written = threading.Event(), threading.Event(), segment.written

    def held(*arguments: Any) -> bytes:
        begun.set()
        assert gate.wait(DEADLINE_S)
        return written(*arguments)

    monkeypatch.setattr(segment, "written", held)
    image_id = await uploaded(server, png())
    async with opened(server, png()) as peer:
        asking = asyncio.create_task(asked(http, image_id, (5, 5)))
        await happened(begun)
        assert (await peer.hover(6, 6)).masks
        assert (await peer.click(6, 6)).masks
        assert (await http.get("/api/health")).status_code == 200
        assert not asking.done()
        gate.set()
        assert (await asking)["masks"]


async def test_a_reply_is_not_deflated_on_the_event_loop(server: Server, http: httpx.AsyncClient) -> None:
    body = {"image_id": await uploaded(server, png(640, 480)), "points": [{"x": 300, "y": 200}]}
    response = await http.post("/api/segment", json=body, headers={"accept-encoding": "gzip"})
    assert len(response.content) > 500
    assert "content-encoding" not in response.headers


# Mistakes


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Return status and code of an error, which must be worded as the peer's."""
    content = response.json()
    assert set(content) == {"detail"}
    assert {"code", "message"} <= set(content["detail"]) <= {"code", "message", "reason", "values"}
    assert isinstance(content["detail"]["message"], str)
    assert content["detail"]["message"]
    return response.status_code, content["detail"]["code"]


POINT = {"x": 5, "y": 5}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"points": []},
        {"points": None},
        {"points": "5,5"},
        {"points": {"x": 5, "y": 5}},
        {"points": [[5, 5]]},
        {"points": [{"x": 5}]},
        {"points": [{"x": "five", "y": 5}]},
        {"points": [{"x": True, "y": 5}]},
        {"points": [{"x": 5, "y": 5, "label": 2}]},
        {"points": [{"x": 5, "y": 5, "label": -1}]},
        {"points": [{"x": 64.5, "y": 5}]},
        {"points": [{"x": 5, "y": 48.5}]},
        {"points": [{"x": -1, "y": 5}]},
        {"points": [{"x": 1e300, "y": 5}]},
        {"points": [POINT] * 65},
        {"points": [POINT] * 5000},
        {"points": [{"x": math.nan, "y": 5}]},
        {"points": [{"x": math.inf, "y": 5}]},
        {"box": [20, 20, 10, 30]},
        {"box": [10, 10, 10, 30]},
        {"box": [10, 10, 100, 30]},
        {"box": [10, 10, 20]},
        {"box": [10, 10, math.nan, 30]},
        {"points": [POINT], "box": "all"},
        {"points": [{"x": 5, "y": 5, "lable": 0}]},
    ],
    ids=lambda more: json.dumps(more)[:50],
)
async def test_a_prompt_that_makes_no_sense_never_reaches_the_model(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    body = json.dumps({"image_id": await uploaded(server, png(64, 48)), **more})
    response = await http.post("/api/segment", content=body, headers={"content-type": "application/json"})
    assert code_of(response) == (400, "BAD_REQUEST")
    assert engine.decoded == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'{"points": [{"x": 5, "y": 5}]}',
        b'{"image_id": 7, "points": [{"x": 5, "y": 5}]}',
        b'{"image_id": "\xff"}',
        b'{"image_id": "a", "points": [{"x": NaN, "y": 5}]}',
        b'{"image_id": "a", "points": [{"x": 1e999, "y": 5}]}',
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"image_id=a&points=5",
    ],
    ids=lambda body: repr(body[:50]),
)
async def test_what_is_no_request_is_a_bad_one(server: Server, http: httpx.AsyncClient, body: bytes) -> None:
    response = await http.post("/api/segment", content=body, headers={"content-type": "application/json"})
    assert code_of(response) == (400, "BAD_REQUEST")


async def test_the_field_that_is_wrong_is_named(server: Server, http: httpx.AsyncClient) -> None:
    response = await http.post("/api/segment", json={"image_id": "a", "points": [{"x": 5, "y": "b"}]})
    told = "POST /api/segment can't be read: points[0].y: expected a number, got text"
    assert response.json()["detail"]["message"] == told


async def test_a_long_reason_is_cut(server: Server, http: httpx.AsyncClient) -> None:
    response = await http.post("/api/segment", json={"image_id": "x" * 100_000, "points": [POINT]})
    assert code_of(response) == (400, "BAD_REQUEST")
    assert len(response.content) < 500


async def test_an_endless_request_is_refused(server: Server, http: httpx.AsyncClient) -> None:
    response = await http.post("/api/segment", json={"image_id": "x" * MAX_BODY_BYTES, "points": [POINT]})
    assert code_of(response) == (413, "FILE_TOO_LARGE")
    assert f"/api/segment takes at most {MAX_BODY_BYTES} bytes" in response.json()["detail"]["message"]


@pytest.mark.parametrize("image_id", ["notexist", "", "0" * 32, "../../etc/passwd"])
async def test_an_unknown_picture_is_told(server: Server, http: httpx.AsyncClient, image_id: str) -> None:
    response = await http.post("/api/segment", json={"image_id": image_id, "points": [POINT]})
    assert code_of(response) == (404, "IMAGE_NOT_FOUND")


async def test_a_model_that_fails_costs_one_request(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient
) -> None:
    image_id = await uploaded(server, png())
    await encoded(server, 1)
    engine.failures.append(EngineFailedError("out of memory"))
    response = await http.post("/api/segment", json={"image_id": image_id, "points": [POINT]})
    assert code_of(response) == (500, "MODEL_ERROR")
    assert (await asked(http, image_id, (5, 5)))["masks"]


async def test_a_model_with_too_much_to_do_says_when_to_come_again(
    server: Server, engine: FakeEngine, http: httpx.AsyncClient
) -> None:
    image_id = await uploaded(server, png())
    await encoded(server, 1)
    engine.failures.append(BusyError("no room", retry_after_s=2.5))
    response = await http.post("/api/segment", json={"image_id": image_id, "points": [POINT]})
    assert code_of(response) == (503, "MODEL_NOT_READY")
    assert response.headers["retry-after"] == "3"


# Who may ask


async def test_a_script_needs_no_origin_and_another_page_is_refused(server: Server, http: httpx.AsyncClient) -> None:
    body = {"image_id": await uploaded(server, png()), "points": [POINT]}
    assert (await http.post("/api/segment", json=body)).status_code == 200
    for origin in ("http://evil.example", "null"):
        for site in ({}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
            response = await http.post("/api/segment", json=body, headers={"origin": origin, **site})
            assert code_of(response) == (403, "FORBIDDEN")


async def test_the_peers_page_gets_through_its_own_proxy(server: Server, http: httpx.AsyncClient) -> None:
    body = {"image_id": await uploaded(server, png()), "points": [POINT]}
    headers = {"origin": "http://localhost:3000", "x-forwarded-host": "localhost:3000"}
    assert (await http.post("/api/segment", json=body, headers=headers)).status_code == 403
    headers["sec-fetch-site"] = "same-origin"
    assert (await http.post("/api/segment", json=body, headers=headers)).status_code == 200


async def test_a_listed_page_may_ask_from_elsewhere_and_read_the_reply(engine: FakeEngine) -> None:
    page = "https://labels.example"
    server = await started(Settings(allowed_origins=(page,)), engine)
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=DEADLINE_S) as http:
        preflight = await http.options("/api/segment", headers={"origin": page, **asks})
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, page)
        body = {"image_id": await uploaded(server, png()), "points": [POINT]}
        response = await http.post("/api/segment", json=body, headers={"origin": page})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, page)
        evil = await http.options("/api/segment", headers={"origin": "https://evil.example", **asks})
        assert "access-control-allow-origin" not in evil.headers
    await server.stop()
