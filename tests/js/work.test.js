import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_RECIPE_BYTES, nextColorOf, readRecipe, Work } from "../../static/js/work.js";
import { objectState } from "./values.js";

/** @import { ObjectState } from "../../static/js/state.js" */

const PICTURE = { imageId: "a", name: "cat.jpg", width: 90, height: 60 };

/** @param {number} id @param {...number} xs @returns {ObjectState} */
function item(id, ...xs) {
  return objectState({ id, name: "", color: id - 1, trail: xs.map((x) => ({ t: "point", x, y: 1 })) });
}

/** @param {Work} work @param {string} kind @param {ObjectState[]} items @param {{ canUndo?: boolean, canRedo?: boolean }} [told] */
function done(work, kind, items, { canUndo = true, canRedo = true } = {}) {
  work.settle(kind, new Map(items.map((one) => [one.id, one])), canUndo, canRedo);
}

/** @param {Work} work */
function counts(work) {
  const { past, future } = work.recipe(PICTURE, "nano");
  return [past?.length, future?.length];
}

test("a recipe has the objects and the steps to either side, the nearest last", () => {
  const work = new Work();
  done(work, "click", [item(1, 5)]);
  done(work, "click", [item(1, 5), item(2, 7)]);
  done(work, "move", [item(1, 6), item(2, 7)]);
  done(work, "undo", [item(1, 5), item(2, 7)]);
  const recipe = work.recipe(PICTURE, "tiny");
  assert.deepEqual([recipe.image_id, recipe.name, recipe.model], ["a", "cat.jpg", "tiny"]);
  assert.deepEqual(recipe.objects?.map(({ id }) => id), [1, 2]);
  assert.deepEqual(recipe.past, [{ objects: [], gone: [1] }, { objects: [], gone: [2] }]);
  assert.deepEqual(recipe.future?.map(({ objects }) => objects?.[0]?.trail), [[{ t: "point", x: 6, y: 1 }]]);
});

test("what changes nothing is no step", () => {
  const work = new Work();
  done(work, "click", [item(1, 5)]);
  done(work, "label", [item(1, 5)]);
  done(work, "undo", [item(1, 5)]);
  assert.deepEqual(counts(work), [1, 0]);
});

test("a change forgets what was undone, and another picture everything", () => {
  const work = new Work();
  done(work, "click", [item(1, 5)]);
  done(work, "undo", []);
  assert.deepEqual(counts(work), [0, 1]);
  done(work, "click", [item(2, 5)]);
  assert.deepEqual(counts(work), [1, 0]);
  work.begin(new Map());
  assert.deepEqual(counts(work), [0, 0]);
});

test("steps that were lost together are undone one by one", () => {
  const work = new Work();
  done(work, "click", [item(1, 5)]);
  done(work, "resume", [item(1, 5), item(2, 5), item(3, 5)]);
  done(work, "undo", [item(1, 5), item(2, 5)]);
  assert.deepEqual(counts(work), [2, 1]);
  done(work, "undo", [item(1, 5)]);
  assert.deepEqual(counts(work), [1, 2]);
  done(work, "undo", [], { canUndo: false });
  assert.deepEqual(counts(work), [0, 3]);
});

test("what was kept is taken up, to the same recipe", () => {
  const work = new Work();
  done(work, "click", [item(1, 5)]);
  done(work, "click", [item(1, 5), item(2, 7)]);
  done(work, "delete", [item(2, 7)]);
  done(work, "undo", [item(1, 5), item(2, 7)]);
  const recipe = work.recipe(PICTURE, "nano");
  const again = new Work();
  again.adopt(JSON.parse(JSON.stringify(recipe)));
  assert.deepEqual(again.recipe(PICTURE, "nano"), recipe);
  assert.equal(nextColorOf(recipe), 2);
});

test("the farthest undo steps are left out where there is no room", () => {
  const work = new Work();
  for (let count = 1; count <= 500; count += 1) done(work, "click", [item(1, ...Array.from({ length: count % 60 }, (_, x) => x + count / 7))]);
  const recipe = work.recipe(PICTURE, "nano");
  const length = new TextEncoder().encode(JSON.stringify(recipe)).length;
  assert.ok((recipe.past?.length ?? 0) > 50 && (recipe.past?.length ?? 0) < 499);
  assert.ok(length <= MAX_RECIPE_BYTES * 1.01);
});

test("what was kept by another version is no recipe", () => {
  for (const value of [null, {}, [], "x", { format: "hoversam-recipe", version: 2, image_id: "a", objects: [] }]) assert.equal(readRecipe(value), null);
});
