/**
 * What a click at a place gives: the one rule that the hover, the sign beside the pointer and the click itself share.
 * Pure.
 */

import { isVisible, objectAt, previewMask, shownPreview } from "./state.js";

/** @import { Label, ObjectId } from "../wire/messages.ts" */
/** @import { Aim, Lit, Place, State, Tool, XY } from "./types.ts" */

/**
 * The tool of a press: Shift adds, Alt and the right button remove.
 * @param {Tool} tool
 * @param {{ adds: boolean, removes: boolean }} held
 * @returns {Tool}
 */
export function toolOf(tool, { adds, removes }) {
  if (isBrush(tool)) return removes ? "eraser" : adds ? "brush" : tool;
  if (removes) return "remove";
  return adds ? "add" : tool;
}

/** @param {Tool} tool @returns {boolean} it paints or erases */
export function isBrush(tool) {
  return tool === "brush" || tool === "eraser";
}

/**
 * Return what a click gives. One's own point comes first, then the object that is there, then the ground.
 * @param {State} state @param {Place} place
 * @returns {Aim}
 */
export function aimAt(state, { point, tool, reach, onTop }) {
  if (state.combining !== null) return otherAt(state, point);
  if (isBrush(tool)) return paintedAt(state, point, tool);
  if (tool === "new" && onTop) return { does: "new" };
  const own = ownPointAt(state, point, reach);
  if (own) return { does: "point", ...own };
  const there = objectAt(state, point);
  if (tool === "new") return there === null ? { does: "new" } : { does: "select", object: there };
  const object = state.active ?? there;
  if (object !== null) return { does: tool === "add" ? "add" : "remove", object };
  return { does: tool === "add" ? "new" : "nothing" };
}

/** The object that is to make one with the selected one. @param {State} state @param {XY} point @returns {Aim} */
function otherAt(state, point) {
  const object = objectAt(state, point);
  return object === null || object === state.active ? { does: "nothing" } : { does: "select", object };
}

/** What a stroke that begins here is in. @param {State} state @param {XY} point @param {Tool} tool @returns {Aim} */
function paintedAt(state, point, tool) {
  const object = state.active ?? objectAt(state, point);
  if (tool === "brush") return { does: "paint", object };
  return object === null ? { does: "nothing" } : { does: "erase", object };
}

/**
 * @param {State} state
 * @param {XY} at
 * @param {number} reach image pixels
 * @returns {{ object: ObjectId, point: number } | null} the nearest point of the active object, where it is shown
 */
export function ownPointAt(state, at, reach) {
  const object = state.active === null ? undefined : state.objects.get(state.active);
  if (!object || !isVisible(state, object.id)) return null;
  const far = object.points.map(([x, y]) => Math.hypot(x - at.x, y - at.y));
  const point = far.indexOf(Math.min(...far));
  return point >= 0 && far[point] <= reach ? { object: object.id, point } : null;
}

/**
 * The prompt whose answer shows what a click gives, or null where nothing is to be asked.
 * @param {Aim} aim
 * @returns {{ label: Label, object: ObjectId | undefined } | null}
 */
export function questionOf(aim) {
  if (aim.does === "new") return { label: 1, object: undefined };
  if (aim.does === "add" || aim.does === "remove") return { label: aim.does === "add" ? 1 : 0, object: aim.object };
  return null;
}

/**
 * A name for the prompt that a click would make: the same as long as the object is.
 * @param {State} state
 * @param {Aim} aim
 * @returns {string}
 */
export function promptOf(state, aim) {
  const object = "object" in aim ? state.objects.get(aim.object ?? NaN) : undefined;
  return JSON.stringify([aim.does, object?.id, object?.points, object?.box, object?.chosen]);
}

/**
 * What is shown, where it is of the place that is clicked, or was chosen by hand.
 * @param {State} state
 * @param {Place} place
 * @returns {Lit | null}
 */
export function litAt(state, { point, reach }) {
  const [preview, mask] = [shownPreview(state), previewMask(state)];
  if (!preview || !mask || state.aim === null) return null;
  if (state.rank === null && Math.hypot(preview.x - point.x, preview.y - point.y) > reach) return null;
  return { of: promptOf(state, state.aim), candidate: preview.masks.indexOf(mask) };
}
