/**
 * The help sheet and the tooltips, made from the table of keys.
 */

import { capsOf, COMMANDS, SHEET, tipOf } from "../model/keys.js";
import { find, setLabel, setText } from "./dom.js";

/** @import { Command } from "../model/keys.js" */

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
  const keys = COMMANDS[command].keys.filter((key) => key !== "="); // the plus of a keyboard without Shift
  return keys.flatMap((key, i) => [i > 0 ? ", " : "", ...capsOf(key, isMac).flatMap((part, n) => [n > 0 ? " + " : "", cap(part)])]);
}

/** @param {string} how @param {boolean} isMac @returns {(string | HTMLElement)[]} */
function howOf(how, isMac) {
  return how.split(/(\{\w+\}|`[^`]+`)/).flatMap((part) => {
    if (part.startsWith("{")) return keysOf(/** @type {Command} */ (part.slice(1, -1)), isMac);
    return part.startsWith("`") ? [cap(part.slice(1, -1))] : [part];
  });
}

/** Fill the sheet. @param {boolean} isMac */
export function fillSheet(isMac) {
  find("sheet").replaceChildren(...SHEET.map(({ what, how }) => {
    const row = document.createElement("div");
    const [title, text] = [document.createElement("dt"), document.createElement("dd")];
    title.textContent = what;
    text.append(...howOf(how, isMac));
    row.append(title, text);
    return row;
  }));
}

/**
 * Name every control of a command as the table does, and have it run.
 * @param {(command: Command) => void} run
 * @param {boolean} isMac
 */
export function bindControls(run, isMac) {
  for (const control of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-command]"))) {
    const command = /** @type {Command} */ (control.dataset.command);
    control.title = tipOf(command, isMac);
    const words = control.querySelector("[data-name]");
    if (words) setText(words, COMMANDS[command].name);
    else if (control.textContent?.trim() === "") setLabel(control, COMMANDS[command].name);
    if (control instanceof HTMLButtonElement) control.addEventListener("click", () => run(command));
  }
}
