/**
 * What a person can do with a picture: turns intents into requests and replies into state. Touches no page element.
 *
 * Prompts wait for one another, because a click on a new object must know the id that the click before it was given.
 */

import { answer, createHoverFlow, forget, retire, take, want } from "./hovers.js";
import { clipName } from "./protocol.js";
import { promptsOf, recipeOf } from "./recipe.js";
import { Refused, Requests, Superseded } from "./requests.js";
import { applyGone, applyImage, applyObject, applyPreview, isArmed, objectAt } from "./state.js";

/** @import { Box, BoxPrompt, Click, ClientMessage, Label, Request, ServerMessage, Welcome } from "./protocol.js" */
/** @import { Recipe } from "./recipe.js" */
/** @import { ObjectState, Picture, Stage, State } from "./state.js" */
/** @import { Uploaded } from "./upload.js" */

/** @typedef {{ x: number, y: number }} XY image pixels */

/**
 * @typedef {object} Outside
 * @property {(message: ClientMessage) => boolean} send false where there is no connection
 * @property {(file: Blob, name: string, onFraction: (fraction: number) => void, signal: AbortSignal) => Promise<Uploaded>} upload
 * @property {() => void} changed the state is not what was drawn
 * @property {() => number} now ms
 */

const MAX_WAITING_ACTIONS = 16;
/** Errors of a hover that the next hover makes good. */
const PASSING = new Set(["busy", "rate_limited", "no_image", "unknown_object"]);

export class Studio {
  #requests = new Requests();
  #hovers = createHoverFlow();
  #painted = 0;
  #hovering = false;
  #waitingActions = 0;
  /** @type {Promise<void>} */
  #lastAction = Promise.resolve();
  #upload = new AbortController();
  /** @type {Recipe | null} what a lost session held, until it is restored */
  #recipe = null;
  #restoration = 0;
  /** @type {number | null} the undo or redo whose replies may come in several messages */
  #travelling = null;

  /** @param {State} state @param {Outside} outside */
  constructor(state, outside) {
    this.state = state;
    this.outside = outside;
  }

  // ---- pictures

  /**
   * Open a picture: show it at once, upload it, wait until the model has seen it. On failure the one before stays.
   * @param {Picture} picture
   */
  async open(picture) {
    this.leave();
    this.#abandon();
    const { signal } = (this.#upload = new AbortController());
    this.state.notice = null;
    this.state.pending = { ...picture, stage: "uploading", fraction: 0, position: null };
    this.outside.changed();
    try {
      await this.#openOnServer(picture, signal, false);
      this.state.active = null;
      this.#recipe = null;
      if (picture.bitmap === null) this.#report(new Error("The server took this picture, but this browser can't show it."));
    } catch (error) {
      if (signal.aborted) return;
      this.state.pending = null;
      this.#report(error);
      if (this.#recipe) this.#restore();
    }
    this.outside.changed();
  }

  /** Give up an upload and a restoration that are under way, and forget prompts on the picture that goes. */
  #abandon() {
    this.#upload.abort();
    this.#restoration += 1;
    this.state.restoring = false;
    this.#requests.dropAll(new Superseded("another picture is being opened"));
  }

  /** @param {Picture} picture @param {AbortSignal} signal @param {boolean} replay */
  async #openOnServer(picture, signal, replay) {
    for (let attempt = 0; ; attempt += 1) {
      const { imageId } = await this.outside.upload(picture.file, picture.name, (fraction) => this.#progress("uploading", fraction), signal);
      signal.throwIfAborted();
      this.#progress("queued", null);
      try {
        await this.#request({ t: "open", image_id: imageId, name: clipName(picture.name) }, { replay });
        return;
      } catch (error) {
        // The server may have restarted between the upload and the opening.
        if (!(error instanceof Refused && error.code === "unknown_image" && attempt === 0)) throw error;
      }
    }
  }

  /** @param {Stage} stage @param {number | null} fraction @param {number | null} [position] */
  #progress(stage, fraction, position = null) {
    if (this.state.pending) Object.assign(this.state.pending, { stage, fraction, position });
    this.outside.changed();
  }

  // ---- the pointer

  /** Ask what lies under a point. @param {XY} point @param {Label} label */
  hover(point, label) {
    if (!isArmed(this.state)) return;
    const object = this.state.active ?? (label === 0 ? objectAt(this.state, point) : undefined) ?? undefined;
    if (label === 0 && object === undefined) return this.leave();
    this.#hovering = true;
    want(this.#hovers, { ...point, label, object });
    this.pump();
  }

  /** Send the newest hover if there is room for it. Called once a frame too, so that a lost reply doesn't stop the flow. */
  pump() {
    if (this.state.connection !== "ready") return;
    const hover = take(this.#hovers, this.#requests.lastSeq + 1, this.outside.now());
    if (hover) this.outside.send({ t: "hover", seq: this.#requests.number(), ...hover, ack: this.#painted || undefined });
  }

  /** The pointer left the picture: nothing is under it any more. */
  leave() {
    if (!this.#hovering && this.state.preview === null) return;
    this.#hovering = false;
    this.outside.send({ t: "leave", seq: this.#requests.number() });
    forget(this.#hovers, this.#requests.lastSeq);
    this.state.preview = null;
    this.outside.changed();
  }

  // ---- prompts

  /** Place a point on the active object, or on a new one. @param {XY} point @param {Label} label */
  click(point, label) {
    return this.#act(async () => {
      if (label === 0 && this.state.active === null) {
        this.state.active = objectAt(this.state, point);
        if (this.state.active === null) throw new Error("Nothing to take away from here: click an object first.");
      }
      await this.#prompt({ t: "click", ...point, label });
    });
  }

  /** Prompt with a box. @param {Box} box */
  box(box) {
    return this.#act(() => this.#prompt({ t: "box", box }));
  }

  /** Keep the active object as it is; the next click starts a new one. */
  commit() {
    return this.#act(async () => this.#activate(null));
  }

  /** Make an object the one that clicks refine. @param {number} id */
  select(id) {
    return this.#act(async () => this.#activate(this.state.objects.has(id) ? id : null));
  }

  /** Show another candidate of the active object. @param {1 | -1} step */
  cycle(step) {
    return this.#change((object) => {
      const count = object.masks.length;
      return count < 2 ? null : { t: "choose", object: object.id, candidate: (object.chosen + step + count) % count };
    });
  }

  /** Move a point of the active object. @param {number} point index @param {XY} to */
  movePoint(point, to) {
    return this.#change((object) => (point < object.points.length ? { t: "move", object: object.id, point, ...to } : null));
  }

  /** Take a point of the active object back. @param {number} point index */
  removePoint(point) {
    return this.#change((object) => (point < object.points.length ? { t: "unpoint", object: object.id, point } : null));
  }

  removeActive() {
    return this.#change((object) => ({ t: "delete", object: object.id }));
  }

  /** @param {number} id */
  remove(id) {
    return this.#act(async () => {
      if (this.state.objects.has(id)) await this.#request({ t: "delete", object: id });
    });
  }

  clear() {
    return this.#act(async () => {
      if (this.state.objects.size > 0) await this.#request({ t: "clear" });
    });
  }

  undo() {
    return this.#act(async () => {
      if (this.state.canUndo) await this.#travel("undo");
    });
  }

  redo() {
    return this.#act(async () => {
      if (this.state.canRedo) await this.#travel("redo");
    });
  }

  /** Change the active object, if there is one. @param {(object: ObjectState) => Request | null} change */
  #change(change) {
    return this.#act(async () => {
      const object = this.#active();
      const request = object ? change(object) : null;
      if (request) await this.#request(request);
    });
  }

  #active() {
    return this.state.active === null ? undefined : this.state.objects.get(this.state.active);
  }

  /** @param {number | null} id */
  #activate(id) {
    this.state.active = id;
    this.state.preview = null;
    forget(this.#hovers, this.#requests.lastSeq);
  }

  /** @param {Click | BoxPrompt} prompt */
  async #prompt(prompt) {
    const object = this.state.active ?? undefined;
    const reply = await this.#request({ ...prompt, object });
    if (reply.t === "object") this.state.active = reply.id;
  }

  /** @param {"undo" | "redo"} direction */
  async #travel(direction) {
    const reply = this.#request({ t: direction });
    this.#travelling = this.#requests.lastSeq;
    await reply;
  }

  /**
   * Do one action after those before it; what goes wrong is told, and the next goes on.
   * @param {() => Promise<void>} action
   * @returns {Promise<void>}
   */
  #act(action) {
    if (!isArmed(this.state) && !this.state.restoring) return Promise.resolve();
    if (this.#waitingActions >= MAX_WAITING_ACTIONS) {
      this.#report(new Error("The server is behind; that was not taken. Try again in a moment."));
      return Promise.resolve();
    }
    this.#waitingActions += 1;
    const picture = this.state.picture?.file;
    this.#lastAction = this.#lastAction.then(async () => {
      try {
        if (this.state.picture?.file !== picture) return;
        await action();
        this.state.notice = null;
      } catch (error) {
        this.#report(error);
      } finally {
        this.#waitingActions -= 1;
        this.outside.changed();
      }
    });
    return this.#lastAction;
  }

  // ---- requests and replies

  /** @param {Request} request @param {{ replay: boolean }} [options] @returns {Promise<ServerMessage>} the first reply */
  #request(request, options = { replay: false }) {
    const { message, reply } = this.#requests.add(request, options);
    forget(this.#hovers, this.#requests.lastSeq);
    // Unsent without a connection, and while a lost session is restored: both send it later.
    if (options.replay || !this.state.restoring) this.outside.send(message);
    return reply;
  }

  /** @param {unknown} error */
  #report(error) {
    if (error instanceof Superseded) return;
    this.state.notice = error instanceof Error ? error.message : String(error);
    this.outside.changed();
  }

  /** Take in a message of the server. @param {ServerMessage} message */
  receive(message) {
    const { state } = this;
    switch (message.t) {
      case "welcome": this.#welcome(message); break;
      case "progress": this.#progress(/** @type {Stage} */ (message.stage), message.fraction ?? null, message.position); break;
      case "image": applyImage(state, message, this.#requests.has(message.seq)); break;
      case "preview": if (answer(this.#hovers, message.seq) && this.#hovering) applyPreview(state, message); break;
      case "object": applyObject(state, message); break;
      case "gone": applyGone(state, message); break;
      default: break;
    }
    this.#settle(message);
    this.pump();
    this.outside.changed();
  }

  /** @param {ServerMessage} message */
  #settle(message) {
    if (message.t === "progress" || !("seq" in message) || typeof message.seq !== "number") {
      if (message.t === "error") this.#report(new Error(message.message));
      return;
    }
    retire(this.#hovers, message.seq);
    if (message.t === "object" && message.seq === this.#travelling) this.state.active = message.id;
    const expected = this.#requests.settle(message.seq, message);
    if (message.t === "error" && !expected && !PASSING.has(message.code)) this.#report(new Error(message.message));
  }

  /** A preview is on the screen. @param {number} seq */
  painted(seq) {
    this.#painted = Math.max(this.#painted, seq);
  }

  // ---- coming back

  /** @param {Welcome} message */
  #welcome(message) {
    this.state.model = message.model;
    forget(this.#hovers, this.#requests.lastSeq);
    if (message.resumed && this.#recipe === null) {
      for (const request of this.#requests.unanswered()) this.outside.send(request);
      return;
    }
    this.#requests.dropReplay();
    this.#recipe ??= recipeOf(this.state);
    if (this.state.pending) for (const request of this.#requests.renumber(new Map())) this.outside.send(request);
    else if (this.#recipe) this.#restore();
  }

  /** Open the picture again in a new session, and make its objects again from their prompts. */
  async #restore() {
    const recipe = this.#recipe;
    if (recipe === null) return;
    this.#restoration += 1;
    const own = this.#restoration;
    this.state.restoring = true;
    try {
      this.#upload.abort();
      this.#upload = new AbortController();
      await this.#openOnServer(recipe.picture, this.#upload.signal, true);
      const ids = await this.#replay(recipe);
      this.#recipe = null;
      this.state.restoring = false;
      this.state.active = recipe.active === null ? null : (ids.get(recipe.active) ?? null);
      for (const request of this.#requests.renumber(ids)) this.outside.send(request);
    } catch (error) {
      if (own !== this.#restoration || error instanceof Superseded) return;
      if (error instanceof Refused) this.#recipe = null; // what is made is what can be made; else the next welcome tries again
      this.state.restoring = false;
      this.#requests.dropAll(new Superseded("the session was lost"));
      this.#report(error);
    }
    this.outside.changed();
  }

  /** @param {Recipe} recipe @returns {Promise<Map<number, number>>} from the old ids to the new */
  async #replay(recipe) {
    /** @type {Map<number, number>} */
    const ids = new Map();
    for (const object of recipe.objects) {
      for (const prompt of promptsOf(object)) {
        const reply = await this.#request({ ...prompt, object: ids.get(object.id) }, { replay: true });
        if (reply.t === "object") ids.set(object.id, reply.id);
      }
      const id = ids.get(object.id);
      if (id !== undefined) await this.#replayChoice(object, id);
    }
    return ids;
  }

  /** @param {ObjectState} object @param {number} id */
  async #replayChoice(object, id) {
    const made = this.state.objects.get(id);
    if (made && made.chosen !== object.chosen && object.chosen < made.masks.length) {
      await this.#request({ t: "choose", object: id, candidate: object.chosen }, { replay: true });
    }
    if (made && made.name !== object.name) await this.#request({ t: "label", object: id, name: object.name }, { replay: true });
  }
}
