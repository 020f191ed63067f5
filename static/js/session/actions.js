/**
 * A person's actions, one after the other: each begins when the one before is answered. Touches no page element.
 */

import { isArmed } from "../model/state.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */

/** Actions that wait for one another; a person who has done more would no longer know what comes of it. */
const MAX_WAITING = 16;

export class Actions {
  #waiting = 0;
  #last = Promise.resolve();
  /** Of a clip, the server has to have the frame open before. @type {(() => Promise<void>) | null} */
  prepare = null;

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /** Actions are waiting for their answers. */
  get areWaiting() {
    return this.#waiting > 0;
  }

  /** Return once what was done so far is answered. */
  async atRest() {
    while (this.#waiting > 0) await this.#last;
  }

  /**
   * Do one action after those before it; what goes wrong is told, and the next goes on.
   * @param {() => Promise<void>} action
   * @returns {Promise<void>}
   */
  async do(action) {
    const { store } = this;
    const { state } = store;
    if (!isArmed(state) && !state.restoring) return;
    if (this.#waiting >= MAX_WAITING) return store.warn(t("actions.behind"));
    this.#waiting += 1;
    const picture = state.picture?.file;
    this.#last = this.#last.then(async () => {
      try {
        if (state.picture?.file !== picture) return;
        store.dropToast(); // its undo would take this action back
        if (this.prepare !== null) await this.prepare();
        await action();
        store.warn(null);
      } catch (error) {
        store.report(error);
      } finally {
        this.#waiting -= 1;
      }
    });
    await this.#last;
  }
}
