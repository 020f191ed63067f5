/**
 * What is said of many pictures. Pure.
 */

import { plural, shortName } from "./words.js";

/** @import { Entry } from "./types.ts" */

/**
 * What a cell of the filmstrip says.
 * @param {Readonly<Entry>} entry
 * @param {number} place from 1
 * @param {number} total
 */
export function cellWords(entry, place, total) {
  const count = entry.work?.recipe.objects?.length ?? 0;
  const facts = [
    count > 0 ? plural(count, "object") : entry.work ? "no objects" : "not looked at yet",
    entry.done && "done", entry.trouble !== null && entry.trouble, !entry.here && "its file is asked for again",
  ];
  return `${entry.name}: ${facts.filter(Boolean).join(", ")} (${place} of ${total})`;
}

/** The sign of a cell of the filmstrip. @param {Readonly<Entry>} entry */
export function markOf({ work, done, here, trouble }) {
  if (trouble !== null) return "!";
  if (!here) return "?";
  const count = work?.recipe.objects?.length ?? 0;
  if (count === 0) return done ? "✓" : "";
  return done ? `✓ ${count}` : String(count);
}

/** Names for a sentence: the first, and how many more. @param {readonly string[]} names */
function named(names) {
  const more = names.length > 3 ? ` and ${names.length - 2} more` : "";
  return names.slice(0, more ? 2 : 3).map(shortName).join(", ") + more;
}

/**
 * What came of files that were given together, where it isn't all well.
 * @param {{ doubled: string[], large: string[], others: string[], over: number, unkept: number }} told
 * @param {number} most pictures that there may be
 * @returns {string}
 */
export function intakeText({ doubled, large, others, over, unkept }, most) {
  const are = (/** @type {readonly unknown[]} */ { length }, /** @type {string} */ rest) => `${length} ${length === 1 ? "is" : "are"} ${rest}`;
  return [
    doubled.length > 0 && `${are(doubled, "here already")}: ${named(doubled)}.`,
    others.length > 0 && `${others.length} ${others.length === 1 ? "is no picture" : "are no pictures"}: ${named(others)}.`,
    large.length > 0 && `${are(large, "larger than this server takes")}: ${named(large)}.`,
    over > 0 && `${most} pictures are the most: ${over} left out. Save a project and begin another.`,
    unkept > 0 && `This browser has no room for ${plural(unkept, "file")}: what you do stays here, the ${unkept === 1 ? "file is" : "files are"} asked for again after a reload.`,
  ].filter(Boolean).join(" ");
}

/**
 * How far the work on all pictures is.
 * @param {{ done: number, objects: number, total: number }} progress
 * @param {boolean} isLasting this browser keeps it
 */
export function albumText({ done, objects, total }, isLasting) {
  const where = isLasting ? "It stays in this browser." : "It lasts as long as this page: save a project.";
  if (total < 2) return `Add more, and go from one to the next. ${where}`;
  return `${done} of ${total} done, ${plural(objects, "object")}. ${where}`;
}

/** What is in a file, and what isn't. @param {string} content @param {readonly string[]} left */
export function leftText(content, left) {
  return [`${content}.`, ...left].join(" ");
}

/**
 * What came of a project that was taken in.
 * @param {string} name of its file
 * @param {{ pictures: number, both: number, left: number, over: number, unkept: number }} came
 */
export function mergeText(name, { pictures, both, left, over, unkept }) {
  return [
    `${name}: ${plural(pictures, "picture")}.`,
    both > 0 && `${both} ${both === 1 ? "was" : "were"} here before, and ${both === 1 ? "has" : "have"} the objects of both now.`,
    left > 0 && `${plural(left, "object")} found no room on full pictures.`,
    over > 0 && `${plural(over, "picture")} left out: damaged, or more than there may be.`,
    unkept > 0 && `This browser has no room for ${plural(unkept, "file")}: asked for again after a reload.`,
  ].filter(Boolean).join(" ");
}
