/**
 * What a cutout will look like, drawn small: objects of the picture with a hard or a soft edge, on nothing or a colour.
 */

import { drawSquares } from "./marks.js";
import { drawPicture } from "./render.js";
import { decodeMask, gridOf } from "../model/masks.js";

/** @import { OpenPicture, Size } from "../model/types.ts" */
/** @import { ExportOptions, Mask } from "../wire/messages.ts" */
/** @import { Context, Rect } from "./types.ts" */

/** How far a soft edge reaches beyond the mask, as the server has it, pixels of the picture. @param {Size} picture */
function edgeOf({ width, height }) {
  return Math.min(12, Math.max(2, Math.round(Math.max(width, height) / 512)));
}

/**
 * @param {readonly Mask[]} masks @param {Size} picture @param {number} beside pixels of the picture that count, too
 * @returns {Rect} what they cover, pixels of the picture; all of it where they cover nothing
 */
export function coveredRect(masks, picture, beside) {
  const boxes = masks.filter(({ box }) => box[0] < box[2] && box[1] < box[3]).map((mask) => {
    const { left, top, across, down } = gridOf(mask, picture);
    const [x0, y0, x1, y1] = mask.box;
    return [left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down];
  });
  if (boxes.length === 0) return { x: 0, y: 0, ...picture };
  const [x, y] = [0, 1].map((side) => Math.max(0, Math.min(...boxes.map((box) => box[side])) - beside));
  const ends = [2, 3].map((side) => Math.max(...boxes.map((box) => box[side])) + beside);
  const [right, bottom] = [Math.min(ends[0], picture.width), Math.min(ends[1], picture.height)];
  return { x, y, width: right - x, height: bottom - y };
}

/** @param {Mask} mask @returns {OffscreenCanvas | null} its crop, opaque where it is; null where it is empty */
function stencil(mask) {
  const { width, height, alpha } = decodeMask(mask);
  if (width === 0 || height === 0) return null;
  const pixels = new ImageData(width, height);
  for (const [i, value] of alpha.entries()) pixels.data[4 * i + 3] = value;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * Draw the cutout into a canvas, as large as fits.
 * @param {HTMLCanvasElement} canvas
 * @param {OpenPicture} picture
 * @param {readonly Mask[]} masks
 * @param {ExportOptions} options
 * @returns {Size} of the file, pixels
 */
export function drawCutout(canvas, picture, masks, { trim = false, edge = "hard", ground }) {
  const context = /** @type {Context} */ (canvas.getContext("2d"));
  const beside = edge === "soft" ? edgeOf(picture) : 0;
  const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
  const part = trim ? coveredRect(masks, picture, beside) : whole;
  const scale = Math.min(canvas.width / part.width, canvas.height / part.height);
  const [width, height] = [part.width * scale, part.height * scale];
  const [left, top] = [(canvas.width - width) / 2, (canvas.height - height) / 2];
  const view = { scale, x: left - part.x * scale, y: top - part.y * scale };

  context.reset();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.filter = edge === "soft" ? `blur(${(beside / 2) * scale}px)` : "none";
  for (const mask of masks) {
    const cut = stencil(mask);
    const grid = gridOf(mask, picture);
    const [across, down] = [grid.across * scale, grid.down * scale];
    const [x, y] = [view.x + grid.left * scale + mask.box[0] * across, view.y + grid.top * scale + mask.box[1] * down];
    if (cut) context.drawImage(cut, x, y, cut.width * across, cut.height * down);
  }
  context.filter = "none";
  context.globalCompositeOperation = "source-in";
  drawPicture(context, picture, picture.bitmap, view, "medium");
  context.globalCompositeOperation = "destination-over";
  if (ground) {
    context.fillStyle = ground;
    context.fillRect(left, top, width, height);
  } else drawSquares(context, { x: left, y: top, width, height });
  return { width: Math.ceil(part.width), height: Math.ceil(part.height) };
}
