/**
 * The page's own copy of the work: enough to do it again in a new session, and small enough to outlive a reload. Pure.
 */

import { promptsOf } from "./history.js";

/** @import { History, Step } from "./history.js" */
/** @import { Box, Point } from "./protocol.js" */
/** @import { State } from "./state.js" */

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

/** @typedef {{ imageId: string, model: string, objects: ObjectRecipe[], active: number | null }} Recipe */

/** @param {State} state @param {History} history @returns {Recipe | null} null where no picture is open */
export function recipeOf(state, history) {
  if (state.picture === null) return null;
  const objects = [...state.objects.values()].map((object) => {
    const { id, name, color, points, box, chosen } = object;
    return { id, name, color, points, box: box ?? null, chosen, steps: history.stepsOf(object) };
  });
  return { imageId: state.picture.imageId, model: state.model, objects, active: state.active };
}

/**
 * Read a recipe that was kept as text; what isn't one is nobody's loss.
 * @param {unknown} value parsed JSON
 * @returns {Recipe | null}
 */
export function readRecipe(value) {
  const { imageId, model, objects, active } = /** @type {Record<string, any>} */ (value ?? {});
  if (typeof imageId !== "string" || !Array.isArray(objects)) return null;
  const whole = objects.every((one) => typeof one?.id === "number" && typeof one.name === "string" && Array.isArray(one.points) && Array.isArray(one.steps));
  if (!whole) return null;
  return { imageId, model: String(model ?? ""), objects: objects.map(readObject), active: typeof active === "number" ? active : null };
}

/** @param {any} one @returns {ObjectRecipe} */
function readObject({ id, name, color, points, box, chosen, steps }) {
  const kept = { id, name, color: Number(color) || 0, points, box: Array.isArray(box) ? /** @type {Box} */ (box) : null, chosen: Number(chosen) || 0 };
  return { ...kept, steps: steps.length > 0 ? steps : promptsOf(kept) };
}
