/**
 * Shows a picture as the server sees it: until the server has said how, it is shown as the browser would. Touches no
 * page element.
 */

/** @import { Outside } from "./exchange.js" */
/** @import { State, View } from "./state.js" */

/**
 * @typedef {object} Word what the server says of a picture
 * @property {string} imageId
 * @property {number} width pixels, upright
 * @property {number} height pixels, upright
 * @property {number} orientation 1 to 8, how the pixels of the file are turned where no mark of it is heeded
 * @property {boolean} rendered the browser would show it not at all or otherwise; the server has pixels for it
 */

export class Sight {
  /** @type {{ file: Blob, view: Promise<View> } | null} the last file that the server's word was heard of */
  #last = null;

  /** @param {State} state @param {Outside} outside @param {(error: unknown) => void} report */
  constructor(state, outside, report) {
    this.state = state;
    this.outside = outside;
    this.report = report;
  }

  /** Show a picture, the one that is open or on its way, by the server's word. @param {Blob} file @param {Word} word */
  async see(file, word) {
    const bitmap = this.#shown(file)[0]?.bitmap ?? null;
    const last = this.#last?.file === file ? this.#last : { file, view: this.outside.view(file, word, bitmap) };
    this.#last = last;
    const { width, height } = word;
    try {
      const view = await last.view;
      for (const picture of this.#shown(file)) Object.assign(picture, view, { width, height });
    } catch (error) {
      if (this.#last === last) this.#last = null; // the next word tries again
      this.report(error);
    }
    this.outside.changed();
  }

  /** @param {Blob} file */
  #shown(file) {
    return [this.state.pending, this.state.picture].flatMap((picture) => (picture?.file === file ? [picture] : []));
  }
}
