/**
 * Pictures as pixels: those of a file, of a sample, and of the server where the browser can't show a file itself.
 */

import { t } from "../words/translate.js";

/** @import { Picture, PictureFacts, View } from "../model/types.ts" */

/** First bytes of what every server takes: JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF. */
const TAKEN = [
  /^\xff\xd8\xff/, /^\x89PNG/, /^RIFF[^]{4}WEBP/, /^GIF8/, /^BM/, /^II[*+]\0/, /^MM\0[*+]/, /^[^]{4}ftypavi[fs]/,
];
/**
 * A copy of a larger picture is a JPEG: as a PNG, a photograph of this many pixels weighs more than the server takes.
 */
const MAX_PNG_PIXELS = 4_000_000;
/**
 * A phone or tablet keeps no more pixels of a picture than this, 64 MB; its screen shows a fraction, and tabs that take
 * more are ended.
 */
const MAX_HELD_PIXELS = 2 ** 24;

const MAX_HASHED_BYTES = 2 ** 26;

/** @param {Blob} file */
async function isTaken(file) {
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  return TAKEN.some((start) => start.test(head));
}

/** Copy a picture into a file that the server takes. @param {ImageBitmap} bitmap @returns {Promise<Blob>} */
async function copyOf(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  const type = bitmap.width * bitmap.height > MAX_PNG_PIXELS ? "image/jpeg" : "image/png";
  return canvas.convertToBlob({ type, quality: 0.95 });
}

/**
 * Return a picture at a size that this device can hold; the view draws it at its own.
 * @param {ImageBitmap} whole
 * @returns {Promise<ImageBitmap>}
 */
async function held(whole) {
  const share = Math.sqrt(MAX_HELD_PIXELS / (whole.width * whole.height));
  if (share >= 1 || !matchMedia("(pointer: coarse)").matches) return whole;
  const size = { resizeWidth: Math.floor(whole.width * share), resizeHeight: Math.floor(whole.height * share) };
  const small = await createImageBitmap(whole, { ...size, resizeQuality: "high" });
  whole.close();
  return small;
}

/**
 * Return the picture of a file as the browser shows it. One that it can't show has no bitmap: the server has the word
 * on it. One that the browser can show and not every server, such as HEIC on a Mac, is copied.
 * @param {Blob} given
 * @param {string} name
 * @returns {Promise<Picture>}
 */
export async function readPicture(given, name) {
  try {
    const whole = await createImageBitmap(given, { imageOrientation: "from-image" });
    const { width, height } = whole;
    const file = (await isTaken(given)) ? given : await copyOf(whole);
    return { file, name, bitmap: await held(whole), width, height };
  } catch {
    return { file: given, name, bitmap: null, width: 0, height: 0 };
  }
}

/**
 * Return a picture as the server sees it.
 * @param {string} url where the server has pictures for browsers that can't show them
 * @param {Blob} file
 * @param {PictureFacts} facts
 * @param {ImageBitmap | null} bitmap how the browser shows it
 * @returns {Promise<View>}
 * @throws {Error} where the server's pixels can't be had
 */
export async function viewOf(url, file, facts, bitmap) {
  if (bitmap === null || facts.rendered) return { bitmap: await renditionOf(url + facts.imageId), orientation: 1 };
  const { withoutMarks } = await import("./metadata.js");
  const plain = await withoutMarks(file);
  const { orientation } = facts;
  return { bitmap: plain === file ? bitmap : await held(await createImageBitmap(plain)), orientation };
}

/** @param {string} url @returns {Promise<ImageBitmap>} @throws {Error} where it can't be had */
async function renditionOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(t("error.pictureAnswered", { status: String(response.status) }));
  return held(await createImageBitmap(await response.blob()));
}

/** A long clip is known by its size and its two ends: a phone can't hold all of it at once. @param {Blob} file */
function endsOf(file) {
  const half = MAX_HASHED_BYTES / 2;
  return new Blob([String(file.size), file.slice(0, half), file.slice(-half)]);
}

/**
 * Return the SHA-256 of a file, by which it is known again.
 * @param {Blob} file
 * @returns {Promise<string>} hex
 * @throws {Error} where it can't be read: it is gone, or a folder
 */
export async function hashOf(file) {
  const known = file.size > MAX_HASHED_BYTES ? endsOf(file) : file;
  const bytes = new Uint8Array(await known.arrayBuffer());
  const digest = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
    : (await import("./hash.js")).sha256(bytes);
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Fetch a sample that ships with the page.
 * @param {string} url @returns {Promise<Blob>}
 * @throws {Error} where it can't be had
 */
export async function fetchSample(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(t("error.sampleAnswered", { status: String(response.status) }));
  return response.blob();
}
