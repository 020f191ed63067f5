/**
 * The page's own copy of the work: enough to do it again in a new session, and small enough to outlive a reload. Pure.
 */

import { promptsOf } from "./history.js";

/** @import { History, Step } from "./history.js" */
/** @import { Box, Point } from "./protocol.js" */
/** @import { State } from "./state.js" */
/** @import { Steps } from "./steps.js" */

/**
 * @typedef {object} ObjectRecipe
 * @property {number} id in the session it is from
 * @property {string} name
 * @property {number} color palette index
 * @property {Point[]} points as they are now
 * @property {Box | null} box
 * @property {number} chosen
 * @property {Step[]} steps that lead there, oldest first
 */

/**
 * @typedef {object} Recipe
 * @property {string} imageId
 * @property {string} model
 * @property {ObjectRecipe[]} objects oldest first
 * @property {number | null} active
 * @property {number} nextColor palette index of the next new object, in the session it is from
 * @property {string} ties which of that session's steps belong together, see steps.js
 */

/** @param {State} state @param {History} history @param {Steps} steps @returns {Recipe | null} null where no picture is open */
export function recipeOf(state, history, steps) {
  if (state.picture === null) return null;
  const objects = [...state.objects.values()].map((object) => {
    const { id, name, color, points, box, chosen } = object;
    return { id, name, color, points, box: box ?? null, chosen, steps: history.stepsOf(object) };
  });
  const { model, active, nextColor } = state;
  return { imageId: state.picture.imageId, model, objects, active, nextColor, ties: String(steps) };
}

/**
 * Read a recipe that was kept as text; what isn't one is nobody's loss.
 * @param {unknown} value parsed JSON
 * @returns {Recipe | null}
 */
export function readRecipe(value) {
  const { imageId, model, objects, active, nextColor, ties } = /** @type {Record<string, any>} */ (value ?? {});
  if (typeof imageId !== "string" || !Array.isArray(objects)) return null;
  const whole = objects.every((one) => typeof one?.id === "number" && typeof one.name === "string" && Array.isArray(one.points) && Array.isArray(one.steps));
  if (!whole) return null;
  return {
    imageId, model: String(model ?? ""), objects: objects.map(readObject), active: typeof active === "number" ? active : null,
    nextColor: Number(nextColor) || 0, ties: String(ties ?? ""),
  };
}

/** @param {any} one @returns {ObjectRecipe} */
function readObject({ id, name, color, points, box, chosen, steps }) {
  const kept = { id, name, color: Number(color) || 0, points, box: Array.isArray(box) ? /** @type {Box} */ (box) : null, chosen: Number(chosen) || 0 };
  return { ...kept, steps: steps.length > 0 ? steps : promptsOf(kept) };
}
