import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { aimAt, questionOf, toolOf } from "../../static/js/model/aim.js";
import { initialState, shownPreview } from "../../static/js/model/state.js";
import { fromRows, objectState } from "./values.js";

/** @typedef {import("../../static/js/model/types.ts").Tool} Tool */

/** @type {import("../../static/js/model/types.ts").Fields} */
let state;
const GROUND = 3.5;
const ON_BIG = 1.5;
const ON_SMALL = 0.5;

beforeEach(() => {
  state = initialState({
    picture: { name: "a", file: new Blob([]), bitmap: null, width: 4, height: 1, imageId: "i", encodeMs: 0, cached: false },
    objects: new Map([
      [1, objectState({ id: 1, masks: [fromRows(["1000"])], points: [[0.5, 0.5, 1]] })],
      [2, objectState({ id: 2, masks: [fromRows(["1110"])], points: [[1.9, 0.5, 1], [2.5, 0.5, 0]] })],
    ]),
  });
});

/** @param {number} x @param {Tool} tool @param {boolean} [onTop] */
const aim = (x, tool, onTop = false) => aimAt(state, { point: { x, y: 0.5 }, tool, reach: 0.2, onTop });

test("New makes an object of what is new, and selects an object that is there", () => {
  assert.deepEqual(aim(GROUND, "new"), { does: "new" });
  assert.deepEqual(aim(ON_BIG, "new"), { does: "select", object: 2 });
  assert.deepEqual(aim(ON_SMALL, "new"), { does: "select", object: 1 });
  state.active = 2;
  assert.deepEqual(aim(ON_BIG, "new"), { does: "select", object: 2 }, "the selected one stays selected: no double of it");
});

test("New on top makes an object wherever it is, also on one's own point", () => {
  state.active = 2;
  assert.deepEqual(aim(ON_BIG, "new", true), { does: "new" });
  assert.deepEqual(aim(1.9, "new", true), { does: "new" });
});

test("a point of one's own that is hidden isn't met", () => {
  state.active = 2;
  assert.deepEqual(aim(1.9, "new"), { does: "point", object: 2, point: 0 });
  state.hidden = new Set([2]);
  assert.deepEqual(aim(1.9, "new"), { does: "new" });
});

test("what is hidden isn't met", () => {
  state.hidden = new Set([2]);
  assert.deepEqual(aim(ON_BIG, "new"), { does: "new" });
});

test("one's own point is selected by every tool, the nearest of them", () => {
  state.active = 2;
  for (const tool of /** @type {Tool[]} */ (["new", "add", "remove"])) assert.deepEqual(aim(2.45, tool), { does: "point", object: 2, point: 1 });
  assert.notEqual(aim(ON_SMALL, "new").does, "point", "a point of another object is none of it");
});

test("Add and Remove change the selected object, wherever they click", () => {
  state.active = 1;
  assert.deepEqual([aim(ON_BIG, "add"), aim(GROUND, "remove")], [{ does: "add", object: 1 }, { does: "remove", object: 1 }]);
});

test("with nothing selected they change the object that is there, Add makes one elsewhere, Remove has nothing to do", () => {
  assert.deepEqual([aim(ON_BIG, "add"), aim(ON_BIG, "remove")], [{ does: "add", object: 2 }, { does: "remove", object: 2 }]);
  assert.deepEqual([aim(GROUND, "add"), aim(GROUND, "remove")], [{ does: "new" }, { does: "nothing" }]);
});

test("Shift adds, Alt and the right button remove, whichever tool is up", () => {
  assert.equal(toolOf("new", { adds: true, removes: false }), "add");
  assert.equal(toolOf("remove", { adds: true, removes: false }), "add");
  assert.equal(toolOf("add", { adds: true, removes: true }), "remove");
  assert.equal(toolOf("remove", { adds: false, removes: false }), "remove");
});

test("a preview is shown only where it is of what the click would give", () => {
  const masks = [fromRows(["1"])];
  const preview = { seq: 1, x: 0, y: 0, masks, best: 0 };
  /** @param {import("../../static/js/model/types.ts").Aim} aim @param {0 | 1} label @param {number | null} object */
  const shows = (aim, label, object) => {
    state.aim = aim;
    state.preview = { ...preview, label, object };
    return shownPreview(state) !== null;
  };
  assert.ok(shows({ does: "new" }, 1, null));
  assert.ok(!shows({ does: "new" }, 1, 2));
  assert.ok(!shows({ does: "select", object: 2 }, 1, null));
  assert.ok(shows({ does: "add", object: 2 }, 1, 2));
  assert.ok(!shows({ does: "remove", object: 2 }, 1, 2), "the modifier has changed since it was asked");
  assert.ok(!shows({ does: "add", object: 1 }, 1, 2));
  assert.equal(questionOf({ does: "select", object: 1 }), null);
});
