/**
 * The frames of a clip as the server has them: fetched when they are to be seen, a few of them held. Fetched when the
 * first clip comes.
 */

import { t } from "../words/translate.js";

/** @typedef {{ resolve: (bitmap: ImageBitmap | null) => void, reject: (error: unknown) => void }} Asker */
/** @typedef {{ key: string, url: string, askers: Asker[] }} Wanted */

/** Pixels of all frames that are held: some thirty of 1280 x 720. */
const MAX_HELD_PIXELS = 2 ** 25;
/** How many are fetched at once, and how many wait: of more, the oldest are wanted no longer. */
const MAX_FETCHING = 3;
const MAX_WAITING = 12;

export class Frames {
  /** The one that was wanted last comes last. @type {Map<string, ImageBitmap>} */
  #held = new Map();
  /** @type {Map<string, Wanted>} on their way */
  #fetching = new Map();
  /** @type {Wanted[]} the next one is the last */
  #waiting = [];

  /**
   * @param {string} url of clips on the server
   * @param {() => ImageBitmap | null} shown the one on the screen, which is held whatever comes
   */
  constructor(url, shown) {
    this.url = url;
    this.shown = shown;
  }

  /** @param {string} clipId @param {number} index @returns {ImageBitmap | null} the frame, where it is here */
  held(clipId, index) {
    const key = keyOf(clipId, index);
    const bitmap = this.#held.get(key) ?? null;
    if (bitmap) {
      this.#held.delete(key);
      this.#held.set(key, bitmap);
    }
    return bitmap;
  }

  /**
   * Return a frame as soon as it is here.
   * @param {string} clipId @param {number} index
   * @returns {Promise<ImageBitmap | null>} null where others were wanted more
   * @throws {Error} where it can't be had, in words
   */
  async read(clipId, index) {
    return this.held(clipId, index) ?? this.#wish(clipId, index, false);
  }

  /** A frame is likely to be wanted. @param {string} clipId @param {number} index */
  ahead(clipId, index) {
    const key = keyOf(clipId, index);
    if (this.#held.has(key) || this.#fetching.has(key) || this.#waiting.length >= MAX_WAITING) return;
    void this.#wish(clipId, index, true).catch(() => {}); // whoever wants it is told
  }

  /** @param {string} clipId @param {number} index @param {boolean} ahead @returns {Promise<ImageBitmap | null>} */
  #wish(clipId, index, ahead) {
    const key = keyOf(clipId, index);
    const known = this.#fetching.get(key) ?? this.#waiting.find((wish) => wish.key === key);
    const wish = known ?? { key, url: `${this.url}/${clipId}/frames/${index}`, askers: [] };
    if (!known && ahead) this.#waiting.unshift(wish);
    else if (!this.#fetching.has(key)) this.#waiting = [...this.#waiting.filter((one) => one !== wish), wish];
    /** @type {Promise<ImageBitmap | null>} */
    const promise = new Promise((resolve, reject) => { wish.askers.push({ resolve, reject }); });
    for (const { askers } of this.#waiting.splice(0, Math.max(0, this.#waiting.length - MAX_WAITING))) {
      for (const { resolve } of askers) resolve(null);
    }
    this.#goOn();
    return promise;
  }

  #goOn() {
    while (this.#fetching.size < MAX_FETCHING && this.#waiting.length > 0) {
      const wish = /** @type {Wanted} */ (this.#waiting.pop());
      this.#fetching.set(wish.key, wish);
      void this.#fetch(wish);
    }
  }

  /** @param {Wanted} wish */
  async #fetch(wish) {
    try {
      const bitmap = await bitmapOf(wish.url);
      this.#hold(wish.key, bitmap);
      for (const { resolve } of wish.askers) resolve(bitmap);
    } catch (error) {
      for (const { reject } of wish.askers) reject(error);
    }
    this.#fetching.delete(wish.key);
    this.#goOn();
  }

  /** @param {string} key @param {ImageBitmap} bitmap */
  #hold(key, bitmap) {
    this.#held.get(key)?.close();
    this.#held.set(key, bitmap);
    const room = Math.max(4, Math.floor(MAX_HELD_PIXELS / (bitmap.width * bitmap.height)));
    const shown = this.shown();
    for (const [old, other] of this.#held) {
      if (this.#held.size <= room) break;
      if (other === shown) continue;
      this.#held.delete(old);
      other.close();
    }
  }
}

/** @param {string} clipId @param {number} index */
function keyOf(clipId, index) {
  return `${clipId}#${index}`;
}

/** @param {string} url @returns {Promise<ImageBitmap>} @throws {Error} where it can't be had, in words */
async function bitmapOf(url) {
  const response = await fetch(url).catch(() => null);
  if (response === null) throw new Error(t("error.unreached"));
  if (!response.ok) throw new Error(t("error.frameAnswered", { status: String(response.status) }));
  return createImageBitmap(await response.blob());
}
