/**
 * Coming back: a session that is resumed, and one that the server forgot and makes again from the page's own recipe.
 * Touches no page element.
 */

import { Refused, Superseded } from "./requests.js";
import { nextColorOf } from "./work.js";

/** @import { Exchange, Outside } from "./exchange.js" */
/** @import { ImageReady, Recipe, Welcome } from "./protocol.js" */
/** @import { Sight } from "./sight.js" */
/** @import { Picture, State, Work as Progress } from "./state.js" */
/** @import { Work } from "./work.js" */

/** @typedef {{ recipe: Recipe, active: number | null }} KeptWork */
/** @typedef {KeptWork & { picture: Picture }} Saved the work as it was */

export class Restorer {
  /** The server has not what was done on the page's picture. */
  #lost = false;
  /** A session is being resumed: what the server says of it isn't the whole yet. */
  #resuming = false;
  #restoration = 0;
  #upload = new AbortController();

  /**
   * @param {State} state @param {Outside} outside @param {Exchange} exchange @param {Work} work @param {Sight} sight
   * @param {(error: unknown) => void} report
   */
  constructor(state, outside, exchange, work, sight, report) {
    this.state = state;
    this.outside = outside;
    this.exchange = exchange;
    this.work = work;
    this.sight = sight;
    this.report = report;
  }

  // ---- opening

  /** Give up what is on its way to the server, and a restoration; return the signal of the new undertaking. */
  begin() {
    this.#upload.abort();
    this.#upload = new AbortController();
    this.#restoration += 1;
    this.state.restoring = false;
    return this.#upload.signal;
  }

  /** The lost work is of no more interest: another picture is open. */
  forgetLost() {
    this.#lost = false;
    this.#resuming = false;
  }

  /**
   * Upload a picture and open it.
   * @param {Picture} picture @param {AbortSignal} signal @param {string} [model] has what was done on it made again, with this model
   */
  async openOnServer(picture, signal, model) {
    for (let attempt = 0; ; attempt += 1) {
      const word = await this.outside.upload(picture.file, picture.name, (fraction) => this.progress({ stage: "uploading", fraction, position: null }), signal);
      signal.throwIfAborted();
      await this.sight.see(picture.file, word); // nobody may click before the picture stands as the server sees it
      signal.throwIfAborted();
      this.progress({ stage: "queued", fraction: null, position: null });
      try {
        const open = { t: /** @type {const} */ ("open"), image_id: word.imageId, name: picture.name };
        if (model === undefined) await this.exchange.request({ ...open, provisional: true });
        else await this.exchange.request({ ...open, recipe: this.work.recipe({ ...word, name: picture.name }, model) }, { replay: true });
        return;
      } catch (error) {
        // The server may have restarted between the upload and the opening.
        if (!(error instanceof Refused && error.code === "unknown_image" && attempt === 0)) throw error;
      }
    }
  }

  /** @param {Progress} work */
  progress(work) {
    if (this.state.pending) Object.assign(this.state.pending, work);
    else if (this.state.switching) Object.assign(this.state.switching, work);
    this.outside.changed();
  }

  // ---- coming back

  /**
   * Take up the work of the page before it was loaded again: show its picture until the server says what it remembers.
   * @param {Saved} saved
   */
  adopt({ picture, recipe, active }) {
    this.work.adopt(recipe);
    this.state.picture = { ...picture, imageId: recipe.image_id, encodeMs: 0, cached: true };
    this.state.model = recipe.model;
    this.state.nextColor = nextColorOf(recipe);
    this.state.active = active;
    this.state.restoring = true;
    this.#resuming = true;
  }

  /** @param {Welcome} message */
  welcome(message) {
    this.exchange.forget();
    const { model } = this.state;
    if (message.resumed && !this.#lost) {
      this.#resuming = this.state.picture !== null;
      this.exchange.sendAgain();
      this.state.model = message.model;
      return;
    }
    this.#resuming = false;
    this.exchange.requests.dropReplay();
    this.#lost = this.state.picture !== null;
    if (!message.resumed) this.state.nextColor = this.state.picture ? nextColorOf(this.work.recipe(this.state.picture, model)) : 0;
    if (this.state.pending) this.exchange.sendAnew();
    else if (this.#lost) void this.restore(model);
    if (!this.#lost) this.state.model = message.model;
  }

  /** Something is on its way back: what the page knows of the objects is not the whole. */
  get isBusy() {
    return this.state.restoring || this.#resuming;
  }

  /** The session that is being resumed has the picture: its objects follow. @param {ImageReady} message */
  imageIsThere(message) {
    if (this.#resuming && this.state.picture?.imageId === message.image_id) this.state.restoring = false;
  }

  /** @returns {boolean} a session is being resumed that has not shown our picture yet: what it holds is of another */
  get isWaiting() {
    return this.#resuming && this.state.restoring;
  }

  /** All that the server had to say of a resumed session has arrived. */
  allIsSaid() {
    if (!this.#resuming) return;
    this.#resuming = false;
    this.#lost = this.state.restoring;
    if (this.#lost) void this.restore(this.state.model);
    else this.#seeWhatIsActive();
  }

  /** Open the picture again in a new session, which makes its objects again. @param {string} [model] that made them */
  async restore(model = this.state.model) {
    const { picture } = this.state;
    if (!this.#lost || picture === null) return;
    const signal = this.begin();
    const own = this.#restoration;
    this.state.restoring = true;
    try {
      await this.openOnServer(picture, signal, model);
      this.#lost = false;
      this.state.restoring = false;
      this.#seeWhatIsActive();
      this.exchange.sendAnew();
    } catch (error) {
      if (own !== this.#restoration || error instanceof Superseded) return;
      if (error instanceof Refused) this.#lost = false; // else the next welcome tries again
      this.state.restoring = false;
      this.exchange.requests.dropAll(new Superseded("the session was lost"));
      this.report(error);
    }
    this.outside.changed();
  }

  #seeWhatIsActive() {
    const { active, objects } = this.state;
    if (active !== null && !objects.has(active)) this.state.active = null;
  }
}
