/**
 * Colours of the objects: eight that stay apart for colour-blind eyes, and on light and dark pictures.
 *
 * Seven are the set by Okabe and Ito (2008) without its black, two of them lightened to stand out on dark pictures;
 * the eighth is a pale grey.
 */

/** @type {readonly string[]} */
export const PALETTE = Object.freeze([
  "#56b4e9", // sky blue
  "#e69f00", // orange
  "#00a878", // bluish green
  "#f0e442", // yellow
  "#d55e00", // vermilion
  "#cc79a7", // reddish purple
  "#1f78d1", // blue
  "#d9dce3", // pale grey
]);

/**
 * Return the colour of an object, around again after the last.
 * @param {number} index `object.color`
 * @returns {string} "#rrggbb"
 */
export function colorOf(index) {
  const at = ((Math.trunc(index) % PALETTE.length) + PALETTE.length) % PALETTE.length;
  return PALETTE[at];
}

/** @param {string} hex "#rrggbb" @param {number} alpha 0 to 1 @returns {string} a CSS colour */
export function withAlpha(hex, alpha) {
  const byte = Math.round(Math.min(1, Math.max(0, alpha)) * 255);
  return hex + byte.toString(16).padStart(2, "0");
}
