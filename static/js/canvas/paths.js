/**
 * Masks as paths to fill and stroke, in cells of their grid, with rounded corners; each is made once.
 */

import { difference } from "../model/difference.js";
import { outline, outlineCells } from "../model/masks.js";

/** @import { Mask } from "../wire/messages.ts" */

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

export class Paths {
  /** @type {WeakMap<Mask, Path2D>} */
  #masks = new WeakMap();
  /** @type {WeakMap<Mask, { current: Mask, added: Path2D, removed: Path2D }>} */
  #differences = new WeakMap();

  /** @param {Mask} mask @returns {Path2D} empty where the mask can't be read */
  mask(mask) {
    let path = this.#masks.get(mask);
    if (path === undefined) {
      this.#masks.set(mask, new Path2D()); // at once, so that a mask that can't be read fails once, not in every frame
      path = pathOf(outline(mask));
      this.#masks.set(mask, path);
    }
    return path;
  }

  /** @param {Mask} preview @param {Mask} current @returns {{ added: Path2D, removed: Path2D }} on the preview's grid */
  difference(preview, current) {
    let paths = this.#differences.get(preview);
    if (paths?.current !== current) {
      const { added, removed } = difference(preview, current);
      paths = { current, added: pathOf(outlineCells(added)), removed: pathOf(outlineCells(removed)) };
      this.#differences.set(preview, paths);
    }
    return paths;
  }
}
