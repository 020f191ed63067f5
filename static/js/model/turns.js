/**
 * The eight ways in which the pixels of a file may be turned, by EXIF's numbers. Pure.
 */

/** @import { Size } from "./types.ts" */

/** Turns from here on swap width and height. */
const SWAPPED = 5;

/** @param {number} orientation 1 to 8 @param {Size} upright @returns {Size} the size of what is stored */
export function storedSize(orientation, { width, height }) {
  return orientation < SWAPPED ? { width, height } : { width: height, height: width };
}

/**
 * What takes a place of the stored picture to its place upright.
 * @param {number} orientation 1 to 8
 * @param {Size} upright
 * @returns {[a: number, b: number, c: number, d: number, e: number, f: number]} as a canvas takes it
 */
export function turnOf(orientation, { width, height }) {
  switch (orientation) {
    case 2: return [-1, 0, 0, 1, width, 0];
    case 3: return [-1, 0, 0, -1, width, height];
    case 4: return [1, 0, 0, -1, 0, height];
    case 5: return [0, 1, 1, 0, 0, 0];
    case 6: return [0, 1, -1, 0, width, 0];
    case 7: return [0, -1, -1, 0, width, height];
    case 8: return [0, -1, 1, 0, 0, height];
    default: return [1, 0, 0, 1, 0, 0];
  }
}
