/**
 * Joins pointer, keyboard and viewport to the studio: CSS pixels of the canvas become points of the image.
 */

import { distance, PointerInput } from "./pointer.js";
import { isArmed, nextObject, objectAt, shownPicture, takeableAt } from "./state.js";
import { boxBetween, clampToImage, fit, isInside, keepInSight, panBy, reveal, toImage, toScreen, zoomAt } from "./viewport.js";

/** @import { Label } from "./protocol.js" */
/** @import { Scene } from "./render.js" */
/** @import { State } from "./state.js" */
/** @import { Studio } from "./studio.js" */
/** @import { Size, Viewport } from "./viewport.js" */

/** @typedef {{ x: number, y: number }} XY */

/** How near to a point the pointer grabs it, CSS pixels. */
const REACH_PX = 9;
const TOUCH_REACH_PX = 18;

export class Stage {
  /** @type {Scene} */
  scene = { viewport: { scale: 1, x: 0, y: 0 }, band: null, dragged: null, cursor: null, badge: null, hidden: false };
  /** The whole picture is shown, and stays so when the window changes. */
  #fitted = true;
  #panKey = false;
  #modified = false;
  /** @type {XY | null} last place of the pointer over the canvas, CSS pixels */
  #pointer = null;

  /** @param {HTMLCanvasElement} canvas @param {State} state @param {Studio} studio @param {() => void} changed */
  constructor(canvas, state, studio, changed) {
    this.canvas = canvas;
    this.state = state;
    this.studio = studio;
    this.changed = changed;
    this.input = new PointerInput(canvas, {
      hover: (at, remove) => this.#hover(at, remove),
      leave: () => this.#leave(),
      click: (at, remove) => this.#click(at, remove),
      commit: () => void studio.commit(),
      boxing: (from, to) => this.#boxing(from, to),
      box: (from, to) => this.#box(from, to),
      cancel: () => this.#settleDrag(),
      pan: (dx, dy) => this.#look(panBy(this.scene.viewport, dx, dy)),
      zoom: (at, factor) => this.zoom(factor, at),
      cycle: (step) => void studio.cycle(step),
      isPanKeyDown: () => this.#panKey,
      isTakeable: (at) => this.#isTakeable(at),
    });
    new ResizeObserver(() => this.settle()).observe(canvas);
  }

  /** @returns {Size} of the canvas, CSS pixels */
  #size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  // ---- looking

  /** Show the whole picture. */
  fit() {
    this.#fitted = true;
    this.settle();
  }

  /** The canvas or the picture changed: keep what is fitted fitted, and the rest in sight. */
  settle() {
    const picture = shownPicture(this.state);
    if (picture && this.#fitted) this.scene.viewport = fit(picture, this.#size());
    else if (picture) this.scene.viewport = keepInSight(this.scene.viewport, picture, this.#size());
    this.changed();
  }

  /** @param {number} factor @param {XY} [at] CSS pixels; the keyboard's cursor if absent, else the middle of the canvas */
  zoom(factor, at) {
    const picture = shownPicture(this.state);
    if (!picture) return;
    const size = this.#size();
    const least = Math.min(1, fit(picture, size).scale) / 2;
    const middle = { x: size.width / 2, y: size.height / 2 };
    const cursor = this.scene.cursor && toScreen(this.scene.viewport, this.scene.cursor);
    this.#look(zoomAt(this.scene.viewport, at ?? cursor ?? middle, factor, least));
  }

  /** @param {Viewport} viewport */
  #look(viewport) {
    const picture = shownPicture(this.state);
    if (!picture) return;
    this.#fitted = false;
    this.scene.viewport = keepInSight(viewport, picture, this.#size());
    this.changed();
  }

  // ---- pointing

  /** @param {boolean} modified @returns {Label} a modifier turns the tool around */
  #label(modified) {
    return modified !== this.state.removing ? 0 : 1;
  }

  /** @param {XY} at @returns {XY | null} the point of the picture, or null beside it */
  #imagePoint(at) {
    const point = toImage(this.scene.viewport, at);
    return this.state.picture && isInside(point, this.state.picture) ? point : null;
  }

  /** @param {XY} at @param {boolean} remove */
  #hover(at, remove) {
    this.#pointer = at;
    this.scene.cursor = null;
    const point = this.#imagePoint(at);
    const onPoint = this.#pointAt(at) >= 0;
    this.canvas.classList.toggle("on-point", onPoint);
    if (!point || this.#panKey) return this.#leave(false);
    if (onPoint) this.studio.leave();
    else this.studio.hover(point, this.#label(remove));
    this.#badge(onPoint ? { at, sign: "×" } : { at, sign: this.#label(remove) === 0 ? "−" : "+" });
  }

  /** @param {boolean} [away] the pointer left the canvas */
  #leave(away = true) {
    if (away) this.#pointer = null;
    this.#badge(null);
    this.studio.leave();
  }

  /** @param {Scene["badge"]} badge */
  #badge(badge) {
    const shown = isArmed(this.state) ? badge : null;
    if (shown !== this.scene.badge) this.changed();
    this.scene.badge = shown;
  }

  /** @param {XY} at @returns {number} index of the point of the active object that is there, or -1 */
  #pointAt(at) {
    const object = this.state.active === null ? undefined : this.state.objects.get(this.state.active);
    const reach = this.state.byTouch ? TOUCH_REACH_PX : REACH_PX;
    return object ? object.points.findIndex(([x, y]) => distance(toScreen(this.scene.viewport, { x, y }), at) <= reach) : -1;
  }

  /** @param {XY} at @returns {boolean} a long press there means to take away, not to look longer */
  #isTakeable(at) {
    const point = this.#imagePoint(at);
    return point !== null && !this.state.removing && this.#pointAt(at) < 0 && takeableAt(this.state, point) !== null;
  }

  /** A click on a point takes it back; elsewhere it places one. @param {XY} at @param {boolean} remove */
  #click(at, remove) {
    const point = this.#imagePoint(at);
    const existing = this.#pointAt(at);
    if (existing >= 0) void this.studio.removePoint(existing);
    else if (point) void this.studio.click(point, this.#label(remove));
  }

  /** A drag that begins on a point moves it; elsewhere it draws a box. @param {XY} from @param {XY} to */
  #boxing(from, to) {
    if (!isArmed(this.state) || !this.state.picture) return;
    const { picture } = this.state;
    const [begun, end] = [from, to].map((at) => clampToImage(toImage(this.scene.viewport, at), picture));
    const start = this.scene.band?.[0] ?? begun; // the corner stays on its pixel, though the view may change meanwhile
    const point = this.scene.dragged?.point ?? (this.scene.band ? -1 : this.#pointAt(from));
    if (point >= 0) this.scene.dragged = { point, to: end };
    else this.scene.band = [start, end];
    this.changed();
  }

  #settleDrag() {
    this.scene.band = null;
    this.scene.dragged = null;
    this.changed();
  }

  /** @param {XY} from @param {XY} to */
  #box(from, to) {
    this.#boxing(from, to);
    const { band, dragged } = this.scene;
    this.#settleDrag();
    if (dragged) return void this.studio.movePoint(dragged.point, dragged.to);
    const box = band && this.state.picture && boxBetween(...band, this.state.picture);
    if (box) void this.studio.box(box);
  }

  // ---- keys

  /** @param {boolean} down Space is held: a drag pans */
  setPanKey(down) {
    this.#panKey = down;
    this.canvas.classList.toggle("panning", down);
    if (down) this.studio.leave();
  }

  /** @param {boolean} down H is held */
  setHidden(down) {
    this.scene.hidden = down;
    this.changed();
  }

  /** @param {boolean} down Alt or Shift is held: ask again what a click would do */
  setModified(down) {
    if (down === this.#modified) return;
    this.#modified = down;
    const at = this.#pointer;
    const point = at && this.#imagePoint(at);
    if (!at || !point) return;
    // Nothing to take away here: what is shown stays, so that Alt and the wheel can go through its candidates.
    if (this.#label(down) === 0 && this.state.active === null && objectAt(this.state, point) === null) this.#badge({ at, sign: "−" });
    else this.rehover();
  }

  /** Ask again what lies under the pointer, as the tool or the object changed. */
  rehover() {
    if (this.#pointer) this.#hover(this.#pointer, this.#modified);
    else if (this.scene.cursor) this.studio.hover(this.scene.cursor, this.#label(false));
  }

  /** Move the keyboard's cursor, which appears in the middle of the canvas. @param {number} dx CSS pixels @param {number} dy */
  step(dx, dy) {
    if (!isArmed(this.state) || !this.state.picture) return;
    const size = this.#size();
    const view = this.scene.viewport;
    const from = this.scene.cursor ? toScreen(view, this.scene.cursor) : { x: size.width / 2 - dx, y: size.height / 2 - dy };
    this.scene.cursor = clampToImage(toImage(view, { x: from.x + dx, y: from.y + dy }), this.state.picture);
    if (!this.#fitted) this.scene.viewport = reveal(view, this.scene.cursor, size);
    this.#pointer = null;
    this.#badge(null);
    this.studio.hover(this.scene.cursor, this.#label(false));
    this.changed();
  }

  /** Place a point under the keyboard's cursor. @param {boolean} remove */
  place(remove) {
    if (this.scene.cursor) void this.studio.click(this.scene.cursor, this.#label(remove));
  }

  /** Put away what is half done: the box being drawn, the keyboard's cursor. @returns {boolean} there was something */
  cancel() {
    if (this.input.cancelBox()) return true;
    if (this.scene.cursor === null) return false;
    this.scene.cursor = null;
    this.studio.leave();
    this.changed();
    return true;
  }

  /**
   * Point at the next object, in the order of the list.
   * @param {boolean} back at the one before instead
   * @returns {boolean} false beyond either end, where the focus goes on to what comes next on the page
   */
  walk(back) {
    const next = nextObject(this.state, back ? -1 : 1);
    this.state.pointed = next;
    const object = next === null ? undefined : this.state.objects.get(next);
    if (object) this.state.said = `${object.name}. Enter refines it, Delete deletes it.`;
    this.changed();
    return object !== undefined;
  }
}
