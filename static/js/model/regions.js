/**
 * The things of the picture that the server found before anybody asked. Pure.
 */

import { covers } from "./masks.js";
import { objectAt, previewMask } from "./state.js";

/** @import { ObjectId, Region } from "../wire/messages.ts" */
/** @import { State, XY } from "./types.ts" */

/** @param {State} state @param {XY} point @returns {Region | null} of several the one that the model is surest of */
export function regionAt({ regions, picture }, { x, y }) {
  return (picture && regions.find(({ mask }) => covers(mask, picture, x, y))) ?? null;
}

/** Whether the same click gives both. @param {Region} one @param {Region} other */
export function isSameRegion(one, other) {
  const sameClick = one.x === other.x && one.y === other.y && one.candidate === other.candidate;
  return sameClick && String(one.mask.window) === String(other.mask.window);
}

/**
 * The outline that stands in for the answer to a hover: none where what is lit already is of this place.
 * @param {State} state
 * @returns {Region | null}
 */
export function standIn(state) {
  const { aim, at, underPointer, picture } = state;
  if (aim?.does !== "new" || at === null || picture === null) return null;
  const lit = previewMask(state);
  return lit && covers(lit, picture, at.x, at.y) ? null : underPointer;
}

/** Those without an object on them, the largest first. @param {State} state @returns {Region[]} */
export function freeRegions(state) {
  const free = state.regions.filter(({ x, y }) => objectAt(state, { x, y }) === null);
  return free.sort((one, other) => other.mask.area - one.mask.area);
}

/**
 * Where the Tab key comes next: first the objects, in the order of the list, then the free regions.
 * @param {State} state @param {1 | -1} step
 * @returns {{ object: ObjectId } | { region: Region } | null} null beyond either end
 */
export function nextStop(state, step) {
  const { objects, pointed, walkedRegion } = state;
  const [ids, regions] = [[...objects.keys()], freeRegions(state)];
  const stops = [...ids.map((object) => ({ object })), ...regions.map((region) => ({ region }))];
  let here = step === 1 ? -1 : stops.length;
  if (walkedRegion !== null) here = ids.length + regions.indexOf(walkedRegion);
  else if (pointed !== null) here = ids.indexOf(pointed);
  return stops[here + step] ?? null;
}
