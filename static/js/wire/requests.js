/**
 * Requests on their way: numbered, kept until answered, so that a dropped connection loses none. No I/O.
 *
 * The server answers a number that it has handled from its state, so sending one twice is safe.
 */

import { errorText } from "../words/errors.js";

/** @import { Request, ServerMessage } from "./messages.ts" */

/**
 * @typedef {object} Outstanding
 * @property {number} seq
 * @property {Request} request
 * @property {boolean} replay part of restoring a lost session: void in the next one
 * @property {ServerMessage} [first] message of the answer
 * @property {(reply: ServerMessage) => void} resolve
 * @property {(error: Error) => void} reject
 */

/** The server refused: its code, and the page's words for it. */
export class Refused extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The session that this belonged to is lost; what it did is being done anew. */
export class Superseded extends Error {}

/** Messages of which an answer may have several. */
const SEVERAL = new Set(["clip", "image", "classes", "object", "gone"]);
/** Messages that come before what an answer is about. */
const BEFOREHAND = new Set(["clip", "classes"]);
/** So many numbers are set aside at once, because keeping each one would cost a write for every hover. */
const BLOCK = 1000;

export class Requests {
  /** @type {Map<number, Outstanding>} */
  #outstanding = new Map();
  #lastSeq;
  #reserved;
  #reserve;

  /**
   * @param {number} [lastSeq] the newest number that may have been used before, in this session
   * @param {(seq: number) => void} [reserve] keeps the number up to which numbers may be used from now on
   */
  constructor(lastSeq = 0, reserve = () => {}) {
    this.#lastSeq = lastSeq;
    this.#reserved = lastSeq;
    this.#reserve = reserve;
  }

  /** The newest number used. */
  get lastSeq() {
    return this.#lastSeq;
  }

  /** @returns {number} the next number, used up */
  number() {
    this.#lastSeq += 1;
    if (this.#lastSeq > this.#reserved) {
      this.#reserved = this.#lastSeq + BLOCK;
      this.#reserve(this.#reserved);
    }
    return this.#lastSeq;
  }

  /**
   * Number a request and keep it.
   * @param {Request} request
   * @param {{ replay: boolean }} options
   * @returns {{ message: Request & { seq: number }, reply: Promise<ServerMessage> }}
   */
  add(request, { replay }) {
    const seq = this.number();
    /** @type {Promise<ServerMessage>} */
    const reply = new Promise((resolve, reject) => {
      this.#outstanding.set(seq, { seq, request, replay, resolve, reject });
    });
    return { message: { ...request, seq }, reply };
  }

  /** @param {number} seq @returns {boolean} a request waits for it */
  has(seq) {
    return this.#outstanding.has(seq);
  }

  /** @param {number} seq @returns {Request | undefined} what waits for it */
  get(seq) {
    return this.#outstanding.get(seq)?.request;
  }

  /**
   * Take in a message of an answer; the last of it hands the first to whoever waits, or what comes after the classes
   * and the clip.
   * @param {number} seq @param {ServerMessage} reply @returns {boolean} a request waits for it
   */
  settle(seq, reply) {
    const waiting = this.#outstanding.get(seq);
    if (!waiting) return false;
    if (waiting.first === undefined || BEFOREHAND.has(waiting.first.t)) waiting.first = reply;
    if (SEVERAL.has(reply.t) && !("last" in reply && reply.last)) return true;
    this.#outstanding.delete(seq);
    if (reply.t === "error") waiting.reject(new Refused(reply.code, errorText(reply)));
    else waiting.resolve(waiting.first);
    return true;
  }

  /**
   * Everything unanswered, oldest first, to be sent again: as it is in a session that was resumed, under new numbers
   * in a new one. An `open` isn't a change that the server keeps the number of, so it always gets a new one, and comes
   * last.
   * @param {{ resumed: boolean }} session
   * @returns {(Request & { seq: number })[]}
   */
  unanswered({ resumed }) {
    for (const waiting of [...this.#outstanding.values()]) {
      delete waiting.first; // what came of an answer before comes again
      if (resumed && waiting.request.t !== "open") continue;
      this.#outstanding.delete(waiting.seq);
      waiting.seq = this.number();
      this.#outstanding.set(waiting.seq, waiting);
    }
    return [...this.#outstanding.values()].map(({ seq, request }) => ({ ...request, seq }));
  }

  /** A newer request takes the place of those of its kind. @param {Request["t"]} kind @param {Error} reason */
  dropKind(kind, reason) {
    for (const { seq, request, reject } of [...this.#outstanding.values()]) {
      if (request.t !== kind) continue;
      this.#outstanding.delete(seq);
      reject(reason);
    }
  }

  /**
   * Void what waits: all of it, or what restored an older session alone.
   * @param {Error} reason that whoever waits gets
   * @param {{ replayOnly: boolean }} [which]
   */
  drop(reason, { replayOnly } = { replayOnly: false }) {
    for (const waiting of [...this.#outstanding.values()]) {
      if (replayOnly && !waiting.replay) continue;
      this.#outstanding.delete(waiting.seq);
      waiting.reject(reason);
    }
  }
}
