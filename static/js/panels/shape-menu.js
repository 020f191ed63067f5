/**
 * What can be done to the mask of the selected object, in a menu.
 */

import { currentObject } from "../model/state.js";
import { find } from "./dom.js";

/** @import { Command } from "../model/keys.js" */
/** @import { State } from "../model/types.ts" */

/**
 * Have the menu's entries do what they say.
 * @param {State} state
 * @param {(command: Command) => void} run
 */
export function bindShapeMenu(state, run) {
  const menu = find("shape-menu");
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (menu.querySelectorAll("[data-shape]"))) {
    button.addEventListener("click", () => {
      menu.hidePopover();
      run(/** @type {Command} */ (button.dataset.shape));
    });
  }
  menu.addEventListener("beforetoggle", () => {
    const object = currentObject(state);
    const sharpen = /** @type {HTMLButtonElement} */ (menu.querySelector('[data-shape="sharpen"]'));
    sharpen.hidden = object?.trail?.[0]?.t !== "mask" || object.trail.some(({ t }) => t === "point" || t === "box" || t === "refine");
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (menu.querySelectorAll(".combines"))) button.disabled = state.objects.size < 2;
  });
}
