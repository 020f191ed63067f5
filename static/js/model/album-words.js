/**
 * What is said of many pictures. Pure.
 */

import { t } from "../words/translate.js";
import { named } from "./words.js";

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

/** @typedef {{ doubled: string[], large: string[], others: string[], over: number, unkept: number }} Intake */

/**
 * What came of files that were given together, where it isn't all well.
 * @param {Intake} told
 * @param {number} most pictures that there may be
 * @param {{ isLasting: boolean, isFull: boolean }} storage
 * @returns {string}
 */
export function intakeText({ doubled, large, others, over, unkept }, most, { isLasting, isFull }) {
  return [
    doubled.length > 0 && t("intake.doubled", { count: doubled.length, names: named(doubled) }),
    others.length > 0 && t("intake.others", { count: others.length, names: named(others) }),
    large.length > 0 && t("intake.large", { count: large.length, names: named(large) }),
    over > 0 && t("intake.over", { most, count: over }),
    unkept > 0 && isLasting && t("intake.unkept", { count: unkept }),
    isFull && t("album.noRoom"),
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
 * @property {number} unkept files that the browser has no room for
 * @property {boolean} isFull it has none for what is done
 */

/** @param {string} name of the project's file @param {Merging} came */
export function mergeText(name, { pictures, both, left, over, unkept, isFull }) {
  return [
    t("merge.pictures", { name, count: pictures }),
    both > 0 && t("merge.both", { count: both }),
    left > 0 && t("merge.left", { count: left }),
    over > 0 && t("merge.over", { count: over }),
    unkept > 0 && t("merge.unkept", { count: unkept }),
    isFull && t("album.noRoom"),
  ].filter(Boolean).join(" ");
}
