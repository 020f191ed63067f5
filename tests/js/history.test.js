import assert from "node:assert/strict";
import { test } from "node:test";
import { History, promptsOf } from "../../static/js/history.js";
import { readRecipe, recipeOf } from "../../static/js/recipe.js";
import { initialState } from "../../static/js/state.js";
import { Steps } from "../../static/js/steps.js";
import { maskOfArea, objectState } from "./values.js";

/** @import { Point, Request } from "../../static/js/protocol.js" */
/** @import { ObjectState } from "../../static/js/state.js" */

const THREE = [maskOfArea(10), maskOfArea(20), maskOfArea(30)];

/** A history of one object: each request with what it made. @param {[Request, Partial<ObjectState>][]} versions */
function played(versions) {
  const history = new History();
  /** @type {ObjectState | undefined} */
  let before;
  const seen = versions.map(([request, fields]) => {
    const after = objectState(fields);
    history.note(before, request, after);
    before = after;
    return after;
  });
  return { history, seen };
}

/** @type {[Request, Partial<ObjectState>][]} */
const STORY = [
  [{ t: "click", x: 1, y: 1, label: 1 }, { points: [[1, 1, 1]], masks: THREE, chosen: 1 }],
  [{ t: "choose", object: 1, candidate: 2 }, { points: [[1, 1, 1]], masks: THREE, chosen: 2 }],
  [{ t: "click", x: 5, y: 1, label: 0, object: 1 }, { points: [[1, 1, 1], [5, 1, 0]], masks: [maskOfArea(25)] }],
  [{ t: "box", box: [0, 0, 9, 9], object: 1 }, { points: [[1, 1, 1], [5, 1, 0]], box: [0, 0, 9, 9], masks: [maskOfArea(26)] }],
  [{ t: "move", object: 1, point: 1, x: 6, y: 2 }, { points: [[1, 1, 1], [6, 2, 0]], box: [0, 0, 9, 9], masks: [maskOfArea(27)] }],
];

test("an object's steps are its prompts and choices in the order in which they were made", () => {
  const { history, seen } = played(STORY);
  assert.deepEqual(history.stepsOf(/** @type {ObjectState} */ (seen.at(-1))).map((step) => step.t), ["click", "choose", "click", "box", "move"]);
});

test("a version that undo brings back has the steps that made it, and a new branch begins there", () => {
  const { history, seen } = played(STORY);
  assert.deepEqual(history.stepsOf(seen[1]).map((step) => step.t), ["click", "choose"]);
  const branch = objectState({ points: [[1, 1, 1], [7, 7, 1]], masks: [maskOfArea(40)] });
  history.note(seen[1], { t: "click", x: 7, y: 7, label: 1, object: 1 }, branch);
  assert.deepEqual(history.stepsOf(branch).map((step) => step.t), ["click", "choose", "click"]);
});

test("a name is no step", () => {
  const { history, seen } = played(STORY.slice(0, 1));
  history.note(seen[0], { t: "label", object: 1, name: "cup" }, { ...seen[0], name: "cup" });
  assert.equal(history.stepsOf({ ...seen[0], name: "cup" }).length, 1);
});

test("an object that nobody saw being made has its box, then its points", () => {
  const object = objectState({ points: [[1, 2, 1], [3, 4, 0]], box: [0, 0, 5, 5] });
  assert.deepEqual(new History().stepsOf(object).map((step) => step.t), ["box", "click", "click"]);
  assert.deepEqual(promptsOf(object)[1], { t: "click", x: 1, y: 2, label: 1 });
});

test("steps that don't lead to the object's points are not believed", () => {
  const { history, seen } = played(STORY.slice(0, 1));
  const other = { ...seen[0], points: /** @type {Point[]} */ ([[9, 9, 1]]) };
  history.plant(other, [{ t: "click", x: 1, y: 1, label: 1 }]);
  assert.deepEqual(history.stepsOf(other), [{ t: "click", x: 9, y: 9, label: 1 }]);
});

test("a recipe comes back from text as it was", () => {
  const { history, seen } = played(STORY);
  const state = initialState("nano");
  assert.equal(recipeOf(state, history, new Steps()), null);
  state.picture = { name: "a", file: new Blob([]), bitmap: null, width: 9, height: 9, imageId: "i", encodeMs: 0, cached: false };
  state.objects.set(1, /** @type {ObjectState} */ (seen.at(-1)));
  state.active = 1;
  const recipe = recipeOf(state, history, new Steps());
  assert.equal(recipe?.objects[0]?.steps.length, 5);
  assert.deepEqual(readRecipe(JSON.parse(JSON.stringify(recipe))), recipe);
});

for (const [name, value] of /** @type {[string, unknown][]} */ ([
  ["nothing", null], ["a number", 3], ["no picture", { objects: [] }], ["no objects", { imageId: "i" }],
  ["an object without steps", { imageId: "i", objects: [{ id: 1, name: "a", points: [] }] }],
])) {
  test(`${name} is no recipe`, () => assert.equal(readRecipe(value), null));
}
