/**
 * What is said of many pictures. Pure.
 */

import { t } from "../words/translate.js";
import { MAX_FILES } from "./album.js";
import { named, troubleText } from "./words.js";

/** @import { Entry, Trouble } from "./types.ts" */

/**
 * What a cell of the filmstrip says.
 * @param {Readonly<Entry>} entry
 * @param {number} place from 1
 * @param {number} total
 */
export function cellWords(entry, place, total) {
  const count = entry.work?.recipe.objects?.length ?? 0;
  const facts = [
    count > 0 ? t("film.objects", { count }) : t(entry.work ? "film.none" : "film.unseen"),
    entry.done && t("film.done"), entry.trouble !== null && entry.trouble, !entry.here && t("film.away"),
  ];
  return t("film.cell", { name: entry.name, facts: facts.filter(Boolean).join(", "), place, total });
}

/** The sign of a cell of the filmstrip. @param {Readonly<Entry>} entry */
export function markOf({ work, done, here, trouble }) {
  if (trouble !== null) return "!";
  if (!here) return "?";
  const count = work?.recipe.objects?.length ?? 0;
  if (count === 0) return done ? "✓" : "";
  return done ? `✓ ${count}` : String(count);
}

/**
 * @typedef {object} Intake what came of files that were given together
 * @property {string[]} doubled names of those that were here
 * @property {string[]} large
 * @property {string[]} others that are no pictures
 * @property {number} over pictures that found no room
 * @property {number} unkept files that the browser didn't keep
 * @property {Trouble | null} trouble why
 * @property {boolean} isCut there were more than are looked at
 */

/** Nothing has come of any file yet. @param {string[]} others @param {boolean} isCut @returns {Intake} */
export function newIntake(others, isCut) {
  return { doubled: [], large: [], others, over: 0, unkept: 0, trouble: null, isCut };
}

/** @typedef {{ isLasting: boolean, trouble: Trouble | null }} Keeping whether what is done is kept, or why not */

/**
 * What came of files that were given together, where it isn't all well.
 * @param {Intake} told
 * @param {number} most pictures that there may be
 * @param {Keeping} storage
 * @returns {string}
 */
export function intakeText(told, most, storage) {
  const { doubled, large, others, over, unkept, trouble, isCut } = told;
  return [
    doubled.length > 0 && t("intake.doubled", { count: doubled.length, names: named(doubled) }),
    others.length > 0 && t("intake.others", { count: others.length, names: named(others) }),
    large.length > 0 && t("intake.large", { count: large.length, names: named(large) }),
    over > 0 && t("intake.over", { most, count: over }),
    isCut && t("intake.cut", { most: MAX_FILES }),
    unkept > 0 && storage.isLasting && t("intake.unkept", { why: trouble ?? "", count: unkept }),
    storage.trouble !== null && troubleText(storage.trouble),
  ].filter(Boolean).join(" ");
}

/**
 * How far the work on all pictures is.
 * @param {{ done: number, objects: number, total: number }} progress
 * @param {boolean} isLasting this browser keeps it
 */
export function albumText({ done, objects, total }, isLasting) {
  const where = t(isLasting ? "album.lasting" : "album.passing");
  return total < 2 ? t("album.one", { where }) : t("album.progress", { done, total, objects, where });
}

/**
 * @typedef {object} Merging what came of a project that was taken in
 * @property {number} pictures that came
 * @property {number} both of them were here
 * @property {number} left objects that found no room
 * @property {number} over pictures that found none
 * @property {number} unkept files that the browser didn't keep
 * @property {Trouble | null} trouble why
 */

/** @param {string} name of the project's file @param {Merging} came @param {Keeping} storage */
export function mergeText(name, { pictures, both, left, over, unkept, trouble }, storage) {
  return [
    t("merge.pictures", { name, count: pictures }),
    both > 0 && t("merge.both", { count: both }),
    left > 0 && t("merge.left", { count: left }),
    over > 0 && t("merge.over", { count: over }),
    unkept > 0 && storage.isLasting && t("merge.unkept", { why: trouble ?? "", count: unkept }),
    storage.trouble !== null && troubleText(storage.trouble),
  ].filter(Boolean).join(" ");
}
