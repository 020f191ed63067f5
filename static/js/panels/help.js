/**
 * The help sheet and the tooltips, made from the table of keys.
 */

import { capOf, capsOf, COMMANDS, nameOf, SHEET, tipOf } from "../model/keys.js";
import { find, setLabel, setText } from "./dom.js";
import { t } from "../words/translate.js";

/** @import { Command } from "../model/keys.js" */

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

/** Fill the sheet. @param {boolean} isMac */
export function fillSheet(isMac) {
  find("sheet").replaceChildren(...SHEET.map((name) => {
    const row = document.createElement("div");
    const [title, text] = [document.createElement("dt"), document.createElement("dd")];
    title.textContent = t(`sheet.${name}.what`);
    text.append(...howOf(t(`sheet.${name}.how`, THEMSELVES), isMac));
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
    if (words) setText(words, nameOf(command));
    else if (control.textContent?.trim() === "") setLabel(control, nameOf(command));
    if (control instanceof HTMLButtonElement) control.addEventListener("click", () => run(command));
  }
}
