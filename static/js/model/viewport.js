/**
 * The transform between image pixels and CSS pixels of the canvas. Pure.
 */

/** @import { Size, Viewport, XY } from "./types.ts" */

const MAX_SCALE = 40;
const MARGIN = 24;
const KEEP_VISIBLE = 48;
/** How far from the edge of the canvas the keyboard's cursor is kept, so that what it goes towards is seen. */
const AHEAD = 56;

/** @param {Viewport} view @param {XY} point image pixels @returns {XY} CSS pixels */
export function toScreen(view, point) {
  return { x: point.x * view.scale + view.x, y: point.y * view.scale + view.y };
}

/** @param {Viewport} view @param {XY} point CSS pixels @returns {XY} image pixels */
export function toImage(view, point) {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}

/**
 * Return the viewport that shows the whole image, centred.
 * @param {Size} image
 * @param {Size} canvas
 * @returns {Viewport}
 */
export function fit(image, canvas) {
  return centred(image, canvas, Math.min);
}

/**
 * Return the viewport that a picture fills both ways, centred: of a panorama, all of its height.
 * @param {Size} image
 * @param {Size} canvas
 * @returns {Viewport}
 */
export function fill(image, canvas) {
  return centred(image, canvas, Math.max);
}

/** @param {Size} image @param {Size} canvas @param {(a: number, b: number) => number} choose of both ways' scales */
function centred(image, canvas, choose) {
  const margin = Math.min(MARGIN, canvas.width * 0.04, canvas.height * 0.04);
  const across = Math.max(1, canvas.width - 2 * margin) / image.width;
  const down = Math.max(1, canvas.height - 2 * margin) / image.height;
  const scale = Math.min(choose(across, down), MAX_SCALE);
  return { scale, x: (canvas.width - image.width * scale) / 2, y: (canvas.height - image.height * scale) / 2 };
}

/**
 * Return the viewport zoomed by `factor` with the image point under `at` staying where it is.
 * @param {Viewport} view @param {XY} at CSS pixels @param {number} factor @param {number} minScale
 * @returns {Viewport}
 */
export function zoomAt(view, at, factor, minScale) {
  const scale = Math.min(MAX_SCALE, Math.max(minScale, view.scale * factor));
  const kept = toImage(view, at);
  return { scale, x: at.x - kept.x * scale, y: at.y - kept.y * scale };
}

/** @param {Viewport} view @param {number} dx CSS pixels @param {number} dy CSS pixels @returns {Viewport} */
export function panBy(view, dx, dy) {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/**
 * Return the viewport moved as little as needed for a part of the image to stay on the canvas.
 * @param {Viewport} view @param {Size} image @param {Size} canvas
 * @returns {Viewport}
 */
export function keepInSight(view, image, canvas) {
  /** @param {number} offset @param {number} length of the image @param {number} room */
  const held = (offset, length, room) => {
    const keep = Math.min(KEEP_VISIBLE, length, room);
    return Math.min(room - keep, Math.max(keep - length, offset));
  };
  const x = held(view.x, image.width * view.scale, canvas.width);
  const y = held(view.y, image.height * view.scale, canvas.height);
  return { ...view, x, y };
}

/**
 * Return the viewport moved as little as needed to see a point and some of what is around it.
 * @param {Viewport} view
 * @param {XY} point image pixels
 * @param {Size} canvas
 * @returns {Viewport}
 */
export function reveal(view, point, canvas) {
  const at = toScreen(view, point);
  /** @param {number} place @param {number} room */
  const shift = (place, room) => {
    const ahead = Math.min(AHEAD, room / 4);
    return Math.min(room - ahead, Math.max(ahead, place)) - place;
  };
  return panBy(view, shift(at.x, canvas.width), shift(at.y, canvas.height));
}

/** @param {XY} point image pixels @param {Size} image */
export function isInside(point, image) {
  return point.x >= 0 && point.y >= 0 && point.x <= image.width && point.y <= image.height;
}

/** Return the nearest point that lies on the image. @param {XY} point image pixels @param {Size} image @returns {XY} */
export function clampToImage(point, image) {
  return { x: Math.min(image.width, Math.max(0, point.x)), y: Math.min(image.height, Math.max(0, point.y)) };
}

/**
 * Return the box that two corners span, clamped to the image, or null where nothing of it is left.
 * @param {XY} a image pixels @param {XY} b image pixels @param {Size} image
 * @returns {[number, number, number, number] | null}
 */
export function boxBetween(a, b, image) {
  const from = clampToImage({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y) }, image);
  const to = clampToImage({ x: Math.max(a.x, b.x), y: Math.max(a.y, b.y) }, image);
  return from.x < to.x && from.y < to.y ? [from.x, from.y, to.x, to.y] : null;
}
