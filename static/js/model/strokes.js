/**
 * Strokes of the brush: their paths with no more points than they need, and the sizes of the brush. Pure.
 */

/** @import { Size, XY } from "./types.ts" */

/** Points of one stroke, as the server takes them. */
const MAX_POINTS = 2048;
/** Image pixels; the server takes as many. */
const LEAST = 0.5;
const MOST = 1024;
/** A new brush takes so much of the picture's longer side. */
const SHARE = 1 / 60;
/** A step of the size, by a key or a notch of the wheel. */
const STEP = 1.2;

/**
 * The path of a stroke as it is sent: places that lie near to the one before say nothing more.
 * @param {readonly XY[]} path image pixels
 * @param {number} radius image pixels
 * @returns {[x: number, y: number][]}
 */
export function thinned(path, radius) {
  let least = Math.max(0.5, radius / 5);
  /** @type {[x: number, y: number][]} */
  let kept = [];
  do {
    kept = [];
    for (const [index, { x, y }] of path.entries()) {
      const last = kept.at(-1);
      const near = last && Math.hypot(x - last[0], y - last[1]) < least;
      if (!near || (index === path.length - 1 && kept.length > 1)) kept.push([quarter(x), quarter(y)]);
    }
    least *= 2;
  } while (kept.length > MAX_POINTS);
  return kept;
}

/** To a quarter of a pixel, which takes few bytes and is finer than any hand. @param {number} value */
function quarter(value) {
  return Math.round(value * 4) / 4;
}

/** The size that a brush has at first. @param {Size} image @returns {number} radius, image pixels */
export function firstRadius({ width, height }) {
  return bounded(Math.max(3, Math.max(width, height) * SHARE));
}

/** @param {number} radius @param {number} steps more is larger @returns {number} radius, image pixels */
export function resized(radius, steps) {
  return bounded(radius * STEP ** steps);
}

/** @param {number} radius */
function bounded(radius) {
  return Math.round(Math.max(LEAST, Math.min(MOST, radius)) * 4) / 4;
}
