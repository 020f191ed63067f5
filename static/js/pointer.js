/**
 * Pointer Events to intents, in CSS pixels of the canvas: hover, click, box, pan, zoom. Knows nothing of images.
 *
 * A plain click adds, a modified click (right, Alt, Shift) takes away. A drag draws a box; with Space held or the
 * middle button it pans. Two fingers pan and zoom.
 */

/** @typedef {{ x: number, y: number }} XY CSS pixels of the canvas */

/**
 * @typedef {object} Intents
 * @property {(at: XY, remove: boolean) => void} hover
 * @property {() => void} leave
 * @property {(at: XY, remove: boolean) => void} click
 * @property {() => void} commit a double click
 * @property {(from: XY, to: XY) => void} boxing a box is being drawn
 * @property {(from: XY, to: XY) => void} box
 * @property {() => void} cancel the box that was being drawn is void
 * @property {(dx: number, dy: number) => void} pan
 * @property {(at: XY, factor: number) => void} zoom
 * @property {(step: 1 | -1) => void} cycle another candidate
 * @property {() => boolean} isPanKeyDown
 * @property {(at: XY) => boolean} isTakeable there is something that a long press of a finger could take away
 */

/** @typedef {{ from: XY, remove: boolean, slack: number, touch: boolean }} Press */

const DRAG_PX = 4;
const TOUCH_DRAG_PX = 9;
const DOUBLE_CLICK_MS = 320;
const DOUBLE_CLICK_PX = 4;
const DOUBLE_TAP_PX = 24;
/** A finger that rests for so long takes away. Timed here, because not every browser tells of a long press. */
const LONG_PRESS_MS = 550;
/** A press that takes away and ends farther off was given up: there is no box that takes away. */
const GIVE_UP_PX = 24;
/** Left, middle, right and the eraser of a pen; the others lead back and forward, which is the browser's. */
const BUTTONS = new Set([0, 1, 2, 5]);

/** @param {XY} a @param {XY} b */
export function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
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
  /** @type {Map<number, XY>} */
  #pointers = new Map();
  /** @type {{ at: XY, time: number } | null} */
  #lastClick = null;
  #lifetime = new AbortController();

  /** @param {HTMLCanvasElement} canvas @param {Intents} intents */
  constructor(canvas, intents) {
    this.canvas = canvas;
    this.intents = intents;
    const options = { signal: this.#lifetime.signal };
    canvas.addEventListener("pointerdown", (event) => this.#down(event), options);
    canvas.addEventListener("pointermove", (event) => this.#move(event), options);
    canvas.addEventListener("pointerup", (event) => this.#up(event), options);
    canvas.addEventListener("pointercancel", (event) => this.#cancel(event), options);
    canvas.addEventListener("pointerleave", () => this.#mode === "idle" && intents.leave(), options);
    canvas.addEventListener("contextmenu", (event) => this.#menu(event), options);
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { ...options, passive: false });
  }

  /** Stop listening. */
  unbind() {
    this.#lifetime.abort();
  }

  /** Give up the box that is being drawn. @returns {boolean} there was one */
  cancelBox() {
    if (this.#mode !== "box") return false;
    this.#mode = "idle";
    this.intents.cancel();
    return true;
  }

  /** @param {MouseEvent} event @returns {XY} */
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
    const remove = event.button === 2 || event.button === 5 || event.altKey || event.shiftKey;
    const press = { from: at, remove, slack: touch ? TOUCH_DRAG_PX : DRAG_PX, touch };
    this.#press = press;
    this.#mode = "press";
    if (!touch) return;
    this.intents.hover(at, remove);
    setTimeout(() => this.#rested(press), LONG_PRESS_MS);
  }

  /** A finger has rested: where there is something to take away, that is what it does, and shows it. @param {Press} press */
  #rested(press) {
    if (this.#mode !== "press" || this.#press !== press || !this.intents.isTakeable(press.from)) return;
    press.remove = true;
    this.intents.hover(press.from, true);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#at(event);
    const before = this.#pointers.get(event.pointerId);
    if (this.#mode === "pinch" && before) return this.#pinch(event.pointerId, before, at);
    if (before) this.#pointers.set(event.pointerId, at);
    if (this.#mode === "pan" && before) return this.intents.pan(at.x - before.x, at.y - before.y);
    if (this.#mode === "press" && this.#press && !this.#press.remove && distance(this.#press.from, at) > this.#press.slack) {
      this.#mode = "box";
      this.intents.leave();
    }
    if (this.#mode === "box" && this.#press) return this.intents.boxing(this.#press.from, at);
    if (this.#mode === "idle" || this.#mode === "press") this.intents.hover(at, event.altKey || event.shiftKey || this.#press?.remove === true);
  }

  /** @param {number} id @param {XY} before @param {XY} at */
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
    if (mode === "press" && press && !(press.remove && distance(press.from, at) > GIVE_UP_PX)) this.#clicked(press);
    else this.#lastClick = null; // a click, a drag and a click are no double click
    if (mode === "box" && press) this.intents.box(press.from, at);
    if (press?.touch) this.intents.leave();
  }

  /** @param {Press} press */
  #clicked(press) {
    const time = performance.now();
    const last = this.#lastClick;
    const reach = press.touch ? DOUBLE_TAP_PX : DOUBLE_CLICK_PX;
    const again = last && time - last.time < DOUBLE_CLICK_MS && distance(last.at, press.from) < reach;
    this.#lastClick = press.remove || again ? null : { at: press.from, time };
    if (again && !press.remove) this.intents.commit();
    else this.intents.click(press.from, press.remove);
  }

  /** @param {PointerEvent} event */
  #cancel(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#mode === "box") this.intents.cancel();
    this.#mode = "idle";
    this.#press = null;
    this.intents.leave();
  }

  /** Ctrl+click of a Mac and the long press of a pen arrive here: the press takes away. @param {MouseEvent} event */
  #menu(event) {
    event.preventDefault();
    if (this.#mode === "press" && this.#press && !this.#press.touch) this.#press.remove = true;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    if (event.altKey) this.intents.cycle(event.deltaY < 0 ? 1 : -1);
    else this.intents.zoom(this.#at(event), wheelFactor(event));
  }
}
