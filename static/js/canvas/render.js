/**
 * Draws the picture, the masks, the points and the box on three canvases. Decides nothing.
 */

import { Layer, pixelRatio } from "./layers.js";
import { drawBadge, drawBox, drawCross, drawDot, drawName, drawPoint, drawRing, drawStroke, drawSquares, fill, hatch, stroke } from "./marks.js";
import { newColor } from "../model/classes.js";
import { colorOf, withAlpha } from "../model/palette.js";
import { Paths } from "./paths.js";
import { Pyramid } from "./pyramid.js";
import { freeRegions, standIn } from "../model/regions.js";
import { Shots } from "./shots.js";
import { gridOf } from "../model/masks.js";
import { activeObject, isVisible, maskOf, objectOf, previewMask, shownPicture } from "../model/state.js";
import { storedSize, turnOf } from "../model/turns.js";
import { firstRadius } from "../model/strokes.js";
import { toScreen } from "../model/viewport.js";
import { shortName } from "../model/words.js";

/** @import { ObjectState, Picture, Scene, Size, State, Viewport } from "../model/types.ts" */
/** @import { Mask, Region } from "../wire/messages.ts" */
/** @import { Context, Look, Piece, Sign, Style } from "./types.ts" */

/** Image pixels get hard edges once they are this large on the screen, CSS pixels. */
const PIXELS_SHOW_AT = 4;
/** A view that hasn't changed for so long rests, ms. */
const REST_MS = 120;
/** The signs of what a click gives. @type {Record<string, Sign>} */
const SIGNS = { new: "*", add: "+", remove: "−", nothing: "−" };
/** What a click would add and remove; apart for colour-blind eyes, and hatched in two directions. */
const ADDED = "#35d6ff";
const REMOVED = "#ff4a2b";
/** How full the regions are that nobody has taken, and the dashes of one that is pointed or walked to, CSS pixels. */
const REGION_FILL = 0.3;
const REGION_DASH = [5, 4];

/** Of a level that is far larger than what is drawn of it, so many pixels take a frame and more to draw finely. */
const MANY_PIXELS = 2 ** 22;

/**
 * What of a picture is drawn: its first frame comes before the smaller levels are there.
 * @param {Pyramid | null} pyramid @param {number | null} wide pixels of the screen
 * @param {ImageBitmap | null} frame of a clip: it is small, opaque, and another one soon
 */
function levelOf(pyramid, wide, frame) {
  const level = frame ?? ((wide && pyramid?.levelFor(wide)) || null);
  const isLarge = level !== null && wide !== null && level.width > 2 * wide && level.width * level.height > MANY_PIXELS;
  return { level, isLarge, isTransparent: pyramid?.isTransparent ?? false };
}

export class Renderer {
  #paths = new Paths();
  /** @type {Pyramid | null} */
  #pyramid = null;
  /** @type {{ of: readonly unknown[], regions: readonly Region[] }} the free regions, and what they follow from */
  #free = { of: [], regions: [] };
  /** @type {ImageBitmap | null} */
  #bitmap = null;
  /** The same, where it is a frame of a clip. @type {ImageBitmap | null} */
  #frame = null;
  /** @type {{ ratio: number, added: CanvasPattern | null, removed: CanvasPattern | null } | null} */
  #hatches = null;
  /** @type {{ place: number[], file: Blob | undefined }} the view as it was drawn last */
  #seen = { place: [], file: undefined };
  /** @type {ReturnType<typeof setTimeout> | undefined} set while the view moves */
  #rest;

  /**
   * @param {{ picture: HTMLCanvasElement, objects: HTMLCanvasElement, top: HTMLCanvasElement }} canvases from below
   *   to above
   * @param {() => void} changed there is more to draw than there was
   */
  constructor(canvases, changed) {
    this.picture = new Layer(canvases.picture);
    this.objects = new Shots(canvases.objects, changed);
    this.top = new Layer(canvases.top);
    this.changed = changed;
  }

  /** @param {State} state @param {Scene} scene @param {Look} look */
  draw(state, scene, look) {
    const picture = shownPicture(state);
    this.#adopt(picture);
    const { viewport: view } = scene;
    const place = [view.scale, view.x, view.y];
    const wide = picture && storedSize(picture.orientation ?? 1, picture).width * view.scale * pixelRatio();
    const { level, isTransparent, isLarge } = levelOf(this.#pyramid, wide, this.#frame);
    const moves = this.#moves(place, picture?.file);
    const quality = moves || isLarge ? "low" : "high"; // a smooth pan is worth more than pixels nobody can look at
    this.picture.draw([picture?.file, level, isTransparent, quality, ...place], (context) => {
      if (!picture) return;
      const [width, height] = [picture.width * view.scale, picture.height * view.scale];
      if (level && isTransparent) drawSquares(context, { x: view.x, y: view.y, width, height });
      drawPicture(context, picture, level, view, quality);
    });
    const showsObjects = picture && state.pending === null && !scene.hidden;
    const shown = showsObjects ? [...state.objects.values()].filter(({ id }) => isVisible(state, id)) : [];
    const lit = [state.active, state.pointed, state.combining, look.opacity, look.outlines];
    const regions = showsObjects && state.showsRegions ? this.#freeRegions(state) : [];
    const on = /** @type {Picture} */ (picture);
    const pieces = regions.map((region, index) => this.#regionPiece(region, index, on, look));
    pieces.push(...shown.map((object) => this.#piece(object, state, on, look)));
    if (shown.length > 0) pieces.push((context, at, thin) => {
      for (const object of shown) if (object.id !== state.active) drawDots(context, object, at, thin);
      return 0;
    });
    this.objects.draw([picture?.file, ...lit, ...shown, ...regions], pieces, picture, view, moves);
    const bare = !picture || isBare(state, scene);
    this.top.draw(bare ? [] : [{}], (context) => picture && this.#top(context, state, picture, scene, look));
  }

  /**
   * Tell whether the view moves; once it rests, there is more to draw.
   * @param {number[]} place of the view @param {Blob | undefined} file of the picture
   */
  #moves(place, file) {
    const last = this.#seen;
    const moved = last.file === file && place.some((value, i) => value !== last.place[i]);
    if (moved) {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => {
        this.#rest = undefined;
        this.changed();
      }, REST_MS);
    }
    this.#seen = { place, file };
    return this.#rest !== undefined;
  }

  /** @param {Picture | null} picture */
  #adopt(picture) {
    const bitmap = picture?.bitmap ?? null;
    this.#frame = picture?.clip ? bitmap : null;
    if (bitmap === this.#bitmap) return;
    this.#pyramid?.drop();
    this.#bitmap = bitmap;
    this.#pyramid = bitmap && this.#frame === null ? new Pyramid(bitmap, this.changed) : null;
  }

  /**
   * The regions without an object, looked for anew only where they may be others: a pan has no time for hit tests.
   * @param {State} state
   */
  #freeRegions(state) {
    const of = [state.regions, state.objects, state.hidden, state.isolated];
    if (of.some((one, i) => one !== this.#free.of[i])) this.#free = { of, regions: freeRegions(state) };
    return this.#free.regions;
  }

  /** @param {Region} region @param {number} index @param {Size} image @param {Look} look @returns {Piece} */
  #regionPiece({ mask }, index, image, look) {
    return (context, view, thin) => {
      const style = { fill: look.outlines ? 0 : REGION_FILL, line: thin, halo: false };
      return this.#mask(context, mask, image, view, colorOf(index), style);
    };
  }

  /** @param {ObjectState} object @param {State} state @param {Size} image @param {Look} look @returns {Piece} */
  #piece(object, state, image, look) {
    const pointed = object.id === state.pointed;
    const lit = pointed || object.id === state.active || state.combining?.others.has(object.id);
    const opacity = look.outlines ? 0 : Math.min(1, look.opacity * (lit ? 1.2 : state.pointed === null ? 1 : 0.4));
    const mask = maskOf(object);
    return (context, view, thin) => {
      const style = { fill: opacity, line: (lit ? 2.5 : 1.5) * thin, halo: pointed };
      return mask ? this.#mask(context, mask, image, view, colorOf(object.color), style) : 0;
    };
  }

  /** @param {Context} context @param {State} state @param {Picture} picture @param {Scene} scene @param {Look} look */
  #top(context, state, picture, scene, look) {
    const { viewport: view } = scene;
    const active = activeObject(state);
    if (state.pending === null && !scene.hidden) {
      this.#preview(context, state, picture, view, look);
      if (active && isVisible(state, active.id)) drawPrompts(context, active, state, scene);
    }
    if (scene.band) drawBox(context, toScreen(view, scene.band[0]), toScreen(view, scene.band[1]), "#ffffff");
    this.#brush(context, state, picture, scene);
    if (scene.cursor) drawCross(context, toScreen(view, scene.cursor));
    this.#aim(context, state, picture, scene);
  }

  /**
   * The brush: its size where it is, and what it has gone over since it is down.
   * @param {Context} context @param {State} state @param {Size} image @param {Scene} scene
   */
  #brush(context, state, image, { stroke: path, badge, cursor, viewport }) {
    const { aim, brush, tool } = state;
    const erases = tool === "eraser" || aim?.does === "erase";
    const radius = (brush.radius ?? firstRadius(image)) * viewport.scale;
    const color = colorOf(activeObject(state)?.color ?? newColor(state));
    if (path) drawStroke(context, path.map((at) => toScreen(viewport, at)), radius, erases ? "#14171d" : color);
    const at = path ? toScreen(viewport, path[path.length - 1]) : (badge ?? (cursor && toScreen(viewport, cursor)));
    const shows = path !== null || aim?.does === "paint" || aim?.does === "erase";
    if (shows && at) drawRing(context, at, radius, erases ? REMOVED : color);
  }

  /**
   * What a click gives, where it isn't a mask: the object that it selects, or a sign beside the pointer.
   * @param {Context} context
   * @param {State} state
   * @param {Size} image
   * @param {Scene} scene
   */
  #aim(context, state, image, { badge, cursor, viewport }) {
    const { aim, objects } = state;
    const color = newColor(state);
    const at = badge ?? (cursor && toScreen(viewport, cursor));
    if (aim === null || at === null) return;
    const object = "object" in aim ? objects.get(aim.object ?? NaN) : undefined;
    if (aim.does === "select") {
      const mask = object && maskOf(object);
      if (!object || !mask) return;
      this.#mask(context, mask, image, viewport, colorOf(object.color), { fill: 0, line: 3, halo: true });
      drawName(context, at, shortName(object.name), colorOf(object.color));
    } else if (badge && SIGNS[aim.does]) {
      drawBadge(context, badge, SIGNS[aim.does], colorOf(object?.color ?? color));
    }
  }

  /** @param {Context} context @param {State} state @param {Size} image @param {Viewport} view @param {Look} look */
  #preview(context, state, image, view, look) {
    const [standing, walked] = [standIn(state), state.walkedRegion];
    if (standing) this.#region(context, standing, image, view, "#ffffff", { fill: 0, line: 1, halo: false });
    const filled = { fill: REGION_FILL, line: 2, halo: true };
    if (walked) this.#region(context, walked, image, view, colorOf(newColor(state)), filled);
    const mask = previewMask(state);
    if (!mask || !state.preview) return;
    const object = objectOf(state, state.preview.object);
    const current = object && maskOf(object);
    const style = { fill: look.outlines ? 0.12 : Math.max(0.3, look.opacity), line: 2, halo: true };
    if (current) this.#difference(context, mask, current, image, view);
    else this.#mask(context, mask, image, view, colorOf(newColor(state)), style);
  }

  /**
   * Where a thing lies: a broken line, since it is no promise; filled where the Tab key has come to it.
   * @param {Context} context @param {Region} region @param {Size} image @param {Viewport} view
   * @param {string} color @param {Style} style
   */
  #region(context, { mask }, image, view, color, style) {
    context.setLineDash(REGION_DASH);
    this.#mask(context, mask, image, view, color, style);
    context.setLineDash([]);
  }

  /** @param {Context} context @param {Mask} preview @param {Mask} current @param {Size} image @param {Viewport} view */
  #difference(context, preview, current, image, view) {
    const paths = this.#paths.difference(preview, current, image);
    const hatches = this.#patterns(context);
    for (const [kind, color] of /** @type {const} */ ([["added", ADDED], ["removed", REMOVED]])) {
      const placed = onScreen(paths[kind], preview, image, view);
      fill(context, hatches[kind] ?? color, placed);
      strokeTwice(context, placed, color, "#000000a0", 1.5);
    }
  }

  /** @param {Context} context */
  #patterns(context) {
    const ratio = pixelRatio();
    if (this.#hatches?.ratio !== ratio) {
      this.#hatches = { ratio, added: hatch(context, ADDED, 1, ratio), removed: hatch(context, REMOVED, -1, ratio) };
    }
    return this.#hatches;
  }

  /**
   * @param {Context} context
   * @param {Mask} mask
   * @param {Size} image
   * @param {Viewport} view
   * @param {string} color
   * @param {Style} style
   * @returns {number} points of its outlines
   */
  #mask(context, mask, image, view, color, style) {
    const cellPx = gridOf(mask, image).across * view.scale * pixelRatio();
    const drawing = this.#paths.mask(mask, cellPx);
    const path = onScreen(drawing.path, mask, image, view);
    if (style.fill > 0) fill(context, withAlpha(color, style.fill), path);
    strokeTwice(context, path, color, style.halo ? "#ffffffd9" : "#00000059", style.line);
    return drawing.points;
  }
}

/** Nothing is drawn over the masks. @param {State} state @param {Scene} scene */
function isBare(state, { band, stroke: path, cursor, hidden }) {
  const { aim, preview, active, walkedRegion } = state;
  const nothingLit = preview === null && active === null && walkedRegion === null;
  return band === null && path === null && cursor === null && aim === null && (hidden || nothingLit);
}

/**
 * @param {Path2D} path in cells
 * @param {Mask} mask
 * @param {Size} image
 * @param {Viewport} view
 * @returns {Path2D} in CSS pixels
 */
function onScreen(path, mask, image, view) {
  const placed = new Path2D();
  const { left, top, across, down } = gridOf(mask, image);
  const at = toScreen(view, { x: left, y: top });
  placed.addPath(path, new DOMMatrix([across * view.scale, 0, 0, down * view.scale, at.x, at.y]));
  return placed;
}

/**
 * A line that reads on every ground.
 * @param {Context} context
 * @param {Path2D} path
 * @param {string} color
 * @param {string} around
 * @param {number} width
 */
function strokeTwice(context, path, color, around, width) {
  context.lineJoin = "round";
  stroke(context, around, width + 2, path);
  stroke(context, color, width, path);
}

/**
 * @param {Context} context
 * @param {Picture} picture
 * @param {ImageBitmap | null} level
 * @param {Viewport} view
 * @param {ImageSmoothingQuality} quality
 */
export function drawPicture(context, picture, level, view, quality) {
  const width = picture.width * view.scale;
  const height = picture.height * view.scale;
  context.imageSmoothingEnabled = view.scale < PIXELS_SHOW_AT;
  context.imageSmoothingQuality = quality;
  if (level) {
    const orientation = picture.orientation ?? 1;
    const stored = storedSize(orientation, { width, height });
    context.save();
    context.translate(view.x, view.y);
    context.transform(...turnOf(orientation, { width, height }));
    context.drawImage(level, 0, 0, stored.width, stored.height);
    context.restore();
  } else {
    context.fillStyle = "#8a8f9a";
    context.fillRect(view.x, view.y, width, height);
  }
}

/**
 * The prompts of an object that isn't selected: small.
 * @param {Context} context
 * @param {ObjectState} object
 * @param {Viewport} view
 * @param {number} thin factor of all widths
 */
function drawDots(context, object, view, thin) {
  for (const [x, y, label] of object.points) {
    drawDot(context, toScreen(view, { x, y }), 3 * thin, label === 1 ? colorOf(object.color) : "#14171d", 1.5 * thin);
  }
}

/** @param {Context} context @param {ObjectState} object the active one @param {State} state @param {Scene} scene */
function drawPrompts(context, { box, points, color }, { point: selected, aim }, { viewport: view, dragged }) {
  if (box) {
    const [from, to] = [{ x: box[0], y: box[1] }, { x: box[2], y: box[3] }];
    drawBox(context, toScreen(view, from), toScreen(view, to), colorOf(color));
  }
  for (const [index, [x, y, label]] of points.entries()) {
    const at = toScreen(view, dragged?.point === index ? dragged.to : { x, y });
    const isPointedAt = aim?.does === "point" && aim.point === index;
    drawPoint(context, at, label === 1 ? "+" : "−", colorOf(color), index === selected ? 5 : isPointedAt ? 3 : 1.5);
  }
}
