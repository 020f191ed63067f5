/**
 * Joins pointer, keyboard and viewport to the studio: CSS pixels of the canvas become points of the image.
 */

import { isBrush, ownPointAt, toolOf } from "../model/aim.js";
import { resized } from "../model/strokes.js";
import { PointerInput } from "./pointer.js";
import { nextStop } from "../model/regions.js";
import { isArmed, objectOf, shownPicture } from "../model/state.js";
import { boxBetween, clampToImage, fill, fit, isInside, keepInSight, panBy, reveal, toImage, toScreen, zoomAt } from "../model/viewport.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { Place, Scene, Size, Tool, Viewport, XY } from "../model/types.ts" */
/** @import { Studio } from "../session/studio.js" */
/** @import { Held, Spot } from "./types.ts" */

/** How near to a point the pointer grabs it, CSS pixels. */
const REACH_PX = 9;
const TOUCH_REACH_PX = 18;
const NOTHING_HELD = Object.freeze({ shift: false, alt: false, right: false });

export class Stage {
  /** @type {Scene} */
  scene = {
    viewport: { scale: 1, x: 0, y: 0 }, band: null, stroke: null, dragged: null, cursor: null, badge: null,
    resting: false,
    hidden: false,
  };
  /** The picture that was fitted last, and its size: the server may say another than the browser. */
  #fittedTo = { file: /** @type {Blob | undefined} */ (undefined), size: "" };
  /** How the picture is fitted, and stays so when the window changes. @type {"whole" | "filled" | null} */
  #fitted = "whole";
  #panKey = false;
  /** Something was panned since Space is held. */
  hasPanned = false;
  /** @type {Held} keys that are held, as the keyboard tells */
  #held = NOTHING_HELD;
  /** Alt is held for the wheel's sake, not to remove. */
  #altTurnsWheel = false;
  /** @type {Spot | null} last place of the pointer over the canvas, CSS pixels */
  #pointer = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Store} store
   * @param {Studio} studio
   * @param {() => void} changed the scene is not what was drawn
   */
  constructor(canvas, store, studio, changed) {
    this.canvas = canvas;
    this.store = store;
    this.state = store.state;
    this.studio = studio;
    this.changed = changed;
    this.input = new PointerInput(canvas, {
      hover: (at, held) => {
        this.#held = { ...held, right: false };
        this.#hover(at, held);
      },
      leave: () => this.#leave(),
      click: (at, held) => this.#click(at, held),
      rest: () => {
        if (isBrush(this.state.tool)) return false; // there is nothing to look at: it is a slow dab
        this.scene.resting = true;
        this.changed();
        return true;
      },
      isDraggable: (at, held) => isBrush(this.state.tool) || this.#tool(held) !== "remove" || this.#ownPointAt(at) !== null,
      boxing: (from, to) => this.#boxing(from, to),
      box: (from, to, held) => this.#box(from, to, held),
      cancel: () => this.#settleDrag(),
      pan: (dx, dy) => {
        this.hasPanned = true;
        this.#look(panBy(this.scene.viewport, dx, dy));
      },
      zoom: (at, factor) => this.zoom(factor, at),
      cycle: (step) => this.#turnWheel(step),
      isPanKeyDown: () => this.#panKey,
      resize: (steps) => this.resizeBrush(steps),
    });
    new ResizeObserver(() => this.settle()).observe(canvas);
  }

  /** @returns {Size} of the canvas, CSS pixels */
  get size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  // ---- looking

  /** Show another picture whole, before it is drawn. */
  follow() {
    const picture = shownPicture(this.state);
    const size = picture ? `${picture.width} x ${picture.height}` : "";
    if (picture?.file === this.#fittedTo.file && size === this.#fittedTo.size) return;
    this.#fittedTo = { file: picture?.file, size };
    this.scene.cursor = null;
    this.#fitted = "whole";
    this.settle();
  }

  /** Show the whole picture; where it is shown, fill the canvas with it, as a panorama needs. */
  fit() {
    this.#fitted = this.#fitted === "whole" ? "filled" : "whole";
    this.settle();
  }

  /** The canvas or the picture changed: keep what is fitted fitted, and the rest in sight. */
  settle() {
    const picture = shownPicture(this.state);
    if (picture && this.#fitted) this.scene.viewport = (this.#fitted === "whole" ? fit : fill)(picture, this.size);
    else if (picture) this.scene.viewport = keepInSight(this.scene.viewport, picture, this.size);
    this.changed();
  }

  /**
   * @param {number} factor
   * @param {Spot} [at] CSS pixels; the keyboard's cursor if absent, else the middle of the canvas
   */
  zoom(factor, at) {
    const picture = shownPicture(this.state);
    if (!picture) return;
    const size = this.size;
    const least = Math.min(1, fit(picture, size).scale) / 2;
    const middle = { x: size.width / 2, y: size.height / 2 };
    const cursor = this.scene.cursor && toScreen(this.scene.viewport, this.scene.cursor);
    this.#look(zoomAt(this.scene.viewport, at ?? cursor ?? middle, factor, least));
  }

  /** @param {Viewport} viewport */
  #look(viewport) {
    const picture = shownPicture(this.state);
    if (!picture) return;
    this.#fitted = null;
    this.scene.viewport = keepInSight(viewport, picture, this.size);
    this.changed();
  }

  // ---- pointing

  /** @param {Held} held @returns {Tool} */
  #tool(held) {
    if (!held.alt) this.#altTurnsWheel = false;
    return toolOf(this.state.tool, { adds: held.shift, removes: held.right || (held.alt && !this.#altTurnsWheel) });
  }

  /** @returns {number} image pixels */
  #reach() {
    return (this.state.byTouch ? TOUCH_REACH_PX : REACH_PX) / this.scene.viewport.scale;
  }

  /** @param {XY} point image pixels @param {Tool} tool @returns {Place} */
  #place(point, tool) {
    return { point, tool, reach: this.#reach(), onTop: this.state.onTop };
  }

  /** @param {Spot} at @returns {XY | null} the point of the picture, or null beside it */
  #imagePoint(at) {
    const point = toImage(this.scene.viewport, at);
    return this.state.picture && isInside(point, this.state.picture) ? point : null;
  }

  /** @param {Spot} at @param {Held} held */
  #hover(at, held) {
    this.#pointer = at;
    this.scene.cursor = null;
    this.scene.resting = false;
    const point = this.#imagePoint(at);
    if (!point || this.#panKey) return this.#leave(false);
    this.studio.hover(this.#place(point, this.#tool(held)));
    this.#badge(at);
  }

  /** @param {boolean} [away] the pointer left the canvas */
  #leave(away = true) {
    if (away) this.#pointer = null;
    this.#badge(null);
    this.studio.leave();
  }

  /** @param {Spot | null} at CSS pixels */
  #badge(at) {
    this.scene.badge = isArmed(this.state) ? at : null;
    this.changed();
  }

  /** @param {Spot} at @returns {{ object: number, point: number } | null} */
  #ownPointAt(at) {
    return ownPointAt(this.state, toImage(this.scene.viewport, at), this.#reach());
  }

  /** @param {Spot} at @param {Held} held */
  #click(at, held) {
    const point = this.#imagePoint(at);
    if (point && isBrush(this.state.tool)) this.#paint([point], held);
    else if (point) void this.studio.click(this.#place(point, this.#tool(held)));
    else void this.studio.select(null); // beside the picture
  }

  /** The wheel goes through candidates of what was lit before Alt was held. @param {1 | -1} step */
  #turnWheel(step) {
    if (!this.#altTurnsWheel) {
      this.#altTurnsWheel = true;
      if (this.#pointer) this.#hover(this.#pointer, { ...this.#held, alt: true });
    }
    void this.studio.cycle(step);
  }

  /** @param {XY[]} path image pixels @param {Held} held */
  #paint(path, held) {
    void this.studio.shaping.paint(path, this.#tool(held) === "brush" ? 1 : 0);
  }

  /** Make the brush thicker or thinner. @param {number} steps more is thicker @returns {boolean} it is up */
  resizeBrush(steps) {
    if (!isBrush(this.state.tool) || this.state.picture === null) return false;
    this.store.reshapeBrush({ radius: resized(this.studio.shaping.radius, steps) });
    return true;
  }

  /** A drag that begins on a point moves it; elsewhere it draws a box. @param {Spot} from @param {Spot} to */
  #boxing(from, to) {
    if (!isArmed(this.state) || !this.state.picture) return;
    const { picture } = this.state;
    const [begun, end] = [from, to].map((at) => clampToImage(toImage(this.scene.viewport, at), picture));
    if (isBrush(this.state.tool) || this.scene.stroke) {
      this.scene.stroke = [...(this.scene.stroke ?? [begun]), end];
      this.canvas.classList.add("painting");
      return this.changed();
    }
    const start = this.scene.band?.[0] ?? begun; // the corner stays on its pixel, though the view may change meanwhile
    const point = this.scene.dragged?.point ?? (this.scene.band ? -1 : (this.#ownPointAt(from)?.point ?? -1));
    if (point >= 0) this.scene.dragged = { point, to: end };
    else this.scene.band = [start, end];
    this.changed();
  }

  #settleDrag() {
    this.scene.band = null;
    this.scene.stroke = null;
    this.scene.dragged = null;
    this.canvas.classList.remove("painting");
    this.changed();
  }

  /** @param {Spot} from @param {Spot} to @param {Held} held */
  #box(from, to, held) {
    this.#boxing(from, to);
    const { band, dragged, stroke } = this.scene;
    this.#settleDrag();
    if (stroke) return this.#paint(stroke, held);
    if (dragged) return void this.studio.movePoint(dragged.point, dragged.to);
    const box = band && this.state.picture && boxBetween(...band, this.state.picture);
    if (box) void this.studio.box(box, this.#tool(held));
  }

  // ---- keys

  /** @param {boolean} down Space is held: a drag pans */
  setPanKey(down) {
    if (down && !this.#panKey) this.hasPanned = false;
    this.#panKey = down;
    this.canvas.classList.toggle("panning", down);
    if (down) this.studio.leave();
  }

  /** @param {boolean} down H is held */
  setHidden(down) {
    this.scene.hidden = down;
    this.changed();
  }

  /** Shift or Alt is held or let go: show what a click would do now. @param {{ shift: boolean, alt: boolean }} keys */
  setHeld({ shift, alt }) {
    if (shift === this.#held.shift && alt === this.#held.alt) return;
    this.#held = { shift, alt, right: false };
    this.rehover();
  }

  /** See again what a click would give, as the tool or the object changed. */
  rehover() {
    if (this.#pointer) this.#hover(this.#pointer, this.#held);
    else if (this.scene.cursor) this.studio.hover(this.#place(this.scene.cursor, this.#tool(NOTHING_HELD)));
  }

  /**
   * Move the keyboard's cursor, which appears in the middle of the canvas.
   * @param {number} dx CSS pixels
   * @param {number} dy
   */
  step(dx, dy) {
    if (!isArmed(this.state) || !this.state.picture) return;
    const size = this.size;
    const view = this.scene.viewport;
    const { cursor } = this.scene;
    const from = cursor ? toScreen(view, cursor) : { x: size.width / 2 - dx, y: size.height / 2 - dy };
    this.scene.cursor = clampToImage(toImage(view, { x: from.x + dx, y: from.y + dy }), this.state.picture);
    if (!this.#fitted) this.scene.viewport = reveal(view, this.scene.cursor, size);
    this.#pointer = null;
    if (this.state.walked !== null || this.state.walkedRegion !== null) this.store.pointAt(null);
    this.#badge(null);
    this.rehover();
    this.changed();
  }

  /**
   * Click under the keyboard's cursor.
   * @param {Tool} [tool] the one that is up if absent
   * @returns {boolean} there is one
   */
  place(tool = this.state.tool) {
    if (this.scene.cursor) void this.studio.click(this.#place(this.scene.cursor, tool));
    return this.scene.cursor !== null;
  }

  /** Give up the box that is being drawn, or the point that is being moved. @returns {boolean} there was one */
  cancelDrag() {
    return this.input.cancelBox();
  }

  /** Put the keyboard's cursor away. @returns {boolean} it was there */
  putCursorAway() {
    if (this.scene.cursor === null) return false;
    this.scene.cursor = null;
    this.studio.leave();
    this.changed();
    return true;
  }

  /**
   * Point at the next object, in the order of the list, and after them at the regions that are none yet.
   * @param {boolean} back at the one before instead
   * @returns {boolean} false beyond either end, where the focus goes on to what comes next on the page
   */
  walk(back) {
    const next = nextStop(this.state, back ? -1 : 1);
    if (next && "region" in next) {
      this.store.walkTo(next.region);
      this.store.say(t("found.walked", { px: next.region.mask.area }));
      return true;
    }
    const object = objectOf(this.state, next?.object ?? null);
    this.store.pointAt(object?.id ?? null, true);
    if (object) this.store.say(t("object.walked", { name: object.name }));
    return object !== undefined;
  }
}
