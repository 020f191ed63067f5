/**
 * Where every message of the server arrives, and the one place that says what each kind does: to the socket, to the
 * state, to the request that waits for it, to the page's own history. Touches no page element.
 */

import { errorText } from "../words/errors.js";

/** @import { Stage } from "../model/types.ts" */
/** @import { ErrorMessage, Gone, ImageReady, ObjectMessage, Pong } from "../wire/messages.ts" */
/** @import { PreviewMessage, Progress, ServerMessage, Welcome } from "../wire/messages.ts" */
/** @import { Parts } from "./types.ts" */

/** The number under which a server tells what a resumed session holds. */
const RESUME_SEQ = 0;
/** What concerns the picture that the session has open, which may not be the one that is shown. */
const OF_A_PICTURE = new Set(["classes", "object", "gone", "preview", "masks", "tracked"]);
/** Messages that come when an answer is whole, or belong to none. */
const BESIDE = new Set(["progress", "error", "masks", "tracked"]);
/** Errors of a hover that the next hover makes good. */
const PASSING = new Set(["busy", "rate_limited", "no_image", "unknown_object"]);

export class Dispatcher {
  /** What is told of the open picture again, kept until all of it is here. @type {ServerMessage[]} */
  #retold = [];

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * Take in a message. Where another model answers, the picture and its objects come again one by one: they are shown
   * when the last of them is here, so that no frame lacks an object or mixes two models.
   * @param {ServerMessage} message
   */
  receive(message) {
    const { picture, pending } = this.parts.store.state;
    const [first] = this.#retold;
    const goesOn = first && "seq" in first && (message.t === "object" || message.t === "classes") && message.seq === first.seq;
    if (!goesOn) this.#showRetold();
    const begins = message.t === "image" && message.image_id === picture?.imageId && pending === null;
    if (!goesOn && !begins) return this.#take(message);
    this.#retold.push(message);
    if (message.last) this.#showRetold();
  }

  #showRetold() {
    for (const message of this.#retold.splice(0)) this.#take(message);
  }

  /** @param {ServerMessage} message */
  #take(message) {
    const { store, exchange, restorer, clips } = this.parts;
    if (OF_A_PICTURE.has(message.t) && restorer.isStray(/** @type {ObjectMessage} */ (message).seq)) return;
    switch (message.t) {
      case "welcome": this.#welcome(message); break;
      case "progress": this.#progress(message); break;
      case "image": this.#image(message); break;
      case "preview": this.#preview(message); break;
      case "classes": store.classify(message); break;
      case "object": this.#object(message); break;
      case "gone": this.#gone(message); break;
      case "clip": clips()?.opens(message); break;
      case "masks": clips()?.masks(message); break;
      case "tracked": clips()?.tracked(message); break;
      case "regions":
        if (message.seq === exchange.searching) store.find(message.regions);
        if (message.last) exchange.endAside(message.seq);
        break;
      case "window":
        if (message.seq === exchange.looking) store.sharpen(message.window);
        exchange.endAside(message.seq);
        break;
      case "pong": this.#pong(message); break;
      case "error": this.#error(message); break;
      default: break; // a file: whoever asked for it has it
    }
    const isLast = "last" in message && message.last === true && !BESIDE.has(message.t);
    if (isLast) this.#note(message.seq);
    if ("seq" in message && typeof message.seq === "number" && !BESIDE.has(message.t)) {
      exchange.settle(/** @type {ServerMessage & { seq: number }} */ (message));
    }
    if (isLast && message.seq === RESUME_SEQ) restorer.allIsSaid();
  }

  /** An answer is whole: the history takes in what it has left. @param {number} seq */
  #note(seq) {
    const { store, exchange, restorer, history } = this.parts;
    if (restorer.isWaiting) return;
    const request = exchange.requests.get(seq);
    const { canUndo, canRedo } = store.state;
    if (request?.t === "open" && !request.recipe) history.begin(store.state);
    else history.settle(request?.t ?? "resume", store.state, canUndo, canRedo);
  }

  /** @param {Welcome} message */
  #welcome(message) {
    const { line, store, restorer, learnEngines } = this.parts;
    line.begin(message);
    store.knowServer(message.models ?? [], message.limits?.max_objects);
    restorer.welcome(message);
    line.ping();
    void learnEngines();
  }

  /** @param {Progress} message */
  #progress({ seq, stage, fraction = null, position = null }) {
    const { store, exchange } = this.parts;
    if (exchange.requests.get(seq)?.t === "export") this.parts.clips()?.saved(seq, fraction ?? 0);
    else if (exchange.requests.has(seq)) store.progress({ stage: /** @type {Stage} */ (stage), fraction, position });
  }

  /** @param {ImageReady} message */
  #image(message) {
    const { store, exchange, restorer, sight, learnEngines } = this.parts;
    const { image_id: imageId, width, height, orientation = 1, rendered = false } = message;
    if (!(message.model in store.state.engines)) void learnEngines();
    const expected = exchange.requests.has(message.seq);
    const isFrame = typeof message.frame === "number";
    if (!(isFrame ? this.parts.clips()?.opened(message, expected) : store.opened(message, expected))) return;
    const { picture } = store.state;
    if (picture && !isFrame) void sight.see(picture.file, { imageId, width, height, orientation, rendered });
    restorer.imageIsThere(message);
    if (!message.provisional) exchange.search();
  }

  /** @param {PreviewMessage} message */
  #preview(message) {
    const label = this.parts.exchange.accepts(message.seq);
    if (label !== null) this.parts.store.preview(message, label);
  }

  /** @param {ObjectMessage} message */
  #object(message) {
    const { store, exchange, restorer } = this.parts;
    if (restorer.isWaiting && !exchange.requests.has(message.seq)) return;
    store.put(this.parts.clips()?.object(message) ?? message);
    if (message.seq === exchange.travelling) store.select(message.id);
  }

  /** @param {Gone} message */
  #gone(message) {
    this.parts.clips()?.gone(message);
    this.parts.store.remove(message);
  }

  /** @param {Pong} message */
  #pong({ at, queue_ms: queueMs, decode_ms: decodeMs }) {
    const { store, latency, exchange } = this.parts;
    const roundTripMs = Math.max(0, exchange.outside.now() - at);
    store.measured(roundTripMs);
    latency.add("network", roundTripMs);
    latency.add("queue", queueMs);
    latency.add("decode", decodeMs);
  }

  /** Whoever asked is told; where nobody did, the person is. @param {ErrorMessage} message */
  #error(message) {
    const { line, store, exchange } = this.parts;
    const { seq } = message;
    // Nobody misses a region, or a sharper outline.
    if (line.refuse(message) || (typeof seq === "number" && exchange.endAside(seq))) return;
    const isHover = typeof seq === "number" && PASSING.has(message.code);
    const isExpected = typeof seq === "number" && exchange.settle({ ...message, seq });
    if (!isExpected && !isHover) store.report(new Error(errorText(message)));
  }
}
