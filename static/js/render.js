/**
 * Draws the picture, the masks, the points and the box on the canvas. Decides nothing.
 */

import { outline } from "./masks.js";
import { colorOf, withAlpha } from "./palette.js";
import { maskOf, shownPicture } from "./state.js";
import { toScreen } from "./viewport.js";

/** @import { Box, Mask } from "./protocol.js" */
/** @import { ObjectState, Picture, State } from "./state.js" */
/** @import { Size, Viewport } from "./viewport.js" */

/** @typedef {{ x: number, y: number }} XY */
/** @typedef {CanvasRenderingContext2D} Context */

/**
 * @typedef {object} Scene what to draw beside the state
 * @property {Viewport} viewport
 * @property {[XY, XY] | null} band corners of the box being drawn, image pixels
 * @property {{ point: number, to: XY } | null} dragged a point of the active object on its way; index, image pixels
 * @property {XY | null} cursor of the keyboard, image pixels
 * @property {XY | null} badge where to show that a click takes away, CSS pixels
 * @property {boolean} hidden masks are hidden while H is held
 * @property {number | null} pointed the object whose entry in the list is pointed at
 */

const FULL_TURN = 2 * Math.PI;
/** Image pixels get hard edges once they are this large on the screen, CSS pixels. */
const PIXELS_SHOW_AT = 4;

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

export class Renderer {
  /** Outlines in grid cells. @type {WeakMap<Mask, Path2D>} */
  #paths = new WeakMap();

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("this browser has no 2d canvas");
    this.canvas = canvas;
    this.context = context;
  }

  /** @param {State} state @param {Scene} scene */
  draw(state, scene) {
    const ratio = this.#resize();
    const { context } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const picture = shownPicture(state);
    if (picture === null) return;
    this.#picture(picture, scene.viewport);
    if (state.pending === null && !scene.hidden) this.#masks(state, picture, scene);
    if (scene.band) this.#box([scene.band[0].x, scene.band[0].y, scene.band[1].x, scene.band[1].y], scene.viewport, "#ffffff");
    if (scene.cursor) this.#cross(toScreen(scene.viewport, scene.cursor));
    if (scene.badge) this.#badge(scene.badge);
  }

  /** Give the canvas as many pixels as the screen shows of it. @returns {number} pixels of the screen for a CSS pixel */
  #resize() {
    const ratio = globalThis.devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    return ratio;
  }

  /** @param {Picture} picture @param {Viewport} view */
  #picture(picture, view) {
    const { context } = this;
    const width = picture.width * view.scale;
    const height = picture.height * view.scale;
    context.imageSmoothingEnabled = view.scale < PIXELS_SHOW_AT;
    context.imageSmoothingQuality = "high";
    if (picture.bitmap) context.drawImage(picture.bitmap, view.x, view.y, width, height);
    else {
      context.fillStyle = "#8a8f9a";
      context.fillRect(view.x, view.y, width, height);
    }
  }

  /** @param {State} state @param {Size} image @param {Scene} scene */
  #masks(state, image, scene) {
    const refined = state.preview?.object ?? null;
    for (const object of state.objects.values()) {
      const mask = maskOf(object);
      const emphasised = object.id === state.active || object.id === scene.pointed;
      if (mask) this.#mask(mask, image, scene.viewport, colorOf(object.color), { fill: object.id === refined ? 0.12 : emphasised ? 0.5 : 0.4, line: emphasised ? 2.5 : 1.5 });
    }
    if (state.preview) {
      const object = refined === null ? undefined : state.objects.get(refined);
      this.#mask(state.preview.mask, image, scene.viewport, colorOf(object?.color ?? state.nextColor), { fill: 0.5, line: 2, halo: true });
    }
    for (const object of state.objects.values()) this.#prompts(object, object.id === state.active, scene);
  }

  /**
   * @param {Mask} mask @param {Size} image @param {Viewport} view @param {string} color
   * @param {{ fill: number, line: number, halo?: boolean }} style opacity; CSS pixels; a white line around
   */
  #mask(mask, image, view, color, style) {
    const { context } = this;
    const path = new Path2D();
    const [h, w] = mask.size;
    path.addPath(this.#pathOf(mask), new DOMMatrix([(image.width * view.scale) / w, 0, 0, (image.height * view.scale) / h, view.x, view.y]));
    context.fillStyle = withAlpha(color, style.fill);
    context.fill(path, "evenodd");
    context.lineJoin = "round";
    context.strokeStyle = style.halo ? "#ffffffd9" : "#00000059";
    context.lineWidth = style.line + 2;
    context.stroke(path);
    context.strokeStyle = color;
    context.lineWidth = style.line;
    context.stroke(path);
  }

  /** @param {Mask} mask */
  #pathOf(mask) {
    let path = this.#paths.get(mask);
    if (path === undefined) {
      path = new Path2D();
      this.#paths.set(mask, path); // at once, so that a mask that can't be read fails once, not in every frame
      for (const loop of outline(mask)) addLoop(loop, path);
    }
    return path;
  }

  /** @param {ObjectState} object @param {boolean} active @param {Scene} scene */
  #prompts(object, active, { viewport: view, dragged }) {
    if (active && object.box) this.#box(object.box, view, colorOf(object.color));
    for (const [index, [x, y, label]] of object.points.entries()) {
      const at = active && dragged?.point === index ? dragged.to : { x, y };
      if (active) this.#point(toScreen(view, at), label, colorOf(object.color));
      else this.#dot(toScreen(view, { x, y }), 3.5, label === 1 ? colorOf(object.color) : "#14171d");
    }
  }

  /** @param {XY} at @param {number} radius @param {string} color */
  #dot(at, radius, color) {
    const { context } = this;
    context.beginPath();
    context.arc(at.x, at.y, radius, 0, FULL_TURN);
    context.fillStyle = color;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = "#ffffff";
    context.stroke();
  }

  /** A disc with + or −, dark so that the sign reads on every colour. @param {XY} at @param {number} label @param {string} color */
  #point(at, label, color) {
    const { context } = this;
    this.#dot(at, 9, "#14171d");
    context.beginPath();
    context.arc(at.x, at.y, 8, 0, FULL_TURN);
    context.lineWidth = 2;
    context.strokeStyle = label === 1 ? color : "#ff6b6b";
    context.stroke();
    context.beginPath();
    context.moveTo(at.x - 4, at.y);
    context.lineTo(at.x + 4, at.y);
    if (label === 1) {
      context.moveTo(at.x, at.y - 4);
      context.lineTo(at.x, at.y + 4);
    }
    context.strokeStyle = "#ffffff";
    context.stroke();
  }

  /** @param {Box} box image pixels @param {Viewport} view @param {string} color */
  #box(box, view, color) {
    const { context } = this;
    const from = toScreen(view, { x: box[0], y: box[1] });
    const to = toScreen(view, { x: box[2], y: box[3] });
    context.lineWidth = 3.5;
    context.strokeStyle = "#00000080";
    context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
    context.setLineDash([6, 4]);
    context.lineWidth = 1.5;
    context.strokeStyle = color;
    context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
    context.setLineDash([]);
  }

  /** @param {XY} at */
  #cross(at) {
    const { context } = this;
    for (const [width, color] of /** @type {const} */ ([[4, "#000000a0"], [2, "#ffffff"]])) {
      context.beginPath();
      for (const [dx, dy] of /** @type {const} */ ([[1, 0], [-1, 0], [0, 1], [0, -1]])) {
        context.moveTo(at.x + dx * 4, at.y + dy * 4);
        context.lineTo(at.x + dx * 14, at.y + dy * 14);
      }
      context.lineWidth = width;
      context.strokeStyle = color;
      context.stroke();
    }
  }

  /** Tells before the click that it takes away. @param {XY} at */
  #badge(at) {
    this.#point({ x: at.x + 16, y: at.y + 16 }, 0, "#ffffff");
  }
}
