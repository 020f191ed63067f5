/**
 * The list of classes: what is read off it. Pure.
 */

import { objectOf } from "./state.js";

/** @import { Class, ObjectId } from "../wire/messages.ts" */
/** @import { State } from "./types.ts" */

/** So many classes have a key of their own. */
export const KEYS = 9;
/** So many are offered at once; who has more writes a part of the name. */
const OFFERED = 100;

/** The palette index that the next new object is likely to get. @param {State} state @returns {number} */
export function newColor({ classes, sticky, nextColor }) {
  return classes.find(({ name }) => name === sticky)?.color ?? nextColor;
}

/** What a new object is: the class that was given last. @param {State} state @returns {{ name?: string }} */
export function newName({ sticky }) {
  return sticky === null ? {} : { name: sticky };
}

/** The key that gives a class. @param {number} number its place @returns {string} empty where it has none */
export function keyOfClass(number) {
  return number < KEYS ? String(number + 1) : "";
}

/** How many objects of each class there are. @param {State} state @returns {Map<string, number>} */
export function countsOf({ objects }) {
  const counts = new Map();
  for (const { name } of objects.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/**
 * The classes that are meant by what is written: those that begin with it come first.
 * @param {readonly Class[]} classes
 * @param {string} written
 * @returns {{ number: number, name: string, color: number }[]} in the order of the list
 */
export function meant(classes, written) {
  const part = written.trim().toLocaleLowerCase();
  const found = classes.map((one, number) => ({ ...one, number, at: one.name.toLocaleLowerCase().indexOf(part) }));
  const here = found.filter(({ at }) => at >= 0);
  return [...here.filter(({ at }) => at === 0), ...here.filter(({ at }) => at > 0)].slice(0, OFFERED);
}

/**
 * The class of an object; null where nobody gave it one.
 * @param {State} state @param {ObjectId | null} id
 * @returns {string | null}
 */
export function classOf(state, id) {
  const object = objectOf(state, id);
  return object && state.classes.some(({ name }) => name === object.name) ? object.name : null;
}

/** What an object is called that has no class. @param {{ id: ObjectId }} object */
export function unnamed({ id }) {
  return `Object ${id}`;
}

/**
 * Read a list that was kept as text; what isn't one is nobody's loss.
 * @param {string | null} text
 * @returns {{ classes: Class[], sticky: string | null }}
 */
export function readClasses(text) {
  /** @type {any} */
  let kept = null;
  try {
    kept = JSON.parse(text ?? "null");
  } catch {
    // Somebody else's text: begin anew.
  }
  const listed = Array.isArray(kept?.classes) ? /** @type {any[]} */ (kept.classes) : [];
  const good = listed.filter((one) => typeof one?.name === "string" && one.name !== "" && one.color >= 0);
  const classes = [...new Map(good.map(({ name, color }) => [name, { name, color }])).values()];
  return { classes, sticky: classes.some(({ name }) => name === kept?.sticky) ? kept.sticky : null };
}
