/**
 * Coming back: a session that is resumed, and one that the server forgot and makes again from the page's own recipe.
 * Touches no page element.
 */

import { nextColorOf } from "../model/history.js";
import { sourceOf } from "../model/state.js";
import { Refused, Superseded } from "../wire/requests.js";

/** @import { History } from "../model/history.js" */
/** @import { Store } from "../model/store.js" */
/** @import { OpenPicture, Picture, PictureFacts, Work } from "../model/types.ts" */
/** @import { ImageReady, Welcome } from "../wire/messages.ts" */
/** @import { Exchange } from "./exchange.js" */
/** @import { Sight } from "./sight.js" */
/** @import { Outside, Saved } from "./types.ts" */

/** Refusals that pass by themselves: the server's own, and those of a proxy whose server has just ended. */
const PASSING = new Set(["busy", "MODEL_NOT_READY", "rate_limited", "RATE_LIMITED", "unreached", "502", "503", "504"]);
/** So often a picture is tried again to be opened, with pauses that grow to some twenty seconds together. */
const MAX_ATTEMPTS = 7;

export class Restorer {
  /** The server has not what was done on the page's picture. */
  #lost = false;
  /** A session is being resumed: what the server says of it isn't the whole yet. */
  #resuming = false;
  /**
   * The session has another picture open than the one that is shown: nothing may be asked of it before that is over.
   */
  #elsewhere = false;
  /** What the server of this session said of the files that it was sent. @type {WeakMap<Blob, PictureFacts>} */
  #facts = new WeakMap();
  /** Ends the upload, or the restoration, that another one takes the place of. */
  #undertaking = new AbortController();

  /**
   * @param {Store} store
   * @param {Pick<Outside, "upload" | "pause">} outside
   * @param {Exchange} exchange
   * @param {History} history
   * @param {Sight} sight
   */
  constructor(store, { upload, pause }, exchange, history, sight) {
    this.store = store;
    this.upload = upload;
    this.pause = pause;
    this.exchange = exchange;
    this.history = history;
    this.sight = sight;
  }

  // ---- opening

  /** Give up what is on its way to the server, and a restoration; return the signal of the new undertaking. */
  begin() {
    this.#undertaking.abort();
    this.#undertaking = new AbortController();
    this.exchange.barred = null;
    this.store.restore(false);
    return this.#undertaking.signal;
  }

  /** The lost work is of no more interest: another picture is open. */
  forgetLost() {
    this.#lost = false;
    this.#elsewhere = false;
    this.#resuming = false;
  }

  /**
   * Upload a picture and open it.
   * @param {Picture} picture
   * @param {AbortSignal} signal
   */
  async openOnServer(picture, signal) {
    const { exchange } = this;
    await this.#open(signal, async (before) => {
      const known = before === null ? this.#facts.get(picture.file) : undefined; // sent ahead
      const { imageId } = known ?? await this.#uploaded(picture, signal);
      if (known) await this.sight.see(picture.file, known);
      const provisional = picture.clip ? {} : { provisional: true };
      await exchange.request({ t: "open", image_id: imageId, name: picture.name, ...provisional });
    });
  }

  /**
   * Have what was done on a picture made again. It is uploaded only where the server doesn't have it: one that shares
   * its pictures with the server before does.
   * @param {OpenPicture} picture
   * @param {AbortSignal} signal
   * @param {string} model that made it
   */
  async #makeAgain(picture, signal, model) {
    const { exchange, history } = this;
    /** @type {{ imageId: string, width: number, height: number }} */
    let facts = picture;
    await this.#open(signal, async (before) => {
      if (before === "unknown_image") facts = await this.#uploaded(picture, signal);
      const { name } = picture;
      const recipe = history.recipe({ ...facts, name }, model);
      const { clip } = this.store.state;
      const where = clip ? { frame: clip.shown } : {};
      await exchange.request({ t: "open", image_id: sourceOf(facts.imageId), name, recipe, ...where }, { replay: true });
    });
  }

  /**
   * Try to open a picture, and again where what hinders it passes: a server that ended meanwhile, or too much that
   * waits for the one that takes its place.
   * @param {AbortSignal} signal
   * @param {(before: string | null) => Promise<void>} attempt is told the code of what ended the one before
   */
  async #open(signal, attempt) {
    /** @type {string | null} */
    let before = null;
    for (let left = MAX_ATTEMPTS; ; left -= 1) {
      try {
        return await attempt(before);
      } catch (error) {
        signal.throwIfAborted();
        const code = error instanceof Refused ? error.code : "";
        /** @type {boolean} */
        const isUnknown = code === "unknown_image" && code !== before;
        if (left === 0 || !(isUnknown || PASSING.has(code))) throw error;
        if (!isUnknown) await this.pause(MAX_ATTEMPTS - left);
        signal.throwIfAborted();
        before = isUnknown ? code : before;
      }
    }
  }

  /** @param {Picture} picture @param {AbortSignal} signal */
  async #uploaded(picture, signal) {
    const { store } = this;
    const onFraction = (/** @type {number} */ fraction) => store.progress({ stage: "uploading", fraction, position: null });
    const sent = await this.upload(picture, onFraction, signal);
    signal.throwIfAborted();
    const { clip } = store.state;
    const facts = sent.clip ? { ...sent, frame: clip?.id === sent.imageId ? clip.shown : 0 } : sent;
    this.#facts.set(picture.file, facts);
    await this.sight.see(picture.file, facts); // nobody may click before the picture stands as the server sees it
    signal.throwIfAborted();
    store.progress({ stage: "queued", fraction: null, position: null });
    return facts;
  }

  /**
   * Send a picture that is likely to be opened next: the server studies it when nobody waits for anything.
   * @param {Blob} file @param {string} name
   */
  async sendAhead(file, name) {
    if (this.#facts.has(file)) return;
    const { signal } = this.#undertaking; // what a person waits for goes first
    try {
      this.#facts.set(file, await this.upload({ file, name }, () => {}, signal));
    } catch {
      // It will be sent when it is opened, and whoever opens it is told.
    }
  }

  // ---- coming back

  /**
   * Show a picture of the album with what was done on it, and have the server make it again.
   * @param {Picture} picture @param {Work} work
   */
  async comeBack(picture, work) {
    this.begin();
    this.history.adopt(work.recipe);
    this.store.comeBack(picture, work);
    this.#lost = true;
    this.#elsewhere = true;
    this.#resuming = false;
    if (this.store.state.connection === "ready") await this.restore();
  }

  /**
   * Take up the work of the page before it was loaded again: show its picture until the server says what it remembers.
   * @param {Saved} saved
   */
  adopt({ picture, recipe, active, frame = 0 }) {
    this.history.adopt(recipe);
    this.store.adopt(picture, recipe, active, frame);
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
    if (!resumed) this.#facts = new WeakMap(); // it may be another server
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
    const { picture } = this.store.state;
    const isOurs = picture !== null && sourceOf(picture.imageId) === sourceOf(message.image_id);
    if (this.#resuming && isOurs) this.store.restore(false);
  }

  /** @returns {boolean} a session is being resumed that has not shown our picture yet: what it holds is of another */
  get isWaiting() {
    return this.#resuming && this.store.state.restoring;
  }

  /** An answer is of the picture before the one that is shown. @param {number} seq of the answer */
  isStray(seq) {
    return this.#elsewhere && this.store.state.restoring && !this.exchange.requests.has(seq);
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
      await this.#makeAgain(picture, signal, model);
      this.#lost = false;
      this.#elsewhere = false;
      store.restore(false);
      this.#seeWhatIsActive();
      exchange.sendAgain({ resumed: false });
    } catch (error) {
      if (signal.aborted || error instanceof Superseded) return;
      if (this.#elsewhere) { // what is shown stays, untouched, until it can be opened
        exchange.bar(/** @type {Error} */ (error));
        return store.report(error);
      }
      if (error instanceof Refused && !PASSING.has(error.code)) this.#lost = false; // else the next welcome tries again
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
