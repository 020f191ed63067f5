/**
 * What each message of the server does: to the state, to the request that waits for it, to the history. Touches no page
 * element.
 */

import { applyGone, applyImage, applyObject, applyPreview, select } from "./state.js";

/** @import { Exchange } from "./exchange.js" */
/** @import { History } from "./history.js" */
/** @import { ImageReady, ObjectMessage, PreviewMessage, ServerMessage, Welcome } from "./protocol.js" */
/** @import { Restorer } from "./restorer.js" */
/** @import { Stage, State } from "./state.js" */
/** @import { Sight } from "./sight.js" */
/** @import { Steps } from "./steps.js" */

/** Requests that are a step of the server's history. */
const STEPS = new Set(["click", "box", "move", "unpoint", "choose", "label", "delete", "clear"]);
/** Errors of a hover that the next hover makes good. */
const PASSING = new Set(["busy", "rate_limited", "no_image", "unknown_object"]);

export class Inbox {
  /**
   * @param {State} state @param {Exchange} exchange @param {Restorer} restorer @param {History} history @param {Steps} steps
   * @param {Sight} sight @param {(error: unknown) => void} report
   */
  constructor(state, exchange, restorer, history, steps, sight, report) {
    this.state = state;
    this.exchange = exchange;
    this.restorer = restorer;
    this.history = history;
    this.steps = steps;
    this.sight = sight;
    this.report = report;
  }

  /** @param {ServerMessage} message */
  receive(message) {
    switch (message.t) {
      case "welcome": this.#welcome(message); break;
      case "progress": this.restorer.progress({ stage: /** @type {Stage} */ (message.stage), fraction: message.fraction ?? null, position: message.position ?? null }); break;
      case "image": this.#image(message); break;
      case "preview": this.#preview(message); break;
      case "object": this.#object(message); break;
      case "gone": applyGone(this.state, message); break;
      case "pong": this.restorer.allIsSaid(); break;
      default: break;
    }
    this.#settle(message);
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
    const before = this.state.picture?.imageId;
    const opened = this.exchange.requests.get(message.seq)?.t === "open";
    if (!applyImage(this.state, message, this.exchange.requests.has(message.seq))) return;
    const { image_id: imageId, width, height, orientation = 1, rendered = false } = message;
    if (this.state.picture) void this.sight.see(this.state.picture.file, { imageId, width, height, orientation, rendered });
    if (before !== message.image_id) this.history.clear();
    if (before !== message.image_id || opened) this.steps.clear();
    this.restorer.imageIsThere(message);
  }

  /** @param {ObjectMessage} message */
  #object(message) {
    if (this.restorer.isWaiting && !this.exchange.requests.has(message.seq)) return;
    const before = this.state.objects.get(message.id);
    const request = this.exchange.requests.get(message.seq);
    applyObject(this.state, message);
    const after = this.state.objects.get(message.id);
    if (request && after) this.history.note(before, request, after);
    this.restorer.recognise(message);
    if (message.seq === this.exchange.travelling) select(this.state, message.id);
  }

  /** @param {ServerMessage} message */
  #settle(message) {
    if (message.t === "progress" || !("seq" in message) || typeof message.seq !== "number") {
      if (message.t === "error") this.report(new Error(message.message));
      return;
    }
    const request = this.exchange.requests.get(message.seq);
    if (request && STEPS.has(request.t) && message.t !== "error") this.steps.did();
    const expected = this.exchange.settle(/** @type {ServerMessage & { seq: number }} */ (message));
    if (message.t === "error" && !expected && !PASSING.has(message.code)) this.report(new Error(message.message));
  }
}
