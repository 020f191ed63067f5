/**
 * Masks as paths to fill and stroke, in cells of their grid, with rounded corners. Each is made once for every size
 * that it is seen at, by halves: of a rim whose cells are smaller than a pixel of the screen, most points are nothing
 * but work.
 */

import { difference } from "../model/difference.js";
import { outline, outlineCells, thinned } from "../model/masks.js";

/** @import { Size } from "../model/types.ts" */
/** @import { Mask } from "../wire/messages.ts" */
/** @import { Drawing } from "./types.ts" */

/** @param {number[]} loop x, y, ... @param {Path2D} path gets the loop, with its corners rounded */
function addLoop(loop, path) {
  const count = loop.length / 2;
  /** @param {number} i */
  const point = (i) => ({ x: loop[2 * (i % count)], y: loop[2 * (i % count) + 1] });
  let here = point(0);
  let next = point(1);
  path.moveTo((here.x + next.x) / 2, (here.y + next.y) / 2);
  for (let i = 1; i <= count; i += 1) {
    here = next;
    next = point(i + 1);
    path.quadraticCurveTo(here.x, here.y, (here.x + next.x) / 2, (here.y + next.y) / 2);
  }
  path.closePath();
}

/** @param {number[][]} loops @returns {Path2D} */
function pathOf(loops) {
  const path = new Path2D();
  for (const loop of loops) addLoop(loop, path);
  return path;
}

/** Of a thinned loop two points lie at least so far apart, pixels of the screen. */
const LEAST_PX = 0.7;

export class Paths {
  /** @type {WeakMap<Mask, { loops: number[][], at: Map<number, Drawing> }>} drawings by how often cells were halved */
  #masks = new WeakMap();
  /** @type {WeakMap<Mask, { current: Mask, added: Path2D, removed: Path2D }>} */
  #differences = new WeakMap();

  /**
   * @param {Mask} mask
   * @param {number} cellPx pixels of the screen that a cell takes
   * @returns {Drawing} empty where the mask can't be read
   */
  mask(mask, cellPx) {
    let made = this.#masks.get(mask);
    if (made === undefined) {
      made = { loops: [], at: new Map() };
      this.#masks.set(mask, made); // at once, so that a mask that can't be read fails once, not in every frame
      made.loops = outline(mask);
    }
    const halvings = Math.max(0, Math.floor(-Math.log2(cellPx)));
    let drawing = made.at.get(halvings);
    if (drawing === undefined) {
      const loops = halvings === 0 ? made.loops : thinned(made.loops, LEAST_PX * 2 ** halvings);
      drawing = { path: pathOf(loops), points: loops.reduce((sum, { length }) => sum + length / 2, 0) };
      made.at.set(halvings, drawing);
    }
    return drawing;
  }

  /**
   * @param {Mask} preview @param {Mask} current @param {Size} image
   * @returns {{ added: Path2D, removed: Path2D }} on the preview's grid
   */
  difference(preview, current, image) {
    let paths = this.#differences.get(preview);
    if (paths?.current !== current) {
      const { added, removed } = difference(preview, current, image);
      paths = { current, added: pathOf(outlineCells(added)), removed: pathOf(outlineCells(removed)) };
      this.#differences.set(preview, paths);
    }
    return paths;
  }
}
