/**
 * The help sheet, made from the table of keys: fetched when it is first opened.
 */

import { capOf, capsOf, COMMANDS } from "../model/keys.js";
import { find } from "./dom.js";
import { t } from "../words/translate.js";

/** @import { Command } from "../model/keys.js" */

/** The rows of the help sheet: `sheet.NAME.what` and `sheet.NAME.how` of the table of words. */
export const SHEET = Object.freeze(/** @type {const} */ ([
  "look", "new", "onTop", "add", "remove", "brush", "shape", "combine", "labels", "candidates", "box", "point",
  "delete", "undo", "close", "rename", "class", "cutout", "open", "pictures", "zoom", "pan", "masks", "keyboard",
  "regions", "clip", "track", "help",
]));

/** Rows that a finger has a way for. */
export const BY_TOUCH = Object.freeze(/** @type {const} */ ([
  "look", "new", "add", "remove", "brush", "shape", "combine", "box", "point", "delete", "class",
  "pictures", "zoom", "track",
]));

/** A command stands in a sentence as `{undo}`, and gives way to its keys. */
const THEMSELVES = Object.fromEntries(Object.keys(COMMANDS).map((command) => [command, `{${command}}`]));

/** @param {string} text @returns {HTMLElement} */
function cap(text) {
  const element = document.createElement("kbd");
  element.textContent = text;
  return element;
}

/**
 * The keys of a command, one after the other.
 * @param {Command} command
 * @param {boolean} isMac
 * @returns {(string | HTMLElement)[]}
 */
function keysOf(command, isMac) {
  const keys = COMMANDS[command].filter((key) => key !== "="); // the plus of a keyboard without Shift
  return keys.flatMap((key, i) => [i > 0 ? ", " : "", ...capsOf(key, isMac).flatMap((part, n) => [n > 0 ? " + " : "", cap(part)])]);
}

/** @param {string} how @param {boolean} isMac @returns {(string | HTMLElement)[]} */
function howOf(how, isMac) {
  return how.split(/(\{\w+\}|`[^`]+`)/).flatMap((part) => {
    if (part.startsWith("{")) return keysOf(/** @type {Command} */ (part.slice(1, -1)), isMac);
    return part.startsWith("`") ? [cap(capOf(part.slice(1, -1)))] : [part];
  });
}

/**
 * A row of the sheet.
 * @param {typeof SHEET[number]} name
 * @param {(string | HTMLElement)[]} how
 */
function rowOf(name, how) {
  const row = document.createElement("div");
  const [title, text] = [document.createElement("dt"), document.createElement("dd")];
  title.textContent = t(`sheet.${name}.what`);
  text.append(...how);
  row.append(title, text);
  return row;
}

/** Fill the sheet: what fingers do, and what keys and a mouse do. @param {boolean} isMac @param {boolean} byTouch */
export function fillSheet(isMac, byTouch) {
  find("sheet-by-touch").replaceChildren(...BY_TOUCH.map((name) => rowOf(name, [t(`sheet.${name}.byTouch`)])));
  find("sheet").replaceChildren(...SHEET.map((name) => rowOf(name, howOf(t(`sheet.${name}.how`, THEMSELVES), isMac))));
  /** @type {HTMLDetailsElement} */ (find("sheet-of-keys")).open = !byTouch;
}
