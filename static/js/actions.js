/**
 * A person's actions, one after the other: each begins when the one before is answered. Touches no page element.
 */

import { Superseded } from "./requests.js";
import { isArmed } from "./state.js";

/** @import { State } from "./state.js" */

const MAX_WAITING = 16;

export class Actions {
  #waiting = 0;
  /** @type {Promise<void>} */
  #last = Promise.resolve();

  /** @param {State} state @param {() => void} changed the state is not what was drawn */
  constructor(state, changed) {
    this.state = state;
    this.changed = changed;
  }

  /**
   * Do one action after those before it; what goes wrong is told, and the next goes on.
   * @param {() => Promise<void>} action
   * @returns {Promise<void>}
   */
  do(action) {
    if (!isArmed(this.state) && !this.state.restoring) return Promise.resolve();
    if (this.#waiting >= MAX_WAITING) {
      this.report(new Error("The server is behind; that was not taken. Try again in a moment."));
      return Promise.resolve();
    }
    this.#waiting += 1;
    const picture = this.state.picture?.file;
    this.#last = this.#last.then(async () => {
      try {
        if (this.state.picture?.file !== picture) return;
        this.state.toast = null; // its undo would take this action back
        await action();
        this.state.notice = null;
      } catch (error) {
        this.report(error);
      } finally {
        this.#waiting -= 1;
        this.changed();
      }
    });
    return this.#last;
  }

  /** Say what went wrong. @param {unknown} error */
  report(error) {
    if (error instanceof Superseded) return;
    this.state.notice = error instanceof Error ? error.message : String(error);
    this.changed();
  }
}
