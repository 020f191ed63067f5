/**
 * Keys to commands. Letters are left alone in text fields and with Ctrl, Cmd or Alt; Enter and Space belong to a focused button.
 */

/**
 * @typedef {"commit" | "deselect" | "undo" | "redo" | "delete" | "flip" | "fit" | "zoomIn" | "zoomOut" | "larger" | "smaller" | "help" | "open" | "place" | "placeRemove"} Command
 */

/** @typedef {{ key: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean }} Stroke */

/** @type {Record<string, Command>} */
const PLAIN = {
  n: "commit", escape: "deselect", delete: "delete", backspace: "delete", x: "flip",
  "0": "fit", f: "fit", "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", "]": "larger", "[": "smaller", "?": "help", o: "open",
};

/** @type {Record<string, [dx: number, dy: number]>} */
const ARROWS = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };

/**
 * Return the command of a key, or null. Enter places a point while the keyboard's own cursor is shown, else it commits.
 * @param {Stroke} stroke @param {boolean} cursorShown
 * @returns {Command | null}
 */
export function commandOf(stroke, cursorShown) {
  const key = stroke.key.toLowerCase();
  const command = stroke.ctrlKey || stroke.metaKey;
  if (command && !stroke.altKey) {
    if (key === "z") return stroke.shiftKey ? "redo" : "undo";
    if (key === "y") return "redo";
    return key === "enter" ? "commit" : null;
  }
  if (stroke.altKey) return null;
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
 * Tell whether the key is for the element that has the focus.
 * @param {EventTarget | null} target @param {string} key
 */
function belongsTo(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select, [contenteditable], dialog")) return true;
  return (key === "Enter" || key === " ") && target.closest("button, a, summary") !== null;
}

/**
 * @typedef {object} KeyHandlers
 * @property {(command: Command) => void} run
 * @property {(dx: number, dy: number) => void} step
 * @property {(down: boolean) => void} pan Space is held
 * @property {(down: boolean) => void} hide H is held
 * @property {(down: boolean) => void} modify Alt or Shift is held
 * @property {() => boolean} isCursorShown
 * @property {() => boolean} isCanvasFocused
 */

/** Listen to keys. @param {KeyHandlers} handlers */
export function bindKeyboard(handlers) {
  /** @param {KeyboardEvent} event */
  const held = (event) => {
    const down = event.type === "keydown";
    if (event.key === " ") handlers.pan(down);
    else if (event.key.toLowerCase() === "h" && !event.ctrlKey && !event.metaKey) handlers.hide(down);
    else if (event.key === "Alt" || event.key === "Shift") handlers.modify(down);
    else return false;
    return true;
  };
  addEventListener("keydown", (event) => {
    if (belongsTo(event.target, event.key)) return;
    const step = handlers.isCanvasFocused() ? stepOf(event) : null;
    const command = commandOf(event, handlers.isCursorShown());
    if (step) handlers.step(...step);
    else if (command) handlers.run(command);
    else if (!held(event) || event.key === "Shift") return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => held(event));
  addEventListener("blur", () => {
    handlers.pan(false);
    handlers.hide(false);
    handlers.modify(false);
  });
}
