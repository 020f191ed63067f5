/**
 * Asks the server to see by itself what a person looks at, once the view rests. Nothing waits for it: what is asked
 * meanwhile is answered as before. Touches no page element.
 */

import { isArmed } from "../model/state.js";
import { closeUp } from "../model/sharpness.js";

/** @import { Store } from "../model/store.js" */
/** @import { Size, Viewport } from "../model/types.ts" */
/** @import { Box } from "../wire/messages.ts" */
/** @import { Exchange } from "./exchange.js" */

/** So long a view rests before it is looked at, ms. */
export const REST_MS = 300;

export class Looking {
  /** What was seen in the last frame, and of what. */
  #seen = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Store} store @param {Exchange} exchange */
  constructor(store, exchange) {
    this.store = store;
    this.exchange = exchange;
  }

  /** This is what is seen now. Called in every frame. @param {Viewport} view @param {Size} canvas CSS pixels */
  see(view, canvas) {
    const { picture, connection, model } = this.store.state;
    const { imageId, provisional } = picture ?? {};
    const armed = isArmed(this.store.state);
    const where = [view.scale, view.x, view.y, canvas.width, canvas.height];
    const seen = [...where, imageId, provisional, connection, model, armed].join();
    if (seen === this.#seen) return;
    this.#seen = seen;
    clearTimeout(this.#timer);
    if (picture === null || !armed || connection !== "ready") return;
    const part = closeUp(view, picture, canvas);
    this.#timer = setTimeout(() => this.#look(part, view.scale), REST_MS);
  }

  /** @param {Box | null} part image pixels @param {number} scale */
  #look(part, scale) {
    if (part === null) {
      this.exchange.looking = null;
      this.store.sharpen(null);
    } else this.exchange.look(part, scale);
  }
}
