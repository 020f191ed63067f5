/**
 * The bar that says what is to be made of the selected object and others, and has it made.
 */

import { othersOf } from "../model/state.js";
import { combinationText } from "../model/words.js";
import { find, focusPicture, setText } from "./dom.js";
import { t } from "../words/translate.js";

/** @import { State } from "../model/types.ts" */

/** @param {() => void} make makes it @param {() => void} stop gives it up */
export function bindCombining(make, stop) {
  for (const [id, run] of /** @type {const} */ ([["combining-make", make], ["combining-stop", stop]])) {
    find(id).addEventListener("click", () => {
      focusPicture(); // the bar goes
      run();
    });
  }
}

/** Bring it up to the state. @param {State} state */
export function showCombining(state) {
  const { combining } = state;
  find("combining").hidden = combining === null;
  if (combining === null) return;
  setText(find("combining-text"), combinationText(state));
  setText(find("combining-make"), t(`combining.make.${combining.operation}`));
  find("combining-make").hidden = othersOf(state).length === 0;
}
