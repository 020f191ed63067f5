/**
 * What a refining click would add and remove: a preview against the object as it is. Pure.
 *
 * Decision: cells are compared on the preview's grid. Context: the object's mask is finer, so along every edge the two
 * disagree by a cell or so. Choice: slivers thinner than two cells, on a fine grid three, are left out. Price: a real
 * change as thin as that isn't shown.
 */

import { decodeMask, gridOf } from "./masks.js";

/** @import { Mask } from "../wire/messages.ts" */
/** @import { Cells, Size } from "./masks.js" */

/** What is thinner isn't shown, cells; and a grid of so many cells across is held to one more. */
const THINNEST = 2;
const CELLS_A_SLIVER = 85;

/**
 * Return the mask on the grid of another one of the same image, one byte a cell, sampled at the middles of the cells.
 * @param {Mask} mask
 * @param {Mask} other
 * @param {Size} image
 * @returns {Uint8Array} as many as the other's grid has cells, 255 for foreground
 */
export function onGrid(mask, other, image) {
  const [h, w] = other.size;
  const grid = new Uint8Array(h * w);
  const { width, alpha } = decodeMask(mask);
  const [x0, y0, x1, y1] = mask.box;
  const [from, to] = [gridOf(mask, image), gridOf(other, image)];
  for (let y = 0; y < h; y += 1) {
    const row = Math.floor((to.top + (y + 0.5) * to.down - from.top) / from.down);
    if (row < y0 || row >= y1) continue;
    for (let x = 0; x < w; x += 1) {
      const column = Math.floor((to.left + (x + 0.5) * to.across - from.left) / from.across);
      if (column >= x0 && column < x1) grid[y * w + x] = alpha[(row - y0) * width + (column - x0)];
    }
  }
  return grid;
}

/**
 * Return the cells of `grid` that lie in a square of `side` by `side` of them: an opening, in the words of morphology.
 * @param {Uint8Array} grid @param {number} w @param {number} h @param {number} side
 */
function withoutSlivers(grid, w, h, side) {
  const square = Array.from({ length: side * side }, (_, i) => Math.floor(i / side) * w + (i % side));
  const kept = new Uint8Array(grid.length);
  for (let y = 0; y + side <= h; y += 1) {
    for (let x = 0; x + side <= w; x += 1) {
      const at = y * w + x;
      if (grid[at] && square.every((offset) => grid[at + offset])) for (const offset of square) kept[at + offset] = 255;
    }
  }
  return kept;
}

/**
 * Return what the preview has and the object hasn't, and the other way round.
 * @param {Mask} preview @param {Mask} current @param {Size} image
 * @returns {{ added: Cells, removed: Cells }} on the preview's grid
 */
export function difference(preview, current, image) {
  const [h, w] = preview.size;
  const side = Math.max(THINNEST, Math.round(w / CELLS_A_SLIVER));
  const after = onGrid(preview, preview, image);
  const before = onGrid(current, preview, image);
  /** @param {(i: number) => boolean} wanted @returns {Cells} */
  const cells = (wanted) => ({
    left: 0, top: 0, width: w, height: h, alpha: withoutSlivers(after.map((_, i) => (wanted(i) ? 255 : 0)), w, h, side),
  });
  return { added: cells((i) => after[i] > before[i]), removed: cells((i) => after[i] < before[i]) };
}
