/**
 * One canvas of several on top of one another: drawn again only when what it shows is another.
 */

/** @import { Context } from "./types.ts" */

/** @returns {number} pixels of the screen for a CSS pixel */
export function pixelRatio() {
  return globalThis.devicePixelRatio || 1;
}

export class Layer {
  /** @type {readonly unknown[]} */
  #shown = [];

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const context = canvas.getContext("2d");
    if (context === null) throw new TypeError("this browser has no 2d canvas");
    this.canvas = canvas;
    this.context = context;
  }

  /**
   * Draw, unless everything that the drawing depends on is as it was.
   * @param {readonly unknown[]} reasons what the drawing depends on, compared by identity
   * @param {(context: Context) => void} draw in CSS pixels, on an empty canvas
   */
  draw(reasons, draw) {
    const ratio = pixelRatio();
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    const all = [width, height, ratio, ...reasons];
    if (all.length === this.#shown.length && all.every((one, i) => Object.is(one, this.#shown[i]))) return;
    this.#shown = all;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
    draw(this.context);
  }
}
