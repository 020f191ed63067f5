/**
 * What was done on the picture, without masks: enough for the server to make the session again, undo steps and all.
 * Pure.
 *
 * Decision: the objects before and after each step are kept, and what an answer leaves is compared with what was
 * there. Context: a step's answer may be lost with its socket and be told later, together with others. Choice: steps
 * are what made a difference; where an undo arrives at the state that the last step began from, it is that step that
 * was undone. Price: steps whose answers were lost together are one step, once the server has lost the session too.
 */

/** @import { ObjectId, Recipe, RecipeObject, UndoStep } from "../wire/messages.ts" */
/** @import { ObjectState } from "./types.ts" */

/** @typedef {ReadonlyMap<ObjectId, Readonly<ObjectState>>} ShownObjects */
/** @typedef {Map<ObjectId, string>} Objects each without its masks, as JSON */
/** @typedef {{ imageId: string, name: string, width: number, height: number }} Subject the picture */

/** Steps that are remembered. */
const MAX_STEPS = 4096;
/** Bytes that a recipe may take as JSON; as a message it takes less, of which the server takes 256 KiB. */
export const MAX_RECIPE_BYTES = 240 * 1024;

export class History {
  /** @type {Objects} */
  #now = new Map();
  /** @type {Objects[]} the next undo's is the last */
  #past = [];
  /** @type {Objects[]} the next redo's is the last */
  #future = [];

  /** Forget what was done: another picture is open. @param {ShownObjects} objects */
  begin(objects) {
    this.#now = withoutMasks(objects);
    this.#past = [];
    this.#future = [];
  }

  /** How many objects there are, also while they are on their way back. */
  get size() {
    return this.#now.size;
  }

  /** Take up what was kept. @param {Recipe} recipe */
  adopt({ objects = [], past = [], future = [] }) {
    this.#now = new Map(objects.map((made) => [made.id, JSON.stringify(made)]));
    this.#past = statesBehind(this.#now, past);
    this.#future = statesBehind(this.#now, future);
  }

  /**
   * Take note of what an answer has left.
   * @param {string} kind of the request that was answered @param {ShownObjects} objects as they are now
   * @param {boolean} canUndo @param {boolean} canRedo as the server told them
   */
  settle(kind, objects, canUndo, canRedo) {
    const before = this.#now;
    this.#now = withoutMasks(objects);
    if (!same(before, this.#now)) {
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
    const head = { format: "hoversam-recipe", version: 1, image_id: imageId, name, width, height, model, objects: read(this.#now.values()) };
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

/** @param {ShownObjects} objects @returns {Objects} */
function withoutMasks(objects) {
  const kept = [...objects.values()].map(({ id, name, color, trail = [] }) => ({ id, name, color, trail }));
  return new Map(kept.map((made) => [made.id, JSON.stringify(made)]));
}

/** @param {Objects[]} origin @param {Objects} before @param {Objects[]} behind @param {Objects} now */
function travel(origin, before, behind, now) {
  behind.push(before);
  const last = origin.at(-1);
  if (last && same(last, now)) origin.pop();
}

/** @param {Objects} a @param {Objects} b */
function same(a, b) {
  return a.size === b.size && [...a].every(([id, made]) => b.get(id) === made);
}

/** @param {Objects} here @param {Objects} there @returns {UndoStep} what comes and what goes on the way */
function stepBetween(here, there) {
  const comes = [...there].filter(([id, made]) => here.get(id) !== made).map(([, made]) => made);
  return { objects: read(comes), gone: [...here.keys()].filter((id) => !there.has(id)) };
}

/** @param {Objects} now @param {UndoStep[]} steps @returns {Objects[]} */
function statesBehind(now, steps) {
  /** @type {Objects[]} */
  const states = [];
  let here = now;
  for (const { objects = [], gone = [] } of [...steps].reverse()) {
    const there = new Map(here);
    for (const id of gone) there.delete(id);
    for (const made of objects) there.set(made.id, JSON.stringify(made));
    states.unshift(there);
    here = there;
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
