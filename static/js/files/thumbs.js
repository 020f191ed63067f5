/**
 * Small pictures for the filmstrip, made when they are first seen, one at a time; the browser decodes beside the page's
 * own thread.
 */

/** @import { AlbumStorage } from "./album-storage.js" */

/** Pixels: twice the height of a cell, for sharp screens. */
const HEIGHT = 112;
/** Wider than this the middle of a panorama is shown. */
const MAX_ASPECT = 3;

export class Thumbs {
  #last = Promise.resolve();
  /** Those that are asked for and not made yet. @type {Map<string, Promise<Blob | null>>} */
  #making = new Map();

  /**
   * @param {AlbumStorage} storage where pictures and their thumbnails lie
   * @param {(key: string) => boolean} isWanted it is still to be seen
   * @param {(bitmap: ImageBitmap, height: number) => Promise<ImageBitmap>} shrink makes one less than twice as high
   */
  constructor(storage, isWanted, shrink) {
    this.storage = storage;
    this.isWanted = isWanted;
    this.shrink = shrink;
  }

  /**
   * Return the thumbnail of a picture, null where the browser can't show it.
   * @param {string} key
   * @returns {Promise<Blob | null>}
   */
  async get(key) {
    const kept = await this.storage.thumb(key);
    if (kept) return kept;
    const making = this.#making.get(key) ?? this.#enqueue(key);
    this.#making.set(key, making);
    return making;
  }

  /** @param {string} key @returns {Promise<Blob | null>} */
  #enqueue(key) {
    const made = this.#last.then(() => (this.isWanted(key) ? this.#make(key) : null)).catch(() => null)
      .finally(() => this.#making.delete(key));
    this.#last = made.then(() => {});
    return made;
  }

  /** @param {string} key @returns {Promise<Blob | null>} */
  async #make(key) {
    const file = await this.storage.file(key);
    if (file === null) return null;
    const small = await this.shrink(await createImageBitmap(file, { imageOrientation: "from-image" }), HEIGHT);
    const whole = Math.max(1, Math.round(small.width * HEIGHT / small.height));
    const width = Math.min(whole, HEIGHT * MAX_ASPECT);
    const canvas = new OffscreenCanvas(width, HEIGHT);
    canvas.getContext("2d")?.drawImage(small, (width - whole) / 2, 0, whole, HEIGHT);
    small.close();
    const thumb = await canvas.convertToBlob({ type: "image/webp", quality: 0.7 });
    await this.storage.putThumb(key, thumb);
    return thumb;
  }
}
