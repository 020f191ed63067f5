/**
 * Keys to commands. Letters are left alone in text fields and with Ctrl, Cmd or Alt; Enter and Space belong to a focused button.
 */

/**
 * @typedef {"commit" | "cancel" | "undo" | "redo" | "delete" | "takeBack" | "flip" | "fit" | "zoomIn" | "zoomOut" | "larger" | "smaller"
 *   | "help" | "open" | "save" | "copy" | "outlines" | "opacity" | "place" | "placeRemove"} Command
 */

/** @typedef {{ key: string, code?: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean }} Stroke */

/** @type {Record<string, Command>} */
const PLAIN = {
  n: "commit", escape: "cancel", delete: "delete", backspace: "takeBack", x: "flip", l: "outlines", o: "opacity",
  "0": "fit", f: "fit", "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", "]": "larger", "[": "smaller", "?": "help",
};

/** @type {Record<string, Command>} */
const WITH_CONTROL = { z: "undo", y: "redo", enter: "commit", s: "save", c: "copy", o: "open" };

/** @type {Record<string, [dx: number, dy: number]>} */
const ARROWS = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };

/**
 * Return the key in small Latin letters. A Cyrillic, Greek or Hebrew keyboard gives its own: there the place of the key tells.
 * @param {Stroke} stroke
 */
function keyOf({ key, code = "" }) {
  const foreign = key.length === 1 && key > "\x7f" && /^Key[A-Z]$/.test(code);
  return (foreign ? code.slice(3) : key).toLowerCase();
}

/**
 * Return the command of a key, or null. Enter places a point while the keyboard's own cursor is shown, else it commits.
 * @param {Stroke} stroke @param {boolean} cursorShown
 * @returns {Command | null}
 */
export function commandOf(stroke, cursorShown) {
  const key = keyOf(stroke);
  if (stroke.altKey) return key === "[" || key === "]" ? PLAIN[key] : null; // many keyboards have them behind AltGr or Option
  if (stroke.ctrlKey || stroke.metaKey) {
    if (stroke.shiftKey) return key === "z" ? "redo" : null;
    return WITH_CONTROL[key] ?? null;
  }
  if (key === "enter") {
    if (!cursorShown) return "commit";
    return stroke.shiftKey ? "placeRemove" : "place";
  }
  return PLAIN[key] ?? null;
}

/** @param {Stroke} stroke @returns {[dx: number, dy: number] | null} a step of the keyboard's cursor, CSS pixels */
export function stepOf(stroke) {
  const arrow = ARROWS[stroke.key.toLowerCase()];
  if (!arrow || stroke.ctrlKey || stroke.metaKey || stroke.altKey) return null;
  const length = stroke.shiftKey ? 40 : 8;
  return [arrow[0] * length, arrow[1] * length];
}

/**
 * Tell whether the key is for the element that has the focus, or for a menu that is open.
 * @param {EventTarget | null} target @param {string} key
 */
function belongsTo(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select, [contenteditable], dialog, :popover-open")) return true;
  if (key === "Escape" && document.querySelector(":popover-open")) return true;
  return (key === "Enter" || key === " ") && target.closest("button, a, summary") !== null;
}

/**
 * @typedef {object} KeyHandlers
 * @property {(command: Command) => void} run
 * @property {(dx: number, dy: number) => void} step
 * @property {(back: boolean) => boolean} walk to the next object, or the one before; false where there is none
 * @property {(down: boolean) => void} pan Space is held
 * @property {(down: boolean) => void} hide H is held
 * @property {(down: boolean) => void} modify Alt or Shift is held
 * @property {() => boolean} isCursorShown
 * @property {() => boolean} isCanvasFocused
 */

/** A key that is held for as long as something should last. @param {KeyboardEvent} event @param {KeyHandlers} handlers @returns {boolean} it is one */
function hold(event, handlers) {
  const down = event.type === "keydown";
  if (event.key === " ") handlers.pan(down);
  else if (keyOf(event) === "h" && !(down && (event.ctrlKey || event.metaKey))) handlers.hide(down);
  else if (event.key === "Alt" || event.key === "Shift") handlers.modify(down);
  else return false;
  return true;
}

/** @param {KeyboardEvent} event @param {KeyHandlers} handlers @returns {boolean} the key was for us, and the browser is to leave it alone */
function press(event, handlers) {
  if (handlers.isCanvasFocused()) {
    if (event.key === "Tab" && !event.ctrlKey && !event.altKey && !event.metaKey) return handlers.walk(event.shiftKey);
    const step = stepOf(event);
    if (step) {
      handlers.step(...step);
      return true;
    }
  }
  const command = commandOf(event, handlers.isCursorShown());
  if (command === "copy" && getSelection()?.isCollapsed === false) return false; // the person wants the text
  if (command === null) return hold(event, handlers) && event.key !== "Shift";
  handlers.run(command);
  return true;
}

/** Listen to keys. @param {KeyHandlers} handlers */
export function bindKeyboard(handlers) {
  addEventListener("keydown", (event) => {
    if (!belongsTo(event.target, event.key) && press(event, handlers)) event.preventDefault();
  });
  addEventListener("keyup", (event) => hold(event, handlers));
  addEventListener("blur", () => {
    handlers.pan(false);
    handlers.hide(false);
    handlers.modify(false);
  });
}
