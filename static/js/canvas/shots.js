/**
 * The layer of the masks: drawn sharp where the view rests, and moved as bitmaps where that would take too long while
 * the view moves.
 *
 * Two bitmaps are kept: what was last seen, sharp, and the whole picture with its masks, for what comes into sight
 * beside it. Both are drawn in pieces over several frames, so that no key has to wait for fifty masks.
 */

import { pixelRatio } from "./layers.js";

/** @import { Size, Viewport } from "../model/types.ts" */
/** @import { Context, Piece, Rect } from "./types.ts" */

/**
 * So many points of masks are drawn in one frame. A browser that draws in software takes some 2 microseconds for each,
 * and takes them later, so that no clock here sees it.
 */
const SLICE_POINTS = 2500;
/** Masks with no more points are drawn anew in every frame of a move. */
const QUICK_POINTS = 500;
/** What a clock here does see is the making of their paths: for so long in one frame, and one more, ms. */
const SLICE_MS = 8;
/** Pixels of the bitmap of the whole picture. */
const MAX_WHOLE_PIXELS = 2 ** 22;

/** A bitmap of masks: how it lies on the picture, and what it shows. */
class Shot {
  /** @type {Viewport} in its own pixels */
  view = { scale: 1, x: 0, y: 0 };
  /** Pieces that are not drawn yet. @type {readonly Piece[]} */
  left = [];
  /** How many points it has so far. */
  points = 0;
  /** What it shows; null where that is no longer so. @type {readonly unknown[] | null} */
  reasons = null;
  #canvas = document.createElement("canvas");
  #context = /** @type {Context} */ (this.#canvas.getContext("2d"));

  get isDone() {
    return this.reasons !== null && this.left.length === 0;
  }

  /**
   * Begin anew.
   * @param {Size} size pixels @param {Viewport} view @param {readonly unknown[]} reasons
   * @param {readonly Piece[]} pieces @param {number} ratio pixels of the bitmap for a CSS pixel
   */
  begin({ width, height }, view, reasons, pieces, ratio) {
    this.view = scaled(view, ratio);
    this.reasons = reasons;
    this.left = pieces;
    this.points = 0;
    this.#canvas.width = width; // clears it, too
    this.#canvas.height = height;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** Draw some of what is left. @param {Viewport} view CSS pixels @param {number} thin factor of all widths */
  goOn(view, thin) {
    const began = performance.now();
    const enough = this.points + SLICE_POINTS;
    let done = 0;
    while (done < this.left.length && this.points < enough && performance.now() - began < SLICE_MS) {
      this.points += this.left[done](this.#context, view, thin);
      done += 1;
    }
    this.left = this.left.slice(done);
  }

  /** Where a view shows it. @param {Viewport} view pixels of the screen @returns {Rect} */
  placeIn(view) {
    const factor = view.scale / this.view.scale;
    const [x, y] = [view.x - this.view.x * factor, view.y - this.view.y * factor];
    const { width, height } = this.#canvas;
    const place = { x, y, width: width * factor, height: height * factor };
    return factor === 1 ? { ...place, x: Math.round(x), y: Math.round(y) } : place; // whole pixels are moved faster
  }

  /**
   * Put a part of it where a view shows it.
   * @param {Context} context in pixels of the screen @param {Viewport} view likewise
   * @param {Rect} part of the screen, on which nothing is drawn yet
   */
  put(context, view, part) {
    const { x, y, width, height } = this.placeIn(view);
    const [left, top] = [Math.max(x, part.x), Math.max(y, part.y)];
    const across = Math.min(x + width, part.x + part.width) - left;
    const down = Math.min(y + height, part.y + part.height) - top;
    if (across <= 0 || down <= 0) return;
    const factor = this.#canvas.width / width;
    const source = /** @type {const} */ ([(left - x) * factor, (top - y) * factor, across * factor, down * factor]);
    context.drawImage(this.#canvas, ...source, left, top, across, down);
  }
}

/**
 * What lies on a screen around a rectangle, in up to four.
 * @param {Rect} hole @param {Size} screen
 * @returns {Rect[]}
 */
export function around({ x, y, width, height }, screen) {
  /** @param {number} at @param {number} room */
  const within = (at, room) => Math.min(Math.max(0, at), room);
  const [left, right] = [x, x + width].map((at) => within(at, screen.width));
  const [top, bottom] = [y, y + height].map((at) => within(at, screen.height));
  return [
    { x: 0, y: 0, width: screen.width, height: top },
    { x: 0, y: bottom, width: screen.width, height: screen.height - bottom },
    { x: 0, y: top, width: left, height: bottom - top },
    { x: right, y: top, width: screen.width - right, height: bottom - top },
  ].filter((rect) => rect.width > 0 && rect.height > 0);
}

export class Shots {
  #sharp = new Shot();
  /** The one that is being drawn; it takes the place of the sharp one once it is done. */
  #next = new Shot();
  #whole = new Shot();
  /** @type {readonly unknown[]} what is on the screen */
  #shown = [];

  /** @param {HTMLCanvasElement} canvas @param {() => void} changed there is more to draw */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.context = /** @type {Context} */ (canvas.getContext("2d"));
    this.changed = changed;
  }

  /**
   * Bring the layer up to what it is to show.
   * @param {readonly unknown[]} what it shows, compared by identity; the first is the picture
   * @param {readonly Piece[]} pieces that draw it, from below to above
   * @param {Size | null} picture its size
   * @param {Viewport} view CSS pixels
   * @param {boolean} moves the view does, and will again
   */
  draw(what, pieces, picture, view, moves) {
    const ratio = pixelRatio();
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight].map((side) => Math.round(side * ratio));
    const wanted = [...what, width, height, ratio, view.scale, view.x, view.y];
    const isSharp = () => same(this.#sharp.reasons, wanted);
    const mayDraw = !moves || this.#sharp.points <= QUICK_POINTS;
    if (!isSharp() && mayDraw) this.#sharpen(wanted, pieces, { width, height }, view, ratio);
    const shown = pieces.length > 0 ? scaled(view, ratio) : null;
    if (isSharp() && !moves && shown && picture && !isAllSeen(picture, { width, height }, shown)) {
      this.#takeWhole(what, pieces, picture, shown);
    }
    this.#show(what, shown, { width, height }, isSharp());
  }

  /**
   * Draw what is seen.
   * @param {readonly unknown[]} wanted @param {readonly Piece[]} pieces @param {Size} size
   * @param {Viewport} view @param {number} ratio
   */
  #sharpen(wanted, pieces, size, view, ratio) {
    if (!same(this.#next.reasons, wanted)) this.#next.begin(size, view, wanted, pieces, ratio);
    this.#next.goOn(view, 1);
    if (!this.#next.isDone) return this.changed();
    [this.#sharp, this.#next] = [this.#next, this.#sharp];
    this.#next.reasons = null;
  }

  /**
   * Draw the whole picture, of which the view shows a part, for the next move.
   * @param {readonly unknown[]} what @param {readonly Piece[]} pieces @param {Size} picture
   * @param {Viewport} view pixels of the screen
   */
  #takeWhole(what, pieces, { width, height }, view) {
    if (this.#sharp.points <= QUICK_POINTS) return;
    const scale = Math.min(view.scale, Math.sqrt(MAX_WHOLE_PIXELS / (width * height)));
    const zoomed = scale / this.#whole.view.scale;
    if (!same(this.#whole.reasons, what) || zoomed > 2 || zoomed < 0.5) {
      const size = { width: Math.ceil(width * scale), height: Math.ceil(height * scale) };
      this.#whole.begin(size, { scale, x: 0, y: 0 }, what, pieces, 1);
    }
    if (this.#whole.isDone) return;
    this.#whole.goOn(this.#whole.view, this.#whole.view.scale / view.scale);
    this.changed();
  }

  /**
   * @param {readonly unknown[]} what @param {Viewport | null} at pixels of the screen, null for an empty layer
   * @param {Size} size pixels @param {boolean} isSharp
   */
  #show(what, at, size, isSharp) {
    const sharp = at && this.#sharp.reasons?.[0] === what[0] ? this.#sharp : null;
    const isWholeRight = this.#whole.isDone && same(this.#whole.reasons, what);
    const whole = at && !isSharp && isWholeRight ? this.#whole : null;
    const shown = [size.width, size.height, at?.scale, at?.x, at?.y, whole?.reasons, sharp?.reasons];
    if (same(this.#shown, shown)) return;
    this.#shown = shown;
    this.#empty(size);
    if (at === null) return;
    const place = sharp?.placeIn(at) ?? { x: 0, y: 0, width: 0, height: 0 };
    if (whole) for (const part of around(place, size)) whole.put(this.context, at, part);
    sharp?.put(this.context, at, { x: 0, y: 0, ...size });
  }

  /** @param {Size} size pixels that the layer has from now on */
  #empty({ width, height }) {
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.context.clearRect(0, 0, width, height);
  }
}

/** @param {Viewport} view CSS pixels @param {number} ratio @returns {Viewport} pixels of the screen */
function scaled({ scale, x, y }, ratio) {
  return { scale: scale * ratio, x: x * ratio, y: y * ratio };
}

/** @param {Size} picture @param {Size} screen pixels @param {Viewport} view pixels of the screen */
function isAllSeen({ width, height }, screen, { scale, x, y }) {
  return x >= 0 && y >= 0 && x + width * scale <= screen.width && y + height * scale <= screen.height;
}

/** @param {readonly unknown[] | null} these @param {readonly unknown[]} those */
function same(these, those) {
  return these !== null && these.length === those.length && these.every((one, i) => Object.is(one, those[i]));
}
