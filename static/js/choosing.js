/**
 * From part to whole: another candidate of what lies under the pointer, or of the selected object. Touches no page element.
 */

import { questionOf } from "./aim.js";
import { bySize, nextInSize, rankOf } from "./candidates.js";
import { applyChoice, isArmed, previewMask, shownPreview } from "./state.js";

/** @import { Actions } from "./actions.js" */
/** @import { Exchange, Outside } from "./exchange.js" */
/** @import { ObjectState, State } from "./state.js" */

export class Choosing {
  /** A step that was asked for before the candidates were there. @type {1 | -1 | null} */
  #waiting = null;

  /** @param {State} state @param {Outside} outside @param {Exchange} exchange @param {Actions} actions */
  constructor(state, outside, exchange, actions) {
    this.state = state;
    this.outside = outside;
    this.exchange = exchange;
    this.actions = actions;
  }

  /** Show another candidate of what lies under the pointer, else of the selected object, at once. @param {1 | -1} step 1 for larger */
  cycle(step) {
    const { state } = this;
    if (state.aim && questionOf(state.aim) && this.#mayHaveSeveral(state.aim.does)) {
      this.#show(step);
      return Promise.resolve();
    }
    const object = state.active === null ? undefined : state.objects.get(state.active);
    if (!object || object.masks.length < 2) return Promise.resolve();
    return this.#choose(object, nextInSize(object.masks, object.chosen, step));
  }

  /** A preview may have come that a step waits for. */
  goOn() {
    if (this.#waiting && previewMask(this.state)) this.#show(this.#waiting);
  }

  /** The pointer is elsewhere, or has clicked: no step waits any more. */
  stop() {
    this.#waiting = null;
  }

  /** @param {string} does what a click would do */
  #mayHaveSeveral(does) {
    const shown = shownPreview(this.state);
    return shown ? shown.masks.length > 1 : does === "new";
  }

  /** @param {1 | -1} step */
  #show(step) {
    const { state } = this;
    const shown = previewMask(state);
    const masks = shownPreview(state)?.masks;
    this.#waiting = shown ? null : step;
    if (!shown || !masks) return;
    state.rank = rankOf(masks, nextInSize(masks, masks.indexOf(shown), step));
    state.said = `Candidate ${state.rank + 1} of ${masks.length}.`;
    this.outside.changed();
  }

  /** Take a candidate of an object; shown before the server knows. @param {ObjectState} object as the server has it @param {number} candidate index */
  #choose(object, candidate) {
    if (!isArmed(this.state)) return Promise.resolve();
    applyChoice(this.state, object.id, candidate);
    this.state.said = `Candidate ${bySize(object.masks).indexOf(candidate) + 1} of ${object.masks.length}.`;
    this.outside.changed();
    return this.actions.do(async () => {
      try {
        await this.exchange.request({ t: "choose", object: object.id, candidate });
      } catch (error) {
        if (this.state.objects.has(object.id)) applyChoice(this.state, object.id, object.chosen);
        throw error;
      }
    });
  }
}
