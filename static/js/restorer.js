/**
 * Coming back: a session that is resumed, and one that the server forgot and that is made anew from the page's own
 * recipe. Touches no page element.
 */

import { promptsOf } from "./history.js";
import { PALETTE } from "./palette.js";
import { recipeOf } from "./recipe.js";
import { Refused, Superseded } from "./requests.js";

/** @import { Exchange, Outside } from "./exchange.js" */
/** @import { History, Step } from "./history.js" */
/** @import { ImageReady, ObjectMessage, Request, ServerMessage, Welcome } from "./protocol.js" */
/** @import { ObjectRecipe, Recipe } from "./recipe.js" */
/** @import { Sight } from "./sight.js" */
/** @import { Steps } from "./steps.js" */
/** @import { OpenPicture, Picture, State, Work } from "./state.js" */

/** @typedef {{ picture: Picture, recipe: Recipe }} Saved the work as it was */

export class Restorer {
  /** @type {Saved | null} what a lost session held, until it is restored */
  #lost = null;
  /** @type {Recipe | null} what the session that is being resumed held when the page was left */
  #resuming = null;
  #restoration = 0;
  #upload = new AbortController();

  /**
   * @param {State} state @param {Outside} outside @param {Exchange} exchange @param {History} history @param {Steps} steps
   * @param {Sight} sight @param {(error: unknown) => void} report
   */
  constructor(state, outside, exchange, history, steps, sight, report) {
    this.state = state;
    this.outside = outside;
    this.exchange = exchange;
    this.history = history;
    this.steps = steps;
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
    this.#lost = null;
    this.#resuming = null;
  }

  /**
   * Upload a picture and open it.
   * @param {Picture} picture @param {AbortSignal} signal @param {boolean} replay
   */
  async openOnServer(picture, signal, replay) {
    for (let attempt = 0; ; attempt += 1) {
      const word = await this.outside.upload(picture.file, picture.name, (fraction) => this.progress({ stage: "uploading", fraction, position: null }), signal);
      signal.throwIfAborted();
      await this.sight.see(picture.file, word); // nobody may click before the picture stands as the server sees it
      signal.throwIfAborted();
      this.progress({ stage: "queued", fraction: null, position: null });
      try {
        await this.exchange.request({ t: "open", image_id: word.imageId, name: picture.name }, { replay });
        return;
      } catch (error) {
        // The server may have restarted between the upload and the opening.
        if (!(error instanceof Refused && error.code === "unknown_image" && attempt === 0)) throw error;
      }
    }
  }

  /** @param {Work} work */
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
  adopt({ picture, recipe }) {
    this.state.picture = { ...picture, imageId: recipe.imageId, encodeMs: 0, cached: true };
    this.state.nextColor = recipe.nextColor;
    this.steps.adopt(recipe.ties);
    this.state.restoring = true;
    this.#resuming = recipe;
  }

  /** @param {Welcome} message */
  welcome(message) {
    this.exchange.forget();
    const lost = this.#lost ?? (message.resumed ? null : this.#whatWasThere());
    this.state.model = message.model;
    if (message.resumed && this.#lost === null) {
      this.#resuming ??= recipeOf(this.state, this.history, this.steps); // until all is said again, this is the whole of it
      this.exchange.sendAgain();
      return;
    }
    if (!message.resumed) this.state.nextColor = 0;
    this.exchange.requests.dropReplay();
    this.#lost = lost;
    if (this.state.pending) this.exchange.sendAnew(new Map());
    else if (this.#lost) void this.restore();
  }

  /** @returns {Saved | null} */
  #whatWasThere() {
    const { picture } = this.state;
    const recipe = this.#resuming ?? recipeOf(this.state, this.history, this.steps);
    this.#resuming = null;
    return picture && recipe ? { picture, recipe } : null;
  }

  /** Something is on its way back: what the page knows of the objects is not the whole. */
  get isBusy() {
    return this.state.restoring || this.#resuming !== null;
  }

  /** The session that is being resumed has the picture: its objects follow. @param {ImageReady} message */
  imageIsThere(message) {
    if (this.#resuming === null || this.#resuming.imageId !== message.image_id) return;
    this.state.restoring = false;
    this.state.active = this.#resuming.active;
  }

  /** @returns {boolean} a session is being resumed that has not shown our picture yet: what it holds is of another */
  get isWaiting() {
    return this.#resuming !== null && this.state.restoring;
  }

  /** An object of a session that was resumed: its steps are known if it is as it was. @param {ObjectMessage} message */
  recognise(message) {
    const kept = this.#resuming?.objects.find((one) => one.id === message.id);
    const object = this.state.objects.get(message.id);
    if (kept && object && same([kept.points, kept.box, kept.chosen], [object.points, object.box, object.chosen])) this.history.plant(object, kept.steps);
  }

  /** All that the server had to say of a resumed session has arrived. */
  allIsSaid() {
    if (this.#resuming === null) return;
    if (this.state.restoring) {
      this.#lost = this.#whatWasThere();
      if (this.#lost) void this.restore();
      return;
    }
    this.#resuming = null;
    if (this.state.active !== null && !this.state.objects.has(this.state.active)) this.state.active = null;
  }

  /** Open the picture again in a new session, and make its objects again from their prompts. */
  async restore() {
    const lost = this.#lost;
    if (lost === null) return;
    const signal = this.begin();
    const own = this.#restoration;
    this.state.restoring = true;
    const { hidden, isolated } = this.state;
    this.state.hidden = new Set();
    this.state.isolated = null;
    try {
      this.state.picture = openPicture(lost);
      await this.#sameModel(lost.recipe.model);
      await this.openOnServer(lost.picture, signal, true);
      const ids = await this.#replay(lost.recipe);
      this.#lost = null;
      this.state.restoring = false;
      this.state.active = lost.recipe.active === null ? null : (ids.get(lost.recipe.active) ?? null);
      this.state.hidden = new Set([...hidden].flatMap((id) => ids.get(id) ?? []));
      this.state.isolated = isolated === null ? null : (ids.get(isolated) ?? null);
      this.exchange.sendAnew(ids);
    } catch (error) {
      if (own !== this.#restoration || error instanceof Superseded) return;
      if (error instanceof Refused) this.#lost = null; // what is made is what can be made; else the next welcome tries again
      this.state.restoring = false;
      this.exchange.requests.dropAll(new Superseded("the session was lost"));
      this.report(error);
    }
    this.outside.changed();
  }

  /** A new session begins with the server's own model; one that is gone is done without. @param {string} model */
  async #sameModel(model) {
    if (model === this.state.model || !this.state.models.some(({ name }) => name === model)) return;
    try {
      await this.exchange.request({ t: "model", name: model }, { replay: true });
      this.state.model = model;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** @param {Recipe} recipe @returns {Promise<Map<number, number>>} from the old ids to the new */
  async #replay(recipe) {
    /** @type {Map<number, number>} */
    const ids = new Map();
    for (const object of recipe.objects) {
      const [first, ...rest] = makesAnObject(object.steps[0]) ? object.steps : promptsOf(object);
      const id = first && (await this.#begin(first, object.color));
      if (id === undefined) continue;
      ids.set(object.id, id);
      for (const step of rest) await this.#again({ ...step, object: id });
      await this.#finish(object, id);
    }
    return ids;
  }

  /** @param {object} request @returns {Promise<ServerMessage>} */
  #again(request) {
    return this.exchange.request(/** @type {Request} */ (request), { replay: true });
  }

  /**
   * Make an object with its colour. The server gives each new object the next one, also where those between were deleted:
   * so this one is made and deleted until it has the right one, all of which one undo takes back.
   * @param {Step} first @param {number} color palette index
   * @returns {Promise<number | undefined>} its id
   */
  async #begin(first, color) {
    for (let spare = 0; ; spare += 1) {
      const reply = await this.#again(first);
      if (reply.t !== "object") return undefined;
      if ((reply.color - color) % PALETTE.length === 0 || spare === PALETTE.length) {
        this.steps.tie(2 * spare);
        return reply.id;
      }
      await this.#again({ t: "delete", object: reply.id });
    }
  }

  /** @param {ObjectRecipe} object @param {number} id */
  async #finish(object, id) {
    const made = this.state.objects.get(id);
    if (made && made.chosen !== object.chosen && object.chosen < made.masks.length) {
      await this.#again({ t: "choose", object: id, candidate: object.chosen });
    }
    if (made && made.name !== object.name) await this.#again({ t: "label", object: id, name: object.name });
  }
}

/** @param {Saved} saved @returns {OpenPicture} */
function openPicture({ picture, recipe }) {
  return { ...picture, imageId: recipe.imageId, encodeMs: 0, cached: true };
}

/** @param {Step | undefined} step */
function makesAnObject(step) {
  return step?.t === "click" || step?.t === "box";
}

/** @param {unknown} a @param {unknown} b */
function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
