"""Label files and masks by hand, through a real socket and HTTP, to the pixel."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image as Pil

from app.client import connect
from app.errors import BadMessageError
from app.protocol.counts import counts_of
from app.protocol.recipe import MaskStep, StrokeStep
from tests.helpers.image_files import png
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio
TRIANGLE = np.tri(120, 160, dtype=np.bool_)


def pixels_of(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Pil.open(io.BytesIO(data))) > 0


async def test_a_file_goes_out_and_comes_in_again_and_what_does_not_fit_is_named(
    server: Server, tmp_path: Path
) -> None:
    (picture := tmp_path / "cat.png").write_bytes(png(160, 120))
    async with connect(server.url) as session:
        await session.open(picture)
        given = await session.give_mask(TRIANGLE, name="cat")
        assert np.array_equal(given.mask, TRIANGLE)
        await session.paint([(150, 5)], 4, object=given.id, name=None)
        await session.click(30, 30, name="dog")
        wanted = [each.mask for each in session.objects.values()]
        (labels := tmp_path / "cat.coco.json").write_bytes((await session.export("coco")).data)
        (recipe := tmp_path / "cat.recipe.json").write_bytes((await session.export("recipe")).data)
        for file in (labels, recipe):
            await session.clear()
            imported = await session.import_labels(file)
            assert (imported.problems, imported.left_out) == ((), 0)
            assert [each.name for each in imported.objects] == ["cat", "dog"]
            assert all(np.array_equal(a.mask, b) for a, b in zip(imported.objects, wanted, strict=True))
        await session.undo()
        assert len(session.objects) == 0, "an import is one step"
        # A smart dab far from something small: the model's disc there is no part of it, the painted pixels are.
        (small := np.zeros_like(TRIANGLE))[5:13, 5:13] = True
        speck = await session.give_mask(small)
        dabbed = await session.paint([(120, 90)], 2, object=speck.id, smart=True)
        assert [type(step) for step in dabbed.trail] == [MaskStep, StrokeStep]
        assert (dabbed.mask & small).sum() == small.sum() == dabbed.mask.sum() - 12
        await session.undo()
        await session.undo()
        (lines := tmp_path / "cat.txt").write_text("1 .5 .5 .2 .2\n1 .1\n0 .1 .1 .9 .1 .9 .9\n")
        imported = await session.import_labels(lines)
        assert [each.name for each in imported.objects] == ["dog", "cat"]
        assert [problem.where for problem in imported.problems] == ["line 2"]
        with pytest.raises(BadMessageError, match="expected COCO, LabelMe"):
            await session.import_labels(picture.with_name("cat.png").rename(tmp_path / "cat.bin"))
    async with httpx.AsyncClient(base_url=server.url) as http:
        [image_id] = {json.loads(recipe.read_text())["image_id"]}
        mask = {"size": [120, 160], "counts": counts_of(TRIANGLE)}
        trail = [{"t": "mask", **mask}, {"t": "stroke", "path": [[150, 5]], "radius": 4, "label": 1}]
        body = {"image_id": image_id, "format": "mask", "objects": [{"trail": trail}]}
        exported = await http.post("/api/export", json=body)
        expected = TRIANGLE.copy()
        y, x = np.mgrid[:120, :160] + 0.5
        expected |= np.hypot(x - 150, y - 5) <= 4
        assert np.array_equal(pixels_of(exported.content), expected)
        sharp = await http.post("/api/segment", json={"image_id": image_id, "mask": mask})
        assert len(sharp.json()["masks"]) == 3
        wrongs: list[dict[str, Any]] = [{"trail": trail, "box": [1, 1, 2, 2]}, {"trail": []}]
        for wrong in wrongs:
            assert (await http.post("/api/export", json={**body, "objects": [wrong]})).status_code == 400
