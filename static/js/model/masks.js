/**
 * Masks: run lengths to pixels, the hit test, and the outline as smooth loops. Pure; draws nothing.
 */

/** @import { Mask } from "../wire/messages.ts" */

/** @typedef {{ width: number, height: number }} Size pixels */
/**
 * a crop of a grid, one byte a cell, 0 for background
 * @typedef {{
 *   left: number, top: number, width: number, height: number, alpha: Uint8Array,
 * }} Cells
 */

const MAX_SIDE = 4096;

/**
 * Return the unsigned LEB128 varints in `bytes`.
 * @param {Uint8Array} bytes
 * @returns {number[]}
 * @throws {RangeError} where the last varint is cut or one is beyond 2^31
 */
export function readVarints(bytes) {
  /** @type {number[]} */
  const values = [];
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * factor;
    if (value > 0x7fffffff) throw new RangeError("a run length is beyond 2^31");
    if (byte & 0x80) {
      factor *= 128;
      if (factor > 2 ** 28) throw new RangeError("a run length has more than 5 bytes");
    } else {
      values.push(value);
      value = 0;
      factor = 1;
    }
  }
  if (factor !== 1) throw new RangeError("the last run length is cut");
  return values;
}

/** @param {Mask} mask @returns {{ width: number, height: number }} of the crop, in cells */
function cropSize(mask) {
  const [h, w] = mask.size;
  const [x0, y0, x1, y1] = mask.box;
  const ok = x0 >= 0 && y0 >= 0 && x0 <= x1 && y0 <= y1 && x1 <= w && y1 <= h && Math.max(w, h) <= MAX_SIDE;
  if (!ok) throw new RangeError(`crop ${mask.box} doesn't fit the grid ${mask.size}`);
  return { width: x1 - x0, height: y1 - y0 };
}

/**
 * Return the mask inside its own crop, one byte a cell, 255 for foreground and 0 for background, row-major.
 * @param {Mask} mask
 * @returns {{ width: number, height: number, alpha: Uint8Array }}
 * @throws {RangeError} where the crop leaves the grid or the run lengths don't sum to it
 */
export function decodeMask(mask) {
  const { width, height } = cropSize(mask);
  const alpha = new Uint8Array(width * height);
  let at = 0;
  let foreground = false;
  for (const run of readVarints(mask.runs)) {
    if (run > alpha.length - at) throw new RangeError("the run lengths are longer than the crop");
    if (foreground) alpha.fill(255, at, at + run);
    at += run;
    foreground = !foreground;
  }
  if (at !== alpha.length) throw new RangeError("the run lengths are shorter than the crop");
  return { width, height, alpha };
}

/**
 * Return the part of the image that the mask's grid spans, and how large its cells are there.
 * @param {Mask} mask @param {Size} image
 * @returns {{ left: number, top: number, across: number, down: number }} image pixels; those of one cell
 */
export function gridOf(mask, image) {
  const [h, w] = mask.size;
  const [left, top, right, bottom] = mask.window ?? [0, 0, image.width, image.height];
  return { left, top, across: (right - left) / w, down: (bottom - top) / h };
}

/**
 * Tell whether the mask covers a point of the image.
 * @param {Mask} mask
 * @param {Size} image
 * @param {number} x pixels of the image
 * @param {number} y pixels of the image
 */
export function covers(mask, image, x, y) {
  const [x0, y0, x1, y1] = mask.box;
  const grid = gridOf(mask, image);
  const column = Math.floor((x - grid.left) / grid.across);
  const row = Math.floor((y - grid.top) / grid.down);
  if (column < x0 || row < y0 || column >= x1 || row >= y1) return false;
  // It is asked of many masks for every move of the pointer: the runs are read no farther than to the point.
  let left = (row - y0) * (x1 - x0) + (column - x0);
  let foreground = false;
  let run = 0;
  let factor = 1;
  for (const byte of mask.runs) {
    run += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte & 0x80) continue;
    if (left < run) return foreground;
    left -= run;
    foreground = !foreground;
    run = 0;
    factor = 1;
  }
  return false;
}

// The four directions an edge can run, clockwise; the next one is a right turn.
const STEP_X = [1, 0, -1, 0];
const STEP_Y = [0, 1, 0, -1];

/**
 * Return for every corner of the cells the directions of the boundary edges that leave it, as bits.
 * Edges run clockwise around the foreground.
 * @param {Uint8Array} alpha @param {number} width @param {number} height
 */
function boundaryEdges(alpha, width, height) {
  const stride = width + 1;
  const edges = new Uint8Array(stride * (height + 1));
  // Each step looks at the cell below and right of a corner: what differs from the one above it has an edge between,
  // and what differs from the one before it, too. Masks have up to 16 million cells, so nothing is called here.
  for (let y = 0; y <= height; y += 1) {
    const row = y * width;
    const corner = y * stride;
    let before = false;
    for (let x = 0; x <= width; x += 1) {
      const here = y < height && x < width && alpha[row + x] !== 0;
      const above = y > 0 && x < width && alpha[row - width + x] !== 0;
      if (here !== above) edges[here ? corner + x : corner + x + 1] |= here ? 1 : 4;
      if (here !== before) edges[here ? corner + stride + x : corner + x] |= here ? 8 : 2;
      before = here;
    }
  }
  return edges;
}

/**
 * Follow one loop from its first corner, taking its edges away, and return the points half a cell beside each turn: a
 * staircase becomes a straight slope. Where two cells touch at a corner only, the loop turns right and keeps them
 * apart.
 * @param {Uint8Array} edges
 * @param {number} stride
 * @param {number} start index of the first corner in reading order
 * @returns {number[]} x, y, x, y, ...
 */
function followLoop(edges, stride, start) {
  /** @type {number[]} */
  const points = [];
  /** @param {number} corner @param {number} direction @param {number} way 1 for ahead, -1 for behind */
  const add = (corner, direction, way) => {
    const x = (corner % stride) + (way * STEP_X[direction]) / 2;
    const y = Math.floor(corner / stride) + (way * STEP_Y[direction]) / 2;
    if (points.at(-2) !== x || points.at(-1) !== y) points.push(x, y);
  };
  const first = Math.log2(edges[start] & -edges[start]);
  let at = start;
  let direction = first;
  do {
    at += STEP_X[direction] + stride * STEP_Y[direction];
    const before = direction;
    direction = [1, 0, 3].map((quarter) => (before + quarter) % 4).find((d) => (edges[at] >> d) & 1) ?? first;
    edges[at] &= ~(1 << direction);
    if (direction !== before) {
      add(at, before, -1);
      add(at, direction, 1);
    }
  } while (at !== start || direction !== first);
  if (points[0] === points.at(-2) && points[1] === points.at(-1)) points.length -= 2;
  return points;
}

/**
 * Return the closed loops around the mask and its holes, in grid cells; corners are cut by half a cell.
 * Fill them by the even-odd rule.
 * @param {Mask} mask
 * @returns {number[][]} each x, y, x, y, ...
 */
export function outline(mask) {
  return outlineCells({ ...decodeMask(mask), left: mask.box[0], top: mask.box[1] });
}

/**
 * The same of plain cells.
 * @param {Cells} cells
 * @returns {number[][]} each x, y, x, y, ...
 */
export function outlineCells({ left, top, width, height, alpha }) {
  const edges = boundaryEdges(alpha, width, height);
  /** @type {number[][]} */
  const loops = [];
  for (let corner = 0; corner < edges.length; corner += 1) {
    while (edges[corner]) {
      loops.push(followLoop(edges, width + 1, corner).map((value, i) => value + (i % 2 ? top : left)));
    }
  }
  return loops;
}

/**
 * Return loops with fewer points: those that lie nearer to the one before than a person sees. A loop that is smaller
 * than that is left out.
 * @param {number[][]} loops each x, y, x, y, ...
 * @param {number} least distance between two points, cells
 * @returns {number[][]}
 */
export function thinned(loops, least) {
  const thin = loops.map((loop) => {
    const kept = loop.slice(0, 2);
    for (let i = 2; i < loop.length; i += 2) {
      const [dx, dy] = [loop[i] - kept[kept.length - 2], loop[i + 1] - kept[kept.length - 1]];
      if (dx * dx + dy * dy >= least * least) kept.push(loop[i], loop[i + 1]);
    }
    return kept;
  });
  return thin.filter((loop) => loop.length >= 6);
}
