/**
 * A picture at half its size, a quarter, and so on: a large one is drawn from the level that the screen needs, because
 * scaling twelve million pixels down in every frame is what makes a page stutter.
 */

import { halved } from "./halving.js";

/** Smaller levels are not worth their memory. */
const SMALLEST_SIDE = 512;
/** A picture is looked at in so many places each way, to see whether it is transparent. */
const LOOKS = 64;

export class Pyramid {
  /** @type {ImageBitmap[]} the picture itself, then ever smaller ones */
  #levels;
  #dropped = false;

  /** @param {ImageBitmap} bitmap @param {() => void} changed another level is there */
  constructor(bitmap, changed) {
    this.#levels = [bitmap];
    /** Something shows through the picture; looked at once there is a small level, since a large one takes long. */
    this.isTransparent = false;
    void this.#grow(changed);
  }

  /** @param {() => void} changed */
  async #grow(changed) {
    for (;;) {
      const last = /** @type {ImageBitmap} */ (this.#levels.at(-1));
      if (Math.max(last.width, last.height) < 2 * SMALLEST_SIDE) break;
      const half = await halved(last, () => !this.#dropped);
      if (half === null) return;
      this.#levels.push(half);
      changed();
    }
    this.isTransparent = isTransparent(/** @type {ImageBitmap} */ (this.#levels.at(-1)));
    if (this.isTransparent) changed();
  }

  /**
   * The smallest level that is at least as wide as what is to be drawn.
   * @param {number} width pixels of the screen
   * @returns {ImageBitmap}
   */
  levelFor(width) {
    return this.#levels.findLast((level) => level.width >= width) ?? this.#levels[0];
  }

  /** Give the memory of the smaller levels back; the picture itself is its owner's. */
  drop() {
    this.#dropped = true;
    for (const level of this.#levels.slice(1)) level.close();
    this.#levels.length = 1;
  }
}

/** @param {ImageBitmap} bitmap */
function isTransparent(bitmap) {
  const small = new OffscreenCanvas(LOOKS, LOOKS).getContext("2d", { willReadFrequently: true });
  small?.drawImage(bitmap, 0, 0, LOOKS, LOOKS);
  const pixels = small?.getImageData(0, 0, LOOKS, LOOKS).data ?? [];
  return pixels.some((value, i) => i % 4 === 3 && value < 255);
}
