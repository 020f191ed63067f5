/**
 * The page's own copy of the work: enough to do it again in a new session. Pure.
 */

/** @import { BoxPrompt, Click } from "./protocol.js" */
/** @import { ObjectState, OpenPicture, State } from "./state.js" */

/** @typedef {{ picture: OpenPicture, objects: ObjectState[], active: number | null }} Recipe */

/** @param {State} state @returns {Recipe | null} null where no picture is open */
export function recipeOf(state) {
  if (state.picture === null) return null;
  return { picture: state.picture, objects: [...state.objects.values()], active: state.active };
}

/**
 * The prompts that make an object again, in order: its box, then its points as they were placed.
 * @param {ObjectState} object
 * @returns {(Click | BoxPrompt)[]} without the object's id, which the first reply tells
 */
export function promptsOf(object) {
  /** @type {(Click | BoxPrompt)[]} */
  const prompts = object.box ? [{ t: "box", box: object.box }] : [];
  for (const [x, y, label] of object.points) prompts.push({ t: "click", x, y, label });
  return prompts;
}
