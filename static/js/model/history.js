/**
 * What was done on the picture, without masks: enough for the server to make the session again, undo steps and all.
 * Pure.
 *
 * Decision: objects and classes before and after each step are kept, and what an answer leaves is compared with what
 * was there. Context: a step's answer may be lost with its socket and be told later, together with others. Choice:
 * steps are what made a difference; where an undo arrives at the state that the last step began from, it is that step
 * that was undone. Price: steps whose answers were lost together are one step, once the server has lost the session.
 */

import { sourceOf } from "./state.js";

/** @import { Class, Mask, ObjectId, Recipe, RecipeObject, TrailStep, UndoStep } from "../wire/messages.ts" */
/** @import { ObjectState } from "./types.ts" */

/** @typedef {{ objects: ReadonlyMap<ObjectId, Readonly<ObjectState>>, classes: readonly Class[] }} Shown */
/** @typedef {{ objects: Map<ObjectId, string>, classes: string }} Kept each object without its masks, all as JSON */
/** @typedef {{ imageId: string, name: string, width: number, height: number }} Subject the picture */

/** Steps that are remembered. */
const MAX_STEPS = 4096;
/** Bytes that a recipe may take as JSON; as a message it takes less, of which the server takes 256 KiB. */
export const MAX_RECIPE_BYTES = 240 * 1024;

/** Requests that make no step: what is followed no further is the step of before, shorter. */
const AMENDS = new Set(["stop", "frame"]);

/** @type {Kept} */
const NOTHING = { objects: new Map(), classes: "[]" };

export class History {
  #now = NOTHING;
  /** @type {Kept[]} the next undo's is the last */
  #past = [];
  /** @type {Kept[]} the next redo's is the last */
  #future = [];

  /** Forget what was done: another picture is open. @param {Shown} shown */
  begin(shown) {
    this.#now = kept(shown);
    this.#past = [];
    this.#future = [];
  }

  /** How many objects there are, also while they are on their way back. */
  get size() {
    return this.#now.objects.size;
  }

  /** Take up what was kept. @param {Recipe} recipe */
  adopt({ objects = [], classes = [], past = [], future = [] }) {
    this.#now = { objects: new Map(objects.map((made) => [made.id, JSON.stringify(made)])), classes: listed(classes) };
    this.#past = statesBehind(this.#now, past);
    this.#future = statesBehind(this.#now, future);
  }

  /**
   * Take note of what an answer has left.
   * @param {string} kind of the request that was answered @param {Shown} shown what is there now
   * @param {boolean} canUndo @param {boolean} canRedo as the server told them
   */
  settle(kind, shown, canUndo, canRedo) {
    const before = this.#now;
    this.#now = kept(shown);
    if (!same(before, this.#now) && !AMENDS.has(kind)) {
      if (kind === "undo") travel(this.#past, before, this.#future, this.#now);
      else if (kind === "redo") travel(this.#future, before, this.#past, this.#now);
      else {
        this.#past = [...this.#past, before].slice(-MAX_STEPS);
        this.#future = [];
      }
    }
    if (!canUndo) this.#past = [];
    if (!canRedo) this.#future = [];
  }

  /**
   * What makes the session again, with as many of the nearest steps as there is room for.
   * @param {Subject} picture @param {string} model that the session is to go on with
   * @returns {Recipe}
   */
  recipe({ imageId, name, width, height }, model) {
    /** @type {Recipe} */
    const head = {
      format: "hoversam-recipe", version: 1, image_id: sourceOf(imageId), name, width, height, model,
      ...(this.#now.classes === NOTHING.classes ? {} : { classes: JSON.parse(this.#now.classes) }),
      objects: read(this.#now.objects.values()),
    };
    let room = MAX_RECIPE_BYTES - bytes(head);
    const [past, future] = [this.#past, this.#future].map((states) => {
      /** @type {UndoStep[]} */
      const steps = [];
      let here = this.#now;
      for (const there of [...states].reverse()) {
        const step = stepBetween(here, there);
        room -= bytes(step);
        if (room < 0) break;
        steps.unshift(step);
        here = there;
      }
      return steps;
    });
    return { ...head, past, future };
  }
}

/** The palette index that the next new object is likely to get. @param {Recipe} recipe */
export function nextColorOf({ objects = [], past = [], future = [] }) {
  const all = [...objects, ...[...past, ...future].flatMap((step) => step.objects ?? [])];
  return Math.max(0, ...all.map((made) => made.color + 1));
}

/**
 * Read a recipe that was kept as text; what isn't one is nobody's loss.
 * @param {unknown} value parsed JSON
 * @returns {Recipe | null}
 */
export function readRecipe(value) {
  const { format, version, image_id: imageId, objects } = /** @type {Record<string, any>} */ (value ?? {});
  const whole = format === "hoversam-recipe" && version === 1 && typeof imageId === "string" && Array.isArray(objects);
  return whole ? /** @type {Recipe} */ (value) : null;
}

/**
 * What is kept of the work on a picture. The list of classes is that of all pictures: here it would come back older.
 * @param {Recipe} recipe
 * @returns {Recipe}
 */
export function ownPart(recipe) {
  const own = { ...recipe, past: stepsOf(recipe.past), future: stepsOf(recipe.future) };
  delete own.classes;
  return own;
}

/** @param {readonly UndoStep[]} [steps] @returns {UndoStep[]} those that concern objects */
function stepsOf(steps = []) {
  return steps.map(({ objects = [], gone = [] }) => ({ objects, gone }))
    .filter(({ objects, gone }) => objects.length + gone.length > 0);
}

/**
 * What makes the work again with the classes as they are now.
 * @param {Recipe} recipe
 * @param {readonly Class[]} classes
 * @returns {Recipe}
 */
export function withClasses(recipe, classes) {
  return { ...recipe, ...(classes.length > 0 ? { classes: classes.map(({ name, color }) => ({ name, color })) } : {}) };
}

/**
 * The objects of a recipe with the masks that they had.
 * @param {Recipe} recipe @param {readonly [ObjectId, Mask][]} masks @param {number | null} [frame] of a clip
 * @returns {Map<ObjectId, ObjectState>} on a picture without those that have none: the server brings them
 */
export function objectsOf({ objects = [] }, masks, frame = null) {
  const known = new Map(masks);
  return new Map(objects.flatMap(({ id, name, color, trail }) => {
    const mask = known.get(id);
    if (!mask && frame === null) return [];
    return [[id, { id, name, color, ...promptsOf(trail, frame), trail, chosen: 0, masks: mask ? [mask] : [] }]];
  }));
}

/**
 * The points and the box of an object, those on one frame of a clip.
 * @param {readonly TrailStep[]} trail @param {number | null} frame
 * @returns {Pick<ObjectState, "points" | "box">}
 */
export function promptsOf(trail, frame) {
  const here = trail.filter((step) => (step.frame ?? null) === frame);
  /** @type {ObjectState["points"]} */
  const points = here.flatMap((step) => (step.t === "point" ? [[step.x, step.y, step.label ?? 1]] : []));
  return { points, box: here.find((step) => step.t === "box")?.box ?? null };
}

/** @param {Shown} shown @returns {Kept} */
function kept({ objects, classes }) {
  const made = [...objects.values()].map(({ id, name, color, trail = [] }) => ({ id, name, color, trail }));
  return { objects: new Map(made.map((one) => [one.id, JSON.stringify(one)])), classes: listed(classes) };
}

/** @param {readonly Class[]} classes @returns {string} JSON */
function listed(classes) {
  return JSON.stringify(classes.map(({ name, color }) => ({ name, color })));
}

/** @param {Kept[]} origin @param {Kept} before @param {Kept[]} behind @param {Kept} now */
function travel(origin, before, behind, now) {
  behind.push(before);
  const last = origin.at(-1);
  if (last && same(last, now)) origin.pop();
}

/** @param {Kept} a @param {Kept} b */
function same(a, b) {
  return a.classes === b.classes && a.objects.size === b.objects.size
    && [...a.objects].every(([id, made]) => b.objects.get(id) === made);
}

/** @param {Kept} here @param {Kept} there @returns {UndoStep} what comes and what goes on the way */
function stepBetween(here, there) {
  const comes = [...there.objects].filter(([id, made]) => here.objects.get(id) !== made).map(([, made]) => made);
  const gone = [...here.objects.keys()].filter((id) => !there.objects.has(id));
  const classes = here.classes === there.classes ? {} : { classes: JSON.parse(there.classes) };
  return { objects: read(comes), gone, ...classes };
}

/** @param {Kept} now @param {UndoStep[]} steps @returns {Kept[]} */
function statesBehind(now, steps) {
  /** @type {Kept[]} */
  const states = [];
  let here = now;
  for (const { objects = [], gone = [], classes } of [...steps].reverse()) {
    const there = new Map(here.objects);
    for (const id of gone) there.delete(id);
    for (const made of objects) there.set(made.id, JSON.stringify(made));
    here = { objects: there, classes: classes ? listed(classes) : here.classes };
    states.unshift(here);
  }
  return states;
}

/** @param {Iterable<string>} texts @returns {RecipeObject[]} */
function read(texts) {
  return [...texts].map((text) => JSON.parse(text));
}

/** @param {object} value @returns {number} that it takes as JSON */
function bytes(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
