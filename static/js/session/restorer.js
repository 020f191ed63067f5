/**
 * Coming back: a session that is resumed, and one that the server forgot and makes again from the page's own recipe.
 * Touches no page element.
 */

import { nextColorOf } from "../model/history.js";
import { Refused, Superseded } from "../wire/requests.js";

/** @import { History } from "../model/history.js" */
/** @import { Store } from "../model/store.js" */
/** @import { Picture } from "../model/types.ts" */
/** @import { ImageReady, Welcome } from "../wire/messages.ts" */
/** @import { Exchange } from "./exchange.js" */
/** @import { Sight } from "./sight.js" */
/** @import { Outside, Saved } from "./types.ts" */

export class Restorer {
  /** The server has not what was done on the page's picture. */
  #lost = false;
  /** A session is being resumed: what the server says of it isn't the whole yet. */
  #resuming = false;
  /** Ends the upload, or the restoration, that another one takes the place of. */
  #undertaking = new AbortController();

  /**
   * @param {Store} store
   * @param {Outside["upload"]} upload
   * @param {Exchange} exchange
   * @param {History} history
   * @param {Sight} sight
   */
  constructor(store, upload, exchange, history, sight) {
    this.store = store;
    this.upload = upload;
    this.exchange = exchange;
    this.history = history;
    this.sight = sight;
  }

  // ---- opening

  /** Give up what is on its way to the server, and a restoration; return the signal of the new undertaking. */
  begin() {
    this.#undertaking.abort();
    this.#undertaking = new AbortController();
    this.store.restore(false);
    return this.#undertaking.signal;
  }

  /** The lost work is of no more interest: another picture is open. */
  forgetLost() {
    this.#lost = false;
    this.#resuming = false;
  }

  /**
   * Upload a picture and open it.
   * @param {Picture} picture
   * @param {AbortSignal} signal
   * @param {string} [model] has what was done on it made again, with this model
   */
  async openOnServer(picture, signal, model) {
    const { store, exchange, history } = this;
    for (let attempt = 0; ; attempt += 1) {
      const onFraction = (/** @type {number} */ fraction) => store.progress({ stage: "uploading", fraction, position: null });
      const facts = await this.upload(picture.file, picture.name, onFraction, signal);
      signal.throwIfAborted();
      await this.sight.see(picture.file, facts); // nobody may click before the picture stands as the server sees it
      signal.throwIfAborted();
      store.progress({ stage: "queued", fraction: null, position: null });
      try {
        const { name } = picture;
        const replay = model !== undefined;
        const how = replay ? { recipe: history.recipe({ ...facts, name }, model) } : { provisional: true };
        await exchange.request({ t: "open", image_id: facts.imageId, name, ...how }, { replay });
        return;
      } catch (error) {
        // The server may have restarted between the upload and the opening.
        if (!(error instanceof Refused && error.code === "unknown_image" && attempt === 0)) throw error;
      }
    }
  }

  // ---- coming back

  /**
   * Take up the work of the page before it was loaded again: show its picture until the server says what it remembers.
   * @param {Saved} saved
   */
  adopt({ picture, recipe, active }) {
    this.history.adopt(recipe);
    this.store.adopt(picture, recipe, active);
    this.store.expectColor(nextColorOf(recipe));
    this.#resuming = true;
  }

  /** A session is there: the one before, or a new one that knows nothing. @param {Welcome} message */
  welcome({ resumed, model }) {
    const { store, exchange, history } = this;
    const before = store.state.model;
    const { picture, pending } = store.state;
    exchange.forget();
    if (resumed && !this.#lost) {
      this.#resuming = picture !== null;
      exchange.sendAgain({ resumed });
      return store.use(model);
    }
    // What was done is the page's to bring back: nothing that the lost session was asked for comes any more.
    this.#resuming = false;
    exchange.requests.drop(new Superseded("the session was lost"), { replayOnly: true });
    this.#lost = picture !== null;
    if (!resumed) store.expectColor(picture ? nextColorOf(history.recipe(picture, before)) : 0);
    if (!resumed && !this.#lost && store.state.classes.length > 0) exchange.tellClasses(store.state.classes);
    if (pending) exchange.sendAgain({ resumed: false });
    else if (this.#lost) void this.restore(before);
    if (!this.#lost) store.use(model);
  }

  /** Something is on its way back: what the page knows of the objects is not the whole. */
  get isBusy() {
    return this.store.state.restoring || this.#resuming;
  }

  /** The session that is being resumed has the picture: its objects follow. @param {ImageReady} message */
  imageIsThere(message) {
    if (this.#resuming && this.store.state.picture?.imageId === message.image_id) this.store.restore(false);
  }

  /** @returns {boolean} a session is being resumed that has not shown our picture yet: what it holds is of another */
  get isWaiting() {
    return this.#resuming && this.store.state.restoring;
  }

  /** All that the server had to say of a resumed session has arrived. */
  allIsSaid() {
    if (!this.#resuming) return;
    this.#resuming = false;
    this.#lost = this.store.state.restoring;
    if (this.#lost) void this.restore();
    else this.#seeWhatIsActive();
  }

  /** Open the picture again in a new session, which makes its objects again. @param {string} [model] that made them */
  async restore(model = this.store.state.model) {
    const { store, exchange } = this;
    const { picture } = store.state;
    if (!this.#lost || picture === null) return;
    const signal = this.begin();
    store.restore(true);
    try {
      await this.openOnServer(picture, signal, model);
      this.#lost = false;
      store.restore(false);
      this.#seeWhatIsActive();
      exchange.sendAgain({ resumed: false });
    } catch (error) {
      if (signal.aborted || error instanceof Superseded) return;
      if (error instanceof Refused) this.#lost = false; // else the next welcome tries again
      store.restore(false);
      exchange.requests.drop(new Superseded("the session was lost"));
      store.report(error);
    }
  }

  #seeWhatIsActive() {
    const { active, objects } = this.store.state;
    if (active !== null && !objects.has(active)) this.store.select(null);
  }
}
