/**
 * Requests and hovers on the wire: what was asked, what is still to come, what must be asked again. Touches no page
 * element.
 */

import { answer, createHoverFlow, forget, retire, take, want } from "../wire/hovers.js";
import { sharpAt } from "../model/sharpness.js";
import { Requests } from "../wire/requests.js";

/** @import { Store } from "../model/store.js" */
/** @import { XY } from "../model/types.ts" */
/** @import { Box, Class, Label, Request, ServerMessage } from "../wire/messages.ts" */
/** @import { Outside } from "./types.ts" */

/** Requests after which what lies under the pointer is the same as before. */
const HARMLESS = new Set(["export", "label", "track", "stop"]);
/** Searches and looks that may be without an answer: the server gives up all but the newest of each. */
const MAX_ASIDES = 32;

export class Exchange {
  requests;
  /** @type {number | null} the undo or redo whose replies may come in several messages */
  travelling = null;
  /** Why the picture that is shown can't be opened. @type {Error | null} */
  barred = null;
  /** @type {number | null} the newest search for regions */
  searching = null;
  /** @type {number | null} the newest part of the picture that the server is to see by itself */
  looking = null;
  /** Searches and looks on their way: one that is given up for a newer one is missed by nobody. @type {Set<number>} */
  #asides = new Set();
  #hovers = createHoverFlow();
  /** The newest preview that was on the screen. */
  #painted = 0;
  /** The pointer is over something that is asked about. */
  #hovering = false;
  /** @type {Map<number, { at: number, label: Label }>} the hovers on their way; when they were sent, ms */
  #asked = new Map();

  /** @param {Store} store @param {Outside} outside */
  constructor(store, outside) {
    this.store = store;
    this.outside = outside;
    this.requests = new Requests(outside.lastSeq, outside.reserve);
  }

  /**
   * @param {Request} request
   * @param {{ replay: boolean }} [options]
   * @returns {Promise<ServerMessage>} the first reply
   */
  request(request, options = { replay: false }) {
    if (this.barred !== null && !options.replay) return Promise.reject(this.barred);
    const { message, reply } = this.requests.add(request, options);
    if (!HARMLESS.has(request.t)) this.forget();
    // Unsent without a connection, and while a lost session is restored: both send it later.
    if (options.replay || !this.store.state.restoring) this.outside.line.send(message);
    return reply;
  }

  /** Nothing can be asked of the picture that is shown. @param {Error} reason that whoever waits is told */
  bar(reason) {
    this.barred = reason;
    this.requests.drop(reason);
  }

  /** Tell a session that begins which classes there are. @param {readonly Class[]} classes */
  tellClasses(classes) {
    this.outside.line.send({ t: "classes", seq: this.requests.number(), classes });
  }

  /** Have the server look for the things of the picture that is open. */
  search() {
    this.searching = this.#aside();
    this.outside.line.send({ t: "regions", seq: this.searching });
  }

  /**
   * Have the server see a part of the picture by itself.
   * @param {Box} view image pixels @param {number} scale pixels of the screen for one of the image
   */
  look(view, scale) {
    this.looking = this.#aside();
    this.outside.line.send({ t: "look", seq: this.looking, view, scale });
  }

  #aside() {
    const seq = this.requests.number();
    const [oldest] = this.#asides;
    if (this.#asides.size === MAX_ASIDES) this.#asides.delete(oldest); // lost with a connection
    this.#asides.add(seq);
    return seq;
  }

  /** A search or look has its last answer. @param {number} seq @returns {boolean} it was one */
  endAside(seq) {
    return this.#asides.delete(seq);
  }

  /** Make every hover so far stale. */
  forget() {
    forget(this.#hovers, this.requests.lastSeq);
    this.#asked.clear();
  }

  // ---- the pointer

  /** @param {XY} point @param {Label} label @param {number | undefined} object */
  hover(point, label, object) {
    this.#hovering = true;
    want(this.#hovers, { ...point, label, object });
    this.pump();
  }

  /**
   * Send the newest hover if there is room for it. Called once a frame too, so that a lost reply doesn't stop the flow.
   */
  pump() {
    if (this.store.state.connection !== "ready") return;
    const now = this.outside.now();
    const hover = take(this.#hovers, this.requests.lastSeq + 1, now);
    if (!hover) return;
    const seq = this.requests.number();
    this.#asked.set(seq, { at: now, label: hover.label });
    this.outside.line.send({ t: "hover", seq, ...hover, ack: this.#painted || undefined, ...sharpAt(this.store.state, hover) });
  }

  /** The pointer left the picture: nothing is under it any more. */
  leave() {
    if (!this.#hovering && this.store.state.preview === null) return;
    this.#hovering = false;
    this.outside.line.send({ t: "leave", seq: this.requests.number() });
    this.forget();
    this.store.dropPreview();
  }

  /**
   * @param {number} seq of a preview
   * @returns {Label | null} of the hover; null where the preview may not be painted
   */
  accepts(seq) {
    const asked = this.#asked.get(seq);
    return answer(this.#hovers, seq) && this.#hovering && asked ? asked.label : null;
  }

  /** A preview is on the screen. @param {number} seq */
  painted(seq) {
    if (seq <= this.#painted) return;
    this.#painted = seq;
    const asked = this.#asked.get(seq);
    if (asked) this.outside.latency.add("total", this.outside.now() - asked.at);
    for (const one of [...this.#asked.keys()]) if (one <= seq) this.#asked.delete(one);
  }

  // ---- replies

  /**
   * Hand a reply to the request that waits for it.
   * @param {ServerMessage & { seq: number }} message
   * @returns {boolean} one did
   */
  settle(message) {
    retire(this.#hovers, message.seq);
    return this.requests.settle(message.seq, message);
  }

  /**
   * Send what was not answered: in a session that was resumed as it was, in a new one under new numbers.
   * @param {{ resumed: boolean }} session
   */
  sendAgain(session) {
    for (const request of this.requests.unanswered(session)) this.outside.line.send(request);
  }
}
