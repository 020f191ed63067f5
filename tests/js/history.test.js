import assert from "node:assert/strict";
import { test } from "node:test";
import "./english.js";
import { MAX_RECIPE_BYTES, nextColorOf, readRecipe, History } from "../../static/js/model/history.js";
import { objectState } from "./values.js";

/** @import { ObjectState } from "../../static/js/model/types.ts" */

const PICTURE = { imageId: "a", name: "cat.jpg", width: 90, height: 60 };

/** @param {number} id @param {...number} xs @returns {ObjectState} */
function item(id, ...xs) {
  return objectState({ id, name: "", color: id - 1, trail: xs.map((x) => ({ t: "point", x, y: 1 })) });
}

/** @param {History} history @param {string} kind @param {ObjectState[]} items @param {{ canUndo?: boolean, canRedo?: boolean }} [told] */
function done(history, kind, items, { canUndo = true, canRedo = true } = {}, classes = classesOf()) {
  history.settle(kind, { objects: new Map(items.map((one) => [one.id, one])), classes }, canUndo, canRedo);
}

/** @param {...string} names */
function classesOf(...names) {
  return names.map((name, color) => ({ name, color }));
}

/** @param {History} history */
function counts(history) {
  const { past, future } = history.recipe(PICTURE, "nano");
  return [past?.length, future?.length];
}

test("a recipe has the objects and the steps to either side, the nearest last", () => {
  const history = new History();
  done(history, "click", [item(1, 5)]);
  done(history, "click", [item(1, 5), item(2, 7)]);
  done(history, "move", [item(1, 6), item(2, 7)]);
  done(history, "undo", [item(1, 5), item(2, 7)]);
  const recipe = history.recipe(PICTURE, "tiny");
  assert.deepEqual([recipe.image_id, recipe.name, recipe.model], ["a", "cat.jpg", "tiny"]);
  assert.deepEqual(recipe.objects?.map(({ id }) => id), [1, 2]);
  assert.deepEqual(recipe.past, [{ objects: [], gone: [1] }, { objects: [], gone: [2] }]);
  assert.deepEqual(recipe.future?.map(({ objects }) => objects?.[0]?.trail), [[{ t: "point", x: 6, y: 1 }]]);
});

test("a recipe has the classes, and the list that each step brings back", () => {
  const history = new History();
  done(history, "classes", [], {}, classesOf("cat"));
  done(history, "label", [item(1, 5)], {}, classesOf("cat", "dog"));
  done(history, "delete", [], {}, classesOf("cat", "dog"));
  done(history, "undo", [item(1, 5)], {}, classesOf("cat", "dog"));
  const recipe = history.recipe(PICTURE, "nano");
  assert.deepEqual(recipe.classes, classesOf("cat", "dog"));
  assert.deepEqual(recipe.past?.map(({ classes }) => classes), [[], classesOf("cat")]);
  assert.deepEqual(recipe.future?.map(({ classes }) => classes), [undefined]);
  const again = new History();
  again.adopt(recipe);
  assert.deepEqual(again.recipe(PICTURE, "nano"), recipe);
});

test("what changes nothing is no step", () => {
  const history = new History();
  done(history, "click", [item(1, 5)]);
  done(history, "label", [item(1, 5)]);
  done(history, "undo", [item(1, 5)]);
  assert.deepEqual(counts(history), [1, 0]);
});

test("a change forgets what was undone, and another picture everything", () => {
  const history = new History();
  done(history, "click", [item(1, 5)]);
  done(history, "undo", []);
  assert.deepEqual(counts(history), [0, 1]);
  done(history, "click", [item(2, 5)]);
  assert.deepEqual(counts(history), [1, 0]);
  history.begin({ objects: new Map(), classes: [] });
  assert.deepEqual(counts(history), [0, 0]);
});

test("steps that were lost together are undone one by one", () => {
  const history = new History();
  done(history, "click", [item(1, 5)]);
  done(history, "resume", [item(1, 5), item(2, 5), item(3, 5)]);
  done(history, "undo", [item(1, 5), item(2, 5)]);
  assert.deepEqual(counts(history), [2, 1]);
  done(history, "undo", [item(1, 5)]);
  assert.deepEqual(counts(history), [1, 2]);
  done(history, "undo", [], { canUndo: false });
  assert.deepEqual(counts(history), [0, 3]);
});

test("what was kept is taken up, to the same recipe", () => {
  const history = new History();
  done(history, "click", [item(1, 5)]);
  done(history, "click", [item(1, 5), item(2, 7)]);
  done(history, "delete", [item(2, 7)]);
  done(history, "undo", [item(1, 5), item(2, 7)]);
  const recipe = history.recipe(PICTURE, "nano");
  const again = new History();
  again.adopt(JSON.parse(JSON.stringify(recipe)));
  assert.deepEqual(again.recipe(PICTURE, "nano"), recipe);
  assert.equal(nextColorOf(recipe), 2);
});

test("the farthest undo steps are left out where there is no room", () => {
  const history = new History();
  for (let count = 1; count <= 500; count += 1) done(history, "click", [item(1, ...Array.from({ length: count % 60 }, (_, x) => x + count / 7))]);
  const recipe = history.recipe(PICTURE, "nano");
  const length = new TextEncoder().encode(JSON.stringify(recipe)).length;
  assert.ok((recipe.past?.length ?? 0) > 50 && (recipe.past?.length ?? 0) < 499);
  assert.ok(length <= MAX_RECIPE_BYTES * 1.01);
});

test("what was kept by another version is no recipe", () => {
  for (const value of [null, {}, [], "x", { format: "hoversam-recipe", version: 2, image_id: "a", objects: [] }]) assert.equal(readRecipe(value), null);
});
