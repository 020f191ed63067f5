/**
 * From part to whole: another candidate of what lies under the pointer, or of the selected object. Touches no page
 * element.
 */

import { questionOf } from "../model/aim.js";
import { bySize, nextInSize, rankOf } from "../model/candidates.js";
import { activeObject, isArmed, previewMask, shownPreview } from "../model/state.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { ObjectState } from "../model/types.ts" */
/** @import { Actions } from "./actions.js" */
/** @import { Exchange } from "./exchange.js" */

export class Choosing {
  /** A step that was asked for before the candidates were there. @type {1 | -1 | null} */
  #waiting = null;

  /** @param {Store} store @param {Exchange} exchange @param {Actions} actions */
  constructor(store, exchange, actions) {
    this.store = store;
    this.exchange = exchange;
    this.actions = actions;
  }

  /**
   * Show another candidate of what lies under the pointer, else of the selected object, at once.
   * @param {1 | -1} step 1 for larger
   */
  async cycle(step) {
    const { state } = this.store;
    const object = activeObject(state);
    if (state.aim && questionOf(state.aim) && this.#mayHaveSeveral(state.aim.does)) this.#show(step);
    else if (object?.masks[1]) await this.#choose(object, nextInSize(object.masks, object.chosen, step));
  }

  /** A preview may have come that a step waits for. */
  goOn() {
    if (this.#waiting && previewMask(this.store.state)) this.#show(this.#waiting);
  }

  /** The pointer is elsewhere, or has clicked: no step waits any more. */
  stop() {
    this.#waiting = null;
  }

  /** @param {string} does what a click would do */
  #mayHaveSeveral(does) {
    const shown = shownPreview(this.store.state);
    return shown ? shown.masks.length > 1 : does === "new";
  }

  /** @param {1 | -1} step */
  #show(step) {
    const { state } = this.store;
    const shown = previewMask(state);
    const masks = shownPreview(state)?.masks;
    this.#waiting = shown ? null : step;
    if (!shown || !masks) return;
    const rank = rankOf(masks, nextInSize(masks, masks.indexOf(shown), step));
    this.store.showRank(rank);
    this.store.say(t("candidate.said", { place: rank + 1, total: masks.length }));
  }

  /**
   * Take a candidate of an object; shown before the server knows.
   * @param {ObjectState} object as the server has it
   * @param {number} candidate index
   */
  async #choose({ id, masks, chosen }, candidate) {
    const { store } = this;
    if (!isArmed(store.state)) return;
    store.choose(id, candidate);
    store.say(t("candidate.said", { place: bySize(masks).indexOf(candidate) + 1, total: masks.length }));
    await this.actions.do(async () => {
      try {
        await this.exchange.request({ t: "choose", object: id, candidate });
      } catch (error) {
        store.choose(id, chosen);
        throw error;
      }
    });
  }
}
