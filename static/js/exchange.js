/**
 * Requests and hovers on the wire: what was asked, what is still to come, what must be asked again. Touches no page element.
 */

import { answer, createHoverFlow, forget, retire, take, want } from "./hovers.js";
import { Requests } from "./requests.js";

/** @import { Label, ClientMessage, Request, ServerMessage } from "./protocol.js" */
/** @import { Latency } from "./latency.js" */
/** @import { State, View } from "./state.js" */
/** @import { Word } from "./sight.js" */

/** @typedef {{ x: number, y: number }} XY image pixels */

/**
 * @typedef {object} Outside
 * @property {(message: ClientMessage) => boolean} send false where there is no connection
 * @property {(file: Blob, name: string, onFraction: (fraction: number) => void, signal: AbortSignal) => Promise<Word>} upload
 * @property {(file: Blob, word: Word, bitmap: ImageBitmap | null) => Promise<View>} view the picture as the server sees it; the bitmap is as the browser does
 * @property {() => void} changed the state is not what was drawn
 * @property {() => number} now ms
 * @property {number} [lastSeq] the newest number that may have been used in the session that is to be resumed
 * @property {(seq: number) => void} [reserve] keeps the number up to which numbers may be used
 * @property {Latency} [latency] gets the time from a hover to its mask on the screen
 */

/** Requests after which what lies under the pointer is the same as before. */
const HARMLESS = new Set(["export", "label"]);

export class Exchange {
  requests;
  /** @type {number | null} the undo or redo whose replies may come in several messages */
  travelling = null;
  #hovers = createHoverFlow();
  #painted = 0;
  #hovering = false;
  /** @type {Map<number, { at: number, label: Label }>} the hovers on their way; when they were sent, ms */
  #asked = new Map();

  /** @param {State} state @param {Outside} outside */
  constructor(state, outside) {
    this.state = state;
    this.outside = outside;
    this.requests = new Requests(outside.lastSeq, outside.reserve);
  }

  /** @param {Request} request @param {{ replay: boolean }} [options] @returns {Promise<ServerMessage>} the first reply */
  request(request, options = { replay: false }) {
    const { message, reply } = this.requests.add(request, options);
    if (!HARMLESS.has(request.t)) this.forget();
    // Unsent without a connection, and while a lost session is restored: both send it later.
    if (options.replay || !this.state.restoring) this.outside.send(message);
    return reply;
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

  /** Send the newest hover if there is room for it. Called once a frame too, so that a lost reply doesn't stop the flow. */
  pump() {
    if (this.state.connection !== "ready") return;
    const now = this.outside.now();
    const hover = take(this.#hovers, this.requests.lastSeq + 1, now);
    if (!hover) return;
    const seq = this.requests.number();
    this.#asked.set(seq, { at: now, label: hover.label });
    this.outside.send({ t: "hover", seq, ...hover, ack: this.#painted || undefined });
  }

  /** The pointer left the picture: nothing is under it any more. */
  leave() {
    if (!this.#hovering && this.state.preview === null) return;
    this.#hovering = false;
    this.outside.send({ t: "leave", seq: this.requests.number() });
    this.forget();
    this.state.preview = null;
    this.outside.changed();
  }

  /** @param {number} seq of a preview @returns {Label | null} of the hover; null where the preview may not be painted */
  accepts(seq) {
    const asked = this.#asked.get(seq);
    return answer(this.#hovers, seq) && this.#hovering && asked ? asked.label : null;
  }

  /** A preview is on the screen. @param {number} seq */
  painted(seq) {
    if (seq <= this.#painted) return;
    this.#painted = seq;
    const asked = this.#asked.get(seq);
    if (asked) this.outside.latency?.add("total", this.outside.now() - asked.at);
    for (const one of [...this.#asked.keys()].filter((one) => one <= seq)) this.#asked.delete(one);
  }

  // ---- replies

  /** Hand a reply to the request that waits for it. @param {ServerMessage & { seq: number }} message @returns {boolean} one did */
  settle(message) {
    retire(this.#hovers, message.seq);
    return this.requests.settle(message.seq, message);
  }

  /** Send what was not answered, in a session that was resumed. */
  sendAgain() {
    for (const request of this.requests.unanswered()) this.outside.send(request);
  }

  /** Send what was not answered in a new session. */
  sendAnew() {
    for (const request of this.requests.renumber()) this.outside.send(request);
  }
}
