import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { freeRegions, nextStop, regionAt, standIn } from "../../static/js/model/regions.js";
import { Store } from "../../static/js/model/store.js";
import { fromRows, maskOfArea, objectState } from "./values.js";

/** @import { Region } from "../../static/js/wire/messages.ts" */

/** The one that the model is surest of, and a smaller one inside of it. @type {Region[]} */
const [LEFT, RIGHT, CORNER] = [
  { mask: fromRows(["1100"], 20), x: 0.5, y: 0.5, candidate: 1 },
  { mask: fromRows(["0011"], 40), x: 2.5, y: 0.5, candidate: 0 },
  { mask: fromRows(["1000"], 5), x: 0.2, y: 0.5, candidate: 2 },
];
/** @type {Store} */
let store;

beforeEach(() => {
  const picture = { name: "a", file: new Blob([]), bitmap: null, width: 4, height: 1, imageId: "i", encodeMs: 0, cached: false };
  store = new Store({ picture }, () => {});
  store.find([LEFT, RIGHT, CORNER]);
});

/** @param {number} x */
const pointAt = (x) => store.aim({ does: "new" }, { x, y: 0.5 });
const preview = (/** @type {string[]} */ rows) => (
  { t: /** @type {const} */ ("preview"), seq: 5, x: 0, y: 0, best: 0, masks: [fromRows(rows)] }
);

test("of several regions at a place the one that the model is surest of is meant", () => {
  assert.equal(regionAt(store.state, { x: 0.5, y: 0.5 }), LEFT);
  assert.equal(regionAt(store.state, { x: 3.5, y: 0.5 }), RIGHT);
  store.find([CORNER]);
  assert.equal(regionAt(store.state, { x: 3.5, y: 0.5 }), null);
});

test("the region under the pointer is outlined until the answer to the hover lights up what is there", () => {
  pointAt(0.5);
  assert.equal(standIn(store.state), LEFT);
  store.preview(preview(["1110"]), 1);
  assert.equal(standIn(store.state), null);
  pointAt(3.5);
  assert.equal(standIn(store.state), RIGHT, "what is lit is of another place");
  store.aim(null);
  assert.equal(standIn(store.state), null);
});

test("a region that is found while the pointer rests is outlined at once", () => {
  store.find([]);
  pointAt(2.5);
  assert.equal(standIn(store.state), null);
  store.find([RIGHT]);
  assert.equal(standIn(store.state), RIGHT);
});

test("where a click gives no new object nothing is outlined", () => {
  store.aim({ does: "select", object: 1 }, { x: 0.5, y: 0.5 });
  assert.equal(standIn(store.state), null);
});

test("Tab goes through the objects, then through the regions without one, the largest first, and ends", () => {
  store.put({ t: "object", seq: 1, can_undo: true, can_redo: false, ...objectState({ masks: [fromRows(["1000"])] }) });
  assert.deepEqual(freeRegions(store.state), [RIGHT], "the object lies on the points of the others");
  store.find([{ ...LEFT, x: 1.5 }, RIGHT, CORNER]);
  const stops = [];
  for (let stop = nextStop(store.state, 1); stop; stop = nextStop(store.state, 1)) {
    stops.push("object" in stop ? stop.object : stop.region.mask.area);
    if ("object" in stop) store.pointAt(stop.object, true);
    else store.walkTo(stop.region);
  }
  assert.deepEqual(stops, [1, 40, 20]);
  assert.deepEqual(nextStop(store.state, -1), { region: RIGHT });
  store.walkTo(RIGHT);
  assert.deepEqual(nextStop(store.state, -1), { object: 1 });
});

test("who walks stays where he is when more is found, unless that is gone", () => {
  store.walkTo(RIGHT);
  const again = { ...RIGHT, mask: fromRows(["0011"], 40) };
  store.find([CORNER, again]);
  assert.equal(store.state.walkedRegion, again);
  store.find([CORNER, { ...again, mask: { ...again.mask, window: [0, 0, 2, 1] } }]);
  assert.equal(store.state.walkedRegion, null);
});

test("another picture, or another model's look at this one, has other regions", () => {
  store.walkTo(LEFT);
  const image = { t: /** @type {const} */ ("image"), seq: 9, image_id: "i", width: 4, height: 1, model: "tiny", cached: true, encode_ms: 1 };
  assert.ok(store.opened(image, false));
  assert.deepEqual([store.state.regions, store.state.walkedRegion, store.state.underPointer], [[], null, null]);
});

test("an object without a mask hides no region", () => {
  store.put({ t: "object", seq: 1, can_undo: true, can_redo: false, ...objectState({ masks: [maskOfArea(0)] }) });
  assert.equal(freeRegions({ ...store.state, hidden: new Set([1]) }).length, 3);
});
