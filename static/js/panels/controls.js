/**
 * The names, tooltips and presses of every control that has a command, from the table of keys.
 */

import { nameOf, tipOf } from "../model/keys.js";
import { setLabel, setText } from "./dom.js";

/** @import { Command } from "../model/keys.js" */

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
