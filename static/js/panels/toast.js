/**
 * What was done, in a line over the picture that goes by itself, with the button that undoes it.
 */

import { find, giveFocusBack, setText } from "./dom.js";

/** @import { Store } from "../model/store.js" */

/** Long enough to read it and reach for its button, ms. */
const SHOWN_MS = 8000;

export class ToastLine {
  #line = find("toast");
  /** @type {import("../model/types.ts").State["toast"]} */
  #shown = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  update() {
    const { toast } = this.store.state;
    if (toast === this.#shown) return;
    this.#shown = toast;
    giveFocusBack(this.#line);
    this.#line.hidden = toast === null;
    setText(find("toast-text"), toast?.text ?? "");
    find("toast-undo").hidden = !toast?.undo;
    clearTimeout(this.#timer);
    if (toast) this.#wait();
  }

  /** It goes after a while, later where somebody points at it. */
  #wait() {
    this.#timer = setTimeout(() => {
      if (this.#line.matches(":hover, :focus-within")) this.#wait();
      else this.store.dropToast();
    }, SHOWN_MS);
  }
}
