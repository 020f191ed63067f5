import assert from "node:assert/strict";
import { test } from "node:test";
import { boxBetween, clampToImage, fill, fit, isInside, keepInSight, panBy, reveal, toImage, toScreen, zoomAt } from "../../static/js/model/viewport.js";

const image = { width: 600, height: 400 };
const canvas = { width: 1000, height: 500 };

/** @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b */
function assertSamePoint(a, b) {
  assert.ok(Math.hypot(a.x - b.x, a.y - b.y) < 1e-6, `${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
}

test("toImage undoes toScreen after any zooms and pans", () => {
  let view = fit(image, canvas);
  for (let i = 0; i < 500; i += 1) {
    view = zoomAt(view, { x: (i * 37) % 1000, y: (i * 91) % 500 }, 0.6 + (i % 9) / 10, 0.05);
    view = keepInSight(panBy(view, (i % 13) - 6, (i % 7) - 3), image, canvas);
    const point = { x: (i * 53) % 600, y: (i * 29) % 400 };
    assertSamePoint(toImage(view, toScreen(view, point)), point);
  }
});

test("fit shows the whole image, centred", () => {
  const view = fit(image, canvas);
  const from = toScreen(view, { x: 0, y: 0 });
  const to = toScreen(view, { x: 600, y: 400 });
  assert.ok(from.x >= 0 && from.y >= 0 && to.x <= 1000 && to.y <= 500);
  assertSamePoint({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }, { x: 500, y: 250 });
});

test("zooming keeps the image point under the pointer", () => {
  const view = fit(image, canvas);
  const at = { x: 321, y: 123 };
  assertSamePoint(toImage(zoomAt(view, at, 2.5, 0.1), at), toImage(view, at));
});

test("a point that is revealed is well on the canvas, and one that was is left where it is", () => {
  const view = zoomAt(fit(image, canvas), { x: 500, y: 250 }, 12, 0.1);
  for (const point of [{ x: 0, y: 0 }, { x: 600, y: 400 }, { x: 599, y: 3 }]) {
    const at = toScreen(reveal(view, point, canvas), point);
    assert.ok(at.x >= 20 && at.x <= 980 && at.y >= 20 && at.y <= 480, JSON.stringify(at));
  }
  assert.deepEqual(reveal(view, { x: 300, y: 200 }, canvas), view);
});

test("zoom stops at its bounds", () => {
  const view = fit(image, canvas);
  assert.equal(zoomAt(view, { x: 0, y: 0 }, 1e9, 0.1).scale, 40);
  assert.equal(zoomAt(view, { x: 0, y: 0 }, 1e-9, 0.1).scale, 0.1);
});

test("a part of the image stays in sight", () => {
  const view = keepInSight(panBy(fit(image, canvas), 1e6, -1e6), image, canvas);
  const from = toScreen(view, { x: 0, y: 0 });
  const to = toScreen(view, { x: 600, y: 400 });
  assert.ok(from.x < 1000 && to.y > 0);
});

test("inside includes the borders, clamp leads there", () => {
  assert.equal(isInside({ x: 600, y: 400 }, image), true);
  assert.equal(isInside({ x: -0.1, y: 0 }, image), false);
  assert.deepEqual(clampToImage({ x: -5, y: 999 }, image), { x: 0, y: 400 });
});

test("a box has its corners in order whichever way it is drawn, and ends at the image", () => {
  assert.deepEqual(boxBetween({ x: 700, y: 300 }, { x: 100, y: -20 }, image), [100, 0, 600, 300]);
  assert.equal(boxBetween({ x: 700, y: 300 }, { x: 800, y: 350 }, image), null);
});

test("a panorama fills the height, in the middle, and a tower the width", () => {
  const canvas = { width: 400, height: 300 };
  for (const image of [{ width: 6000, height: 300 }, { width: 300, height: 6000 }]) {
    const view = fill(image, canvas);
    const [across, down] = [image.width * view.scale, image.height * view.scale];
    assert.ok(Math.min(across / canvas.width, down / canvas.height) > 0.9);
    assert.deepEqual(toImage(view, { x: 200, y: 150 }), { x: image.width / 2, y: image.height / 2 });
    assert.ok(fit(image, canvas).scale < view.scale);
  }
});
