/**
 * One WebSocket that comes back: hello, ping, reconnection with growing pauses. Knows nothing of pictures.
 *
 * What a message means is the dispatcher's to say (session/dispatcher.js): it calls `begin` on a welcome and `refuse`
 * on an error.
 */

import { TICKET_PREFIX } from "./http.js";
import { decodeMessage, encodeMessage, SUBPROTOCOL, VERSION } from "./protocol.js";
import { errorText } from "../words/errors.js";
import { t } from "../words/translate.js";

/** @import { Admission } from "./http.js" */
/** @import { ClientMessage, ErrorMessage, LineState, ServerMessage, Welcome } from "./messages.ts" */


const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8000;
const PING_EVERY_MS = 15000;
/** So many pings without a word after them mean that the other side is gone. */
const MAX_UNANSWERED = 2;
/** A server says welcome within this after it was dialled, or it is dialled again. */
const WELCOME_MS = 10000;
/** An answer that is asked for in a hurry comes within this, or the other side is gone. */
const HURRY_MS = 5000;
/** So many sockets in a row that don't open, though the server itself lets the page in, are lost between the two. */
const MAX_UNOPENED = 2;
const [LOST, FULL, WRONG_TOKEN] = [1006, 1013, 4401];

/** Close codes after which coming back would do harm or no good, and the words for it. */
const FINAL = new Map(/** @type {const} */ ([[4409, "line.elsewhere"], [4426, "line.version"]]));

/**
 * The pause before a new attempt: doubling from 0.25 s to 8 s, of which a random half, so that many pages don't
 * return at once.
 * @param {number} attempt 0 for the first
 * @param {number} random 0 to 1
 * @returns {number} ms
 */
export function retryDelayMs(attempt, random) {
  const whole = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
  return whole / 2 + (whole / 2) * random;
}

/** @typedef {{ session: string, token: string }} Credentials */

/**
 * @typedef {object} Handlers
 * @property {(message: ServerMessage) => void} onMessage
 * @property {(state: LineState) => void} onState
 * @property {(credentials: Credentials | null) => void} onCredentials what the session can be resumed with, from now
 *   on
 * @property {(text: string) => void} onTrouble a sentence for the person, once
 * @property {() => Promise<Admission | null>} ask why a socket doesn't open, and for a ticket; null where nobody
 *   answers
 */

export class Connection {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Credentials | null} */
  #credentials;
  #attempt = 0;
  /** Which dialling is under way. */
  #turn = 0;
  #asks;
  #hasOpened = false;
  #unopened = 0;
  /** @type {string | null} why the server ends a session before it began */
  #refusal = null;
  /** What the person was told last since a session was there. */
  #told = "";
  #ready = false;
  #retryAfterMs = 0;
  #heardAt = 0;
  #unanswered = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pingTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #welcomeTimer;

  /**
   * @param {string} url
   * @param {Handlers} handlers
   * @param {Credentials | null} [credentials] of a session to resume
   * @param {{ asksFirst: boolean }} [options] `asksFirst`: the server knows itself by another name, and lets in no
   *   socket without a ticket
   */
  constructor(url, handlers, credentials = null, { asksFirst } = { asksFirst: false }) {
    this.#credentials = credentials;
    this.#asks = asksFirst;
    this.asksFirst = asksFirst;
    this.url = url;
    this.handlers = handlers;
  }

  /** Open the socket now, in place of one that waits or is broken. */
  open() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#drop();
    this.handlers.onState("connecting");
    if (this.#asks) void this.#ask((this.#turn += 1));
    else this.#dial(null);
  }

  /** Ask the server to let the page in, then dial. @param {number} turn */
  async #ask(turn) {
    const admission = await this.handlers.ask();
    if (turn !== this.#turn) return;
    if (admission?.refusal) this.#refused(admission.refusal, admission.isFinal);
    else if (admission === null) this.#wait("waiting");
    else this.#dial(admission.ticket);
  }

  /** @param {string} text @param {boolean} isFinal @param {LineState} [meanwhile] */
  #refused(text, isFinal, meanwhile = "full") {
    this.#tell(text);
    if (isFinal) this.handlers.onState("ended");
    else this.#wait(meanwhile);
  }

  /** @param {string | null} ticket */
  #dial(ticket) {
    this.#turn += 1;
    this.#hasOpened = false;
    this.#refusal = null;
    const socket = new WebSocket(this.url, ticket === null ? SUBPROTOCOL : [SUBPROTOCOL, TICKET_PREFIX + ticket]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => this.#hello());
    socket.addEventListener("message", (event) => this.#receive(socket, event.data));
    socket.addEventListener("close", (event) => this.#closed(socket, event.code));
    this.#welcomeTimer = setTimeout(() => this.#closed(socket, LOST), WELCOME_MS);
  }

  /**
   * The network is back, the page is looked at: try again at once where an attempt is being waited for, and see
   * whether a line that seems whole still is. A computer that slept or changed its network is told of no break.
   */
  hurry() {
    const socket = this.#socket;
    if (socket === null) {
      if (this.#retryTimer !== undefined) this.open();
      return;
    }
    const asked = performance.now();
    this.ping();
    if (this.#ready) setTimeout(() => this.#heardAt < asked && this.#closed(socket, LOST), HURRY_MS);
  }

  /** @param {ClientMessage} message @returns {boolean} false where there is no session to send it in */
  send(message) {
    if (!this.#ready || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encodeMessage(message));
    return true;
  }

  #hello() {
    this.#hasOpened = true;
    this.#socket?.send(encodeMessage({ t: "hello", version: VERSION, client: "hoversam-page", ...this.#credentials }));
  }

  /** @param {WebSocket} socket @param {unknown} data */
  #receive(socket, data) {
    if (socket !== this.#socket || !(data instanceof ArrayBuffer)) return;
    this.#heardAt = performance.now();
    this.#unanswered = 0;
    /** @type {ServerMessage | null} */
    let message;
    try {
      message = decodeMessage(new Uint8Array(data));
    } catch (error) {
      this.handlers.onTrouble(t("line.unreadable", { reason: error instanceof Error ? error.message : String(error) }));
      return;
    }
    if (message) this.handlers.onMessage(message);
  }

  /** The server has let the page in: from now on messages can be sent. @param {Welcome} message */
  begin({ session, token }) {
    this.#credentials = { session, token };
    this.handlers.onCredentials(this.#credentials);
    this.#attempt = 0;
    this.#unopened = 0;
    this.#retryAfterMs = 0;
    this.#told = "";
    this.#asks = this.asksFirst;
    this.#ready = true;
    clearTimeout(this.#welcomeTimer);
    this.handlers.onState("ready");
    this.#pingTimer = setInterval(() => this.#beat(), PING_EVERY_MS);
  }

  /**
   * The server refuses something: heed the pause that it asks for.
   * @param {ErrorMessage} message
   * @returns {boolean} it refuses the session itself, which is told as the socket closes
   */
  refuse(message) {
    const { fatal, retry_after: retryAfterS } = message;
    if (retryAfterS) this.#retryAfterMs = retryAfterS * 1000;
    const isSession = fatal && !this.#ready;
    if (isSession) this.#refusal = errorText(message);
    return isSession;
  }

  /** Measure the way there and back. */
  ping() {
    this.send({ t: "ping", at: performance.now() });
  }

  /** See that there is another side. Counted and not timed, since the clock of a hidden tab may tick once a minute. */
  #beat() {
    if (this.#unanswered === MAX_UNANSWERED && this.#socket) this.#closed(this.#socket, LOST);
    else this.ping();
    this.#unanswered += 1;
  }

  /** Let go of the socket without waiting for the other side's goodbye. */
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    clearInterval(this.#pingTimer);
    clearTimeout(this.#welcomeTimer);
    socket?.close();
  }

  /** @param {WebSocket} socket @param {number} code */
  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#drop();
    if (code === WRONG_TOKEN) {
      this.#credentials = null;
      this.handlers.onCredentials(null);
    }
    const final = FINAL.get(/** @type {4409} */ (code));
    if (final !== undefined) {
      this.handlers.onState("ended");
      this.handlers.onTrouble(t(final));
      return;
    }
    if (!this.#hasOpened) this.#notOpened();
    const reason = this.#refusal;
    if (reason && code === FULL) this.#refused(t("line.noPlace", { reason }), false);
    else if (reason) this.#refused(t("line.endsSession", { reason }), false, "waiting");
    else this.#wait("waiting");
  }

  /** The browser doesn't say why a socket didn't open: the server is asked next time. */
  #notOpened() {
    if (this.#asks) this.#unopened += 1;
    this.#asks = true;
    if (this.#unopened < MAX_UNOPENED) return;
    this.#tell(t("line.proxy"));
  }

  /** Say something that goes on, once. @param {string} text */
  #tell(text) {
    if (text === this.#told) return;
    this.#told = text;
    this.handlers.onTrouble(text);
  }

  /** Dial again after a pause. @param {LineState} state meanwhile */
  #wait(state) {
    this.handlers.onState(state);
    const pause = Math.max(this.#retryAfterMs, retryDelayMs(this.#attempt, Math.random()));
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => this.open(), pause);
  }
}
