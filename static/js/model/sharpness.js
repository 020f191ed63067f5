/**
 * Where the model sees a part of the picture by itself, and whether that is worth it. Pure.
 *
 * The server knows what a model's outlines are like and decides; here it is decided whether to ask.
 */

import { clampToImage, toImage } from "./viewport.js";

/** @import { Box, Window } from "../wire/messages.ts" */
/** @import { Size, State, Viewport, XY } from "./types.ts" */

/** Who sees more of the picture's long side than this sees no part that is worth it. */
const SMALL_PART = 0.6;

/**
 * Return the part of the picture that is seen, where it is small enough to be looked at by itself.
 * @param {Viewport} view @param {Size} image @param {Size} canvas CSS pixels
 * @returns {Box | null} image pixels
 */
export function closeUp(view, image, canvas) {
  const from = clampToImage(toImage(view, { x: 0, y: 0 }), image);
  const to = clampToImage(toImage(view, { x: canvas.width, y: canvas.height }), image);
  const [width, height] = [to.x - from.x, to.y - from.y];
  const isSmall = Math.max(width, height) <= SMALL_PART * Math.max(image.width, image.height);
  return isSmall && width > 0 && height > 0 ? [from.x, from.y, to.x, to.y] : null;
}

/**
 * Say in what part a prompt is to be answered: nothing where one of its points lies outside.
 * @param {State} state @param {...XY} points image pixels
 * @returns {{ window?: Window }} a field of the message
 */
export function sharpAt({ sharp }, ...points) {
  if (sharp === null) return {};
  const [x0, y0, x1, y1] = sharp;
  return points.every(({ x, y }) => x >= x0 && y >= y0 && x <= x1 && y <= y1) ? { window: sharp } : {};
}
