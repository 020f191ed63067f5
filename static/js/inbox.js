/**
 * What each message of the server does: to the state, to the request that waits for it, to the copy of the work. Touches
 * no page element.
 */

import { applyGone, applyImage, applyObject, applyPreview, select } from "./state.js";

/** @import { Exchange } from "./exchange.js" */
/** @import { ImageReady, ObjectMessage, PreviewMessage, ServerMessage, Welcome } from "./protocol.js" */
/** @import { Restorer } from "./restorer.js" */
/** @import { Stage, State } from "./state.js" */
/** @import { Sight } from "./sight.js" */
/** @import { Work } from "./work.js" */

/** The number under which a server tells what a resumed session holds. */
const RESUME_SEQ = 0;
/** Errors of a hover that the next hover makes good. */
const PASSING = new Set(["busy", "rate_limited", "no_image", "unknown_object"]);

export class Inbox {
  /** What is told of the open picture again, kept until all of it is here. @type {ServerMessage[]} */
  #retold = [];

  /**
   * @param {State} state @param {Exchange} exchange @param {Restorer} restorer @param {Work} work
   * @param {Sight} sight @param {(error: unknown) => void} report
   */
  constructor(state, exchange, restorer, work, sight, report) {
    this.state = state;
    this.exchange = exchange;
    this.restorer = restorer;
    this.work = work;
    this.sight = sight;
    this.report = report;
  }

  /**
   * Take in a message. Where another model answers, the picture and its objects come again one by one: they are shown
   * when the last of them is here, so that no frame lacks an object or mixes two models.
   * @param {ServerMessage} message
   * @returns {boolean} the picture was told again: what lies under the pointer is to be asked anew
   */
  receive(message) {
    const [first] = this.#retold;
    if (first && "seq" in first && message.t === "object" && message.seq === first.seq) {
      this.#retold.push(message);
      return message.last ? this.#showRetold() : false;
    }
    const shown = this.#showRetold();
    if (message.t === "image" && message.image_id === this.state.picture?.imageId && this.state.pending === null) {
      this.#retold.push(message);
      return message.last ? this.#showRetold() : shown;
    }
    this.#take(message);
    return shown;
  }

  #showRetold() {
    const messages = this.#retold.splice(0);
    for (const message of messages) this.#take(message);
    return messages.length > 0;
  }

  /** @param {ServerMessage} message */
  #take(message) {
    switch (message.t) {
      case "welcome": this.#welcome(message); break;
      case "progress": if (this.exchange.requests.has(message.seq)) this.restorer.progress({ stage: /** @type {Stage} */ (message.stage), fraction: message.fraction ?? null, position: message.position ?? null }); break;
      case "image": this.#image(message); break;
      case "preview": this.#preview(message); break;
      case "object": this.#object(message); break;
      case "gone": applyGone(this.state, message); break;
      default: break;
    }
    if ("last" in message && message.last) this.#noteWork(message.seq);
    this.#settle(message);
    if ("last" in message && message.last && message.seq === RESUME_SEQ) this.restorer.allIsSaid();
  }

  /** An answer is whole: the copy of the work takes in what it has left. @param {number} seq */
  #noteWork(seq) {
    const request = this.exchange.requests.get(seq);
    const { objects, canUndo, canRedo } = this.state;
    if (this.restorer.isWaiting) return;
    if (request?.t === "open" && !request.recipe) this.work.begin(objects);
    else this.work.settle(request?.t ?? "resume", objects, canUndo, canRedo);
  }

  /** @param {Welcome} message */
  #welcome(message) {
    this.state.models = message.models ?? [];
    this.restorer.welcome(message);
  }

  /** @param {PreviewMessage} message */
  #preview(message) {
    const label = this.exchange.accepts(message.seq);
    if (label !== null) applyPreview(this.state, message, label);
  }

  /** @param {ImageReady} message */
  #image(message) {
    if (!applyImage(this.state, message, this.exchange.requests.has(message.seq))) return;
    const { image_id: imageId, width, height, orientation = 1, rendered = false } = message;
    if (this.state.picture) void this.sight.see(this.state.picture.file, { imageId, width, height, orientation, rendered });
    this.restorer.imageIsThere(message);
  }

  /** @param {ObjectMessage} message */
  #object(message) {
    if (this.restorer.isWaiting && !this.exchange.requests.has(message.seq)) return;
    applyObject(this.state, message);
    if (message.seq === this.exchange.travelling) select(this.state, message.id);
  }

  /** @param {ServerMessage} message */
  #settle(message) {
    if (message.t === "progress" || !("seq" in message) || typeof message.seq !== "number") {
      if (message.t === "error") this.report(new Error(message.message));
      return;
    }
    const expected = this.exchange.settle(/** @type {ServerMessage & { seq: number }} */ (message));
    if (message.t === "error" && !expected && !PASSING.has(message.code)) this.report(new Error(message.message));
  }
}
