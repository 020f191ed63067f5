/**
 * The one table of what can be done, and by which keys. Keyboard, tooltips and the help sheet are made from it; what a
 * command is called says the table of words. Pure.
 */

import { has, t } from "../words/translate.js";

/**
 * @typedef {{
 *   key: string, code?: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean,
 * }} Stroke
 */

/**
 * The keys that give each command. "Ctrl" is Cmd on a Mac, too. Letters are left alone with Alt, and belong to a field
 * that is being written in.
 * @satisfies {Record<string, string[]>}
 */
export const COMMANDS = Object.freeze({
  new: ["N"],
  onTop: ["T"],
  add: ["A"],
  remove: ["R"],
  brush: ["B"],
  eraser: ["E"],
  smart: ["S"],
  thinner: ["("],
  thicker: [")"],
  sharpen: ["Q"],
  fillHoles: ["J"],
  removeSpecks: ["K"],
  smooth: ["U"],
  grow: [">"],
  shrink: ["<"],
  merge: ["M"],
  subtract: ["X"],
  intersect: ["Y"],
  importLabels: ["I"],
  smaller: ["["],
  larger: ["]"],
  delete: ["Delete"],
  deleteLastPoint: ["Backspace"],
  undo: ["Ctrl+Z"],
  redo: ["Ctrl+Shift+Z", "Ctrl+Y"],
  close: ["Escape"],
  pickClass: ["C"],
  class1: ["1"],
  class2: ["2"],
  class3: ["3"],
  class4: ["4"],
  class5: ["5"],
  class6: ["6"],
  class7: ["7"],
  class8: ["8"],
  class9: ["9"],
  next: [".", "PageDown"],
  previous: [",", "PageUp"],
  done: ["D"],
  play: ["P"],
  frameBefore: ["Z"],
  frameAfter: ["V"],
  firstFrame: ["Home"],
  lastFrame: ["End"],
  track: ["W"],
  rename: ["F2"],
  copy: ["Ctrl+C"],
  save: ["Ctrl+S"],
  open: ["Ctrl+O"],
  zoomIn: ["+", "="],
  zoomOut: ["-"],
  fit: ["0", "F"],
  opacity: ["O"],
  regions: ["G"],
  outlines: ["L"],
  click: ["Enter"],
  clickAdd: ["Shift+Enter"],
  clickRemove: ["Alt+Enter"],
  help: ["?"],
});

/** @typedef {keyof typeof COMMANDS} Command */

/** Keys that do something for as long as they are held. */
export const HELD = Object.freeze({ pan: "Space", hide: "H", add: "Shift", remove: "Alt" });

/** @type {Map<string, Command>} */
const BY_KEY = new Map(/** @type {Command[]} */ (Object.keys(COMMANDS)).flatMap(
  (command) => COMMANDS[command].map((key) => [key, command]),
));

/**
 * Return the key in capital Latin letters. A Cyrillic, Greek or Hebrew keyboard gives its own: there the place of the
 * key tells.
 * @param {Stroke} stroke
 */
export function keyOf({ key, code = "" }) {
  const foreign = key.length === 1 && key > "\x7f" && /^Key[A-Z]$/.test(code);
  const known = foreign ? code.slice(3) : key;
  return known.length === 1 ? known.toUpperCase() : known;
}

/** The digit of a key that gives it with Shift alone, as in France; empty for others. @param {Stroke} stroke */
function digitOf({ key, code = "", shiftKey }) {
  return !shiftKey && !/[0-9]/.test(key) ? (/^Digit([1-9])$/.exec(code)?.[1] ?? "") : "";
}

/** @param {Stroke} stroke @returns {Command | null} */
export function commandOf(stroke) {
  const key = keyOf(stroke);
  const isBracket = key === "[" || key === "]"; // many keyboards have them behind AltGr or Option
  let name = key;
  if (stroke.altKey && !isBracket) name = stroke.ctrlKey || stroke.metaKey ? "" : `Alt+${key}`;
  else if (stroke.ctrlKey || stroke.metaKey) name = isBracket && stroke.altKey ? key : `Ctrl+${stroke.shiftKey ? "Shift+" : ""}${key}`;
  else if (stroke.shiftKey && key === "Enter") name = "Shift+Enter";
  return BY_KEY.get(name) ?? (name === key ? BY_KEY.get(digitOf(stroke)) : undefined) ?? null;
}

/**
 * The caps of a key as they are shown, one after the other.
 * @param {string} key as in the table
 * @param {boolean} isMac
 * @returns {string[]}
 */
export function capsOf(key, isMac) {
  const parts = key === "+" ? ["+"] : key.split("+");
  return parts.map((part) => (part === "Ctrl" && isMac ? "⌘" : capOf(part)));
}

/** What is written on a key. @param {string} key @returns {string} */
export function capOf(key) {
  const name = `cap.${key}`;
  return has(name) ? t(name) : key.replace("-", "−");
}

/** The tooltip of a command: its name, and the first of its keys. @param {Command} command @param {boolean} isMac */
export function tipOf(command, isMac) {
  return t("command.tip", { name: nameOf(command), keys: capsOf(COMMANDS[command][0], isMac).join("+") });
}

/** What a command is called. @param {Command} command */
export function nameOf(command) {
  return t(`command.${command}`);
}
