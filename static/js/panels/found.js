/**
 * The line that says how much the server has found by itself, with its two buttons: show it, take it.
 */

import { freeRegions } from "../model/regions.js";
import { t } from "../words/translate.js";
import { find, setPressed, setText } from "./dom.js";

/** @import { State } from "../model/types.ts" */

/** @param {State} state */
export function showFound(state) {
  const { length } = freeRegions(state);
  find("found").hidden = length === 0;
  setText(find("found-text"), t("found.things", { count: length }));
  setPressed(find("found-show"), state.showsRegions);
}

/** @param {() => void} show @param {() => void} take */
export function bindFound(show, take) {
  find("found-show").addEventListener("click", show);
  find("found-take").addEventListener("click", take);
}
