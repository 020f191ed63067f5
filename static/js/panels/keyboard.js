/**
 * Key events to commands. Keys belong first to the field, the control or the menu that has the focus.
 */

import { commandOf, HELD, keyOf } from "../model/keys.js";

/** @import { Command, Stroke } from "../model/keys.js" */

/** @type {Record<string, [dx: number, dy: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** Controls that are no place to write: letters pass by them. */
const CHOICES = 'input:is([type="radio"], [type="checkbox"], [type="range"])';

/** Space that is let go sooner was no hold, ms. */
const TAP_MS = 300;

/** @param {Stroke} stroke @returns {[dx: number, dy: number] | null} a step of the keyboard's cursor, CSS pixels */
export function stepOf(stroke) {
  const arrow = ARROWS[stroke.key];
  if (!arrow || stroke.ctrlKey || stroke.metaKey || stroke.altKey) return null;
  const length = stroke.shiftKey ? 40 : 8;
  return [arrow[0] * length, arrow[1] * length];
}

/**
 * Tell whether the key is for the element that has the focus, or for a menu that is open. All keys are a dialog's that
 * is open: who clicks on its text has the focus nowhere.
 * @param {EventTarget | null} target @param {string} key
 */
function belongsTo(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest(":popover-open") || document.querySelector("dialog:modal")) return true;
  if (key === "Escape" && document.querySelector(":popover-open")) return true;
  if (target.matches(CHOICES)) return key === " " || key === "Enter";
  if (target.closest("input, textarea, select, [contenteditable]")) return true;
  return (key === "Enter" || key === " ") && target.closest("button, a, summary") !== null;
}

/**
 * @typedef {object} KeyHandlers
 * @property {(command: Command) => void} run
 * @property {(dx: number, dy: number) => void} step
 * @property {(back: boolean) => boolean} walk to the next object, or the one before; false where there is none
 * @property {(down: boolean) => void} pan Space is held
 * @property {() => void} tapSpace Space was pressed for a moment
 * @property {() => boolean} hasPanned something was panned since Space is held
 * @property {(down: boolean) => void} hide H is held
 * @property {(keys: { shift: boolean, alt: boolean }) => void} hold Shift or Alt are held or let go
 * @property {() => boolean} isCanvasFocused
 */

/**
 * A key that is held for as long as something should last.
 * @param {KeyboardEvent} event
 * @param {KeyHandlers} handlers
 * @returns {boolean} it is one
 */
function hold(event, handlers) {
  const down = event.type === "keydown";
  if (event.key === " ") handlers.pan(down);
  else if (keyOf(event) === HELD.hide && !(down && (event.ctrlKey || event.metaKey))) handlers.hide(down);
  else if (event.key === HELD.remove || event.key === HELD.add) {
    handlers.hold({ shift: event.shiftKey, alt: event.altKey });
  } else return false;
  return true;
}

/**
 * @param {KeyboardEvent} event
 * @param {KeyHandlers} handlers
 * @returns {boolean} the key was for us, and the browser is to leave it alone
 */
function press(event, handlers) {
  if (handlers.isCanvasFocused()) {
    if (event.key === "Tab" && !event.ctrlKey && !event.altKey && !event.metaKey) return handlers.walk(event.shiftKey);
    const step = stepOf(event);
    if (step) {
      handlers.step(...step);
      return true;
    }
  }
  const command = commandOf(event);
  if (command === "copy" && getSelection()?.isCollapsed === false) return false; // the person wants the text
  if (command === null) return hold(event, handlers) && event.key !== HELD.add;
  handlers.run(command);
  return true;
}

/** Listen to keys. @param {KeyHandlers} handlers */
export function bindKeyboard(handlers) {
  addEventListener("keydown", (event) => {
    if (!event.isComposing && !belongsTo(event.target, event.key) && press(event, handlers)) event.preventDefault();
  });
  let spaceAt = -Infinity;
  addEventListener("keydown", (event) => {
    if (event.key === " " && !event.repeat) spaceAt = belongsTo(event.target, " ") ? -Infinity : event.timeStamp;
  }, { capture: true });
  addEventListener("keyup", (event) => {
    hold(event, handlers);
    if (event.key === " " && event.timeStamp - spaceAt < TAP_MS && !handlers.hasPanned()) handlers.tapSpace();
  });
  addEventListener("blur", () => {
    handlers.pan(false);
    handlers.hide(false);
    handlers.hold({ shift: false, alt: false });
  });
}
