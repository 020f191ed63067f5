/**
 * Pointer Events to intents, in CSS pixels of the canvas: hover, click, box, pan, zoom. Knows nothing of images and
 * tools.
 *
 * A drag draws a box; with Space held or the middle button it pans. Two fingers pan and zoom. A finger that rests
 * looks: when it is lifted nothing is clicked.
 */

/** @import { Intents, Press, Spot } from "./types.ts" */

const DRAG_PX = 4;
const TOUCH_DRAG_PX = 9;
/** A finger that rests for so long looks and doesn't click. */
const HOLD_MS = 400;
/** A press that can't drag and ends farther off was given up. */
const GIVE_UP_PX = 24;
/** Left, middle, right and the eraser of a pen; the others lead back and forward, which is the browser's. */
const BUTTONS = new Set([0, 1, 2, 5]);

/** What a notch of a mouse's wheel is of `wheelFactor`, as a logarithm. */
const NOTCH = 0.16;

/** @param {Spot} a @param {Spot} b */
export function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** @param {PointerEvent} event */
function heldBy({ shiftKey, altKey }) {
  return { shift: shiftKey, alt: altKey };
}

/** The factor that one wheel event zooms by. @param {WheelEvent} event */
export function wheelFactor(event) {
  const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 240 : 1);
  const gain = event.ctrlKey ? 0.01 : 0.0016; // a pinch on a trackpad arrives as a wheel with Ctrl and small steps
  return Math.exp(-Math.max(-240, Math.min(240, pixels)) * gain);
}

export class PointerInput {
  /** @type {"idle" | "press" | "box" | "pan" | "pinch"} */
  #mode = "idle";
  /** @type {Press | null} */
  #press = null;
  /** @type {Map<number, Spot>} */
  #pointers = new Map();

  /** @param {HTMLCanvasElement} canvas @param {Intents} intents */
  constructor(canvas, intents) {
    this.canvas = canvas;
    this.intents = intents;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#cancel(event));
    canvas.addEventListener("pointerleave", (event) => this.#left(event));
    canvas.addEventListener("contextmenu", (event) => this.#menu(event));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** Give up the box that is being drawn. @returns {boolean} there was one */
  cancelBox() {
    if (this.#mode !== "box") return false;
    this.#mode = "idle";
    this.intents.cancel();
    return true;
  }

  /** @param {MouseEvent} event @returns {Spot} */
  #at(event) {
    const rect = this.canvas.getBoundingClientRect();
    return { x: event.clientX - rect.left, y: event.clientY - rect.top };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!BUTTONS.has(event.button)) return;
    const at = this.#at(event);
    const touch = event.pointerType === "touch";
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    getSelection()?.removeAllRanges(); // or Ctrl+C would go on copying a word that was marked before
    this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size > 1) {
      if (this.#mode === "box") this.intents.cancel();
      this.intents.leave();
      this.#mode = "pinch";
      return;
    }
    if (event.button === 1 || this.intents.isPanKeyDown()) {
      event.preventDefault();
      this.#mode = "pan";
      return;
    }
    const held = { ...heldBy(event), right: event.button === 2 || event.button === 5 };
    const press = { from: at, held, touch, rested: false };
    this.#press = press;
    this.#mode = "press";
    if (!touch) return;
    this.intents.hover(at, held);
    setTimeout(() => this.#rested(press), HOLD_MS);
  }

  /** @param {Press} press */
  #rested(press) {
    if (this.#mode !== "press" || this.#press !== press) return;
    press.rested = this.intents.rest();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#at(event);
    const before = this.#pointers.get(event.pointerId);
    if (this.#mode === "pinch" && before) return this.#pinch(event.pointerId, before, at);
    if (before) this.#pointers.set(event.pointerId, at);
    if (this.#mode === "pan" && before) return this.intents.pan(at.x - before.x, at.y - before.y);
    const press = this.#press;
    const slack = press?.touch ? TOUCH_DRAG_PX : DRAG_PX;
    if (this.#mode === "press" && press && distance(press.from, at) > slack && this.intents.isDraggable(press.from, press.held)) {
      this.#mode = "box";
      this.intents.leave();
    }
    if (this.#mode === "box" && press) return this.intents.boxing(press.from, at);
    if (this.#mode === "idle" || this.#mode === "press") this.intents.hover(at, { ...heldBy(event), right: press?.held.right ?? false });
  }

  /** @param {number} id @param {Spot} before @param {Spot} at */
  #pinch(id, before, at) {
    const other = [...this.#pointers].find(([key]) => key !== id)?.[1];
    this.#pointers.set(id, at);
    if (!other) return;
    this.intents.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    const apart = distance(before, other);
    if (apart > 1) this.intents.zoom({ x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 }, distance(at, other) / apart);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const at = this.#at(event);
    const mode = this.#mode;
    const press = this.#press;
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size === 0) this.#mode = "idle";
    if (this.#mode !== "idle") return;
    this.#press = null;
    if (press === null) return;
    if (mode === "box") this.intents.box(press.from, at, press.held);
    const clicks = mode === "press" && !press.rested && !(distance(press.from, at) > GIVE_UP_PX);
    if (clicks) this.intents.click(press.from, press.held);
    if (press.touch && !(mode === "press" && press.rested)) this.intents.leave(); // what a finger looked at stays lit
  }

  /** A finger that is lifted leaves, too: what it looked at stays lit. @param {PointerEvent} event */
  #left(event) {
    if (this.#mode === "idle" && event.pointerType !== "touch") this.intents.leave();
  }

  /** @param {PointerEvent} event */
  #cancel(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#mode === "box") this.intents.cancel();
    this.#mode = "idle";
    this.#press = null;
    this.intents.leave();
  }

  /** Ctrl+click of a Mac and the long press of a pen arrive here: they are a right click. @param {MouseEvent} event */
  #menu(event) {
    event.preventDefault();
    if (this.#mode === "press" && this.#press && !this.#press.touch) this.#press.held.right = true;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const notches = Math.log(wheelFactor(event)) / NOTCH;
    if (!event.ctrlKey && !event.metaKey && this.intents.resize(notches)) return;
    if (event.altKey) this.intents.cycle(event.deltaY < 0 ? 1 : -1);
    else this.intents.zoom(this.#at(event), wheelFactor(event));
  }
}
