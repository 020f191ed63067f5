/**
 * What was done, in a line over the picture that goes by itself, with the button that undoes it.
 */

import { setText } from "./objects-list.js";

/** @import { State, Toast } from "./state.js" */
/** @import { Find } from "./status.js" */

/** Long enough to read it and reach for its button, ms. */
const SHOWN_MS = 8000;

export class ToastLine {
  /** @type {Toast | null} */
  #shown = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Find} find @param {() => void} changed */
  constructor(find, changed) {
    this.line = find("toast");
    this.text = find("toast-text");
    this.undo = find("toast-undo");
    this.changed = changed;
  }

  /** @param {State} state */
  update(state) {
    if (state.toast === this.#shown) return;
    this.#shown = state.toast;
    // A button that goes under the focus would drop it to the page's top.
    if (this.line.contains(document.activeElement)) document.getElementById("canvas")?.focus({ preventScroll: true });
    this.line.hidden = state.toast === null;
    setText(this.text, state.toast?.text ?? "");
    this.undo.hidden = !state.toast?.undo;
    clearTimeout(this.#timer);
    if (state.toast) this.#timer = setTimeout(() => this.#end(state), SHOWN_MS);
  }

  /** @param {State} state */
  #end(state) {
    if (this.line.matches(":hover, :focus-within")) this.#timer = setTimeout(() => this.#end(state), SHOWN_MS);
    else {
      state.toast = null;
      this.changed();
    }
  }
}
