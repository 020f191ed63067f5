/**
 * Shows a picture as the server sees it: until the server has said how, it is shown as the browser would. Touches no
 * page element.
 */

/** @import { Store } from "../model/store.js" */
/** @import { PictureFacts, View } from "../model/types.ts" */
/** @import { Outside } from "./types.ts" */

export class Sight {
  /** @type {{ file: Blob, view: Promise<View> } | null} the last file that the server's facts were heard of */
  #last = null;

  /** @param {Store} store @param {Outside["view"]} view */
  constructor(store, view) {
    this.store = store;
    this.view = view;
  }

  /**
   * Show a picture, the one that is open or on its way, as the server says.
   * @param {Blob} file
   * @param {PictureFacts} facts
   */
  async see(file, facts) {
    const { pending, picture } = this.store.state;
    const bitmap = [pending, picture].find((one) => one?.file === file)?.bitmap ?? null;
    const last = !facts.clip && this.#last?.file === file ? this.#last : { file, view: this.view(file, facts, bitmap) };
    this.#last = last;
    try {
      this.store.see(file, await last.view, facts);
    } catch (error) {
      if (this.#last === last) this.#last = null; // the next facts try again
      this.store.report(error);
    }
  }
}
