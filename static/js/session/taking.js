/**
 * What the server has found by itself becomes objects: one that the Tab key has come to, or all.
 */

import { newName } from "../model/classes.js";
import { freeRegions } from "../model/regions.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { Click, Region, Window } from "../wire/messages.ts" */
/** @import { Actions } from "./actions.js" */
/** @import { Exchange } from "./exchange.js" */

/** The part of the picture in which a region was found. @param {Region["mask"]} mask @returns {{ window?: Window }} */
function seenIn({ window }) {
  return window ? { window } : {};
}

export class Taking {
  /**
   * @param {Store} store @param {Exchange} exchange @param {Actions} actions
   * @param {(prompt: Click) => Promise<void>} prompt asks, and selects what comes
   */
  constructor(store, exchange, actions, prompt) {
    this.store = store;
    this.exchange = exchange;
    this.actions = actions;
    this.prompt = prompt;
  }

  /** Take one: what a click at its point gives, and of that the candidate that it was. @param {Region} region */
  one({ mask, x, y, candidate }) {
    return this.actions.do(() => this.prompt({ t: "click", x, y, label: 1, candidate, ...seenIn(mask), ...newName(this.store.state) }));
  }

  /** Take all that no object lies on, as many as have room, in one step that one undo takes back. */
  all() {
    return this.actions.do(async () => {
      const { maxObjects, objects } = this.store.state;
      const regions = freeRegions(this.store.state);
      const taken = regions.slice(0, Math.max(0, maxObjects - objects.size));
      if (taken.length === 0) throw new Error(t("found.noRoom"));
      const made = taken.map(({ mask, x, y, candidate: pick }) => (
        { trail: [{ t: /** @type {const} */ ("point"), x, y, pick, ...seenIn(mask) }], ...newName(this.store.state) }
      ));
      await this.exchange.request({ t: "give", objects: made });
      const left = regions.length - taken.length;
      this.store.tell(t(left > 0 ? "found.madeSome" : "found.made", { count: taken.length, left }), { undo: true });
    });
  }
}
