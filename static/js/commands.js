/**
 * What keys and buttons do.
 */

import { bindKeyboard } from "./keyboard.js";
import { nextOpacity } from "./preferences.js";
import { currentObject } from "./state.js";

/** @import { Command } from "./keyboard.js" */
/** @import { Preferences } from "./preferences.js" */
/** @import { Stage } from "./stage.js" */
/** @import { State } from "./state.js" */
/** @import { Find } from "./status.js" */
/** @import { Studio } from "./studio.js" */
/** @import { Takeaway } from "./takeaway.js" */

/**
 * @typedef {object} Page
 * @property {State} state
 * @property {Studio} studio
 * @property {Stage} stage
 * @property {Takeaway} takeaway
 * @property {Preferences} preferences
 * @property {(change: Partial<Preferences>) => void} prefer
 * @property {() => void} changed
 * @property {Find} find
 * @property {() => void} choose a file
 */

/** @param {Page} page @returns {Record<Command, () => void>} */
function commandsOf({ state, studio, stage, takeaway, preferences, prefer, find, choose, changed }) {
  /** @param {boolean} removing */
  const setTool = (removing) => {
    state.removing = removing;
    state.said = removing ? "A click takes away." : "A click adds.";
    stage.rehover();
    changed();
  };
  const commit = () => {
    if (state.active === null && state.pointed !== null) void studio.select(state.pointed);
    else void studio.commit();
  };
  const cancel = () => {
    if (stage.cancel()) return;
    if (state.active === null && state.pointed !== null) state.pointed = null;
    else void studio.cancel();
    changed();
  };
  return {
    commit, cancel,
    undo: () => void studio.undo(),
    redo: () => void studio.redo(),
    delete: () => { const object = currentObject(state); if (object) void studio.remove(object.id); },
    takeBack: () => void studio.removeLastPoint(),
    flip: () => setTool(!state.removing),
    fit: () => stage.fit(),
    zoomIn: () => stage.zoom(1.3),
    zoomOut: () => stage.zoom(1 / 1.3),
    larger: () => void studio.cycle(1),
    smaller: () => void studio.cycle(-1),
    outlines: () => prefer({ outlines: !preferences.outlines }),
    opacity: () => prefer({ opacity: nextOpacity(preferences.opacity) }),
    help: () => /** @type {HTMLDialogElement} */ (find("help")).showModal(),
    open: choose,
    save: () => void takeaway.save("cutout", takeaway.scope()),
    copy: () => void takeaway.copy(takeaway.scope()),
    place: () => stage.place(false),
    placeRemove: () => stage.place(true),
  };
}

/** Bind keys and buttons. @param {Page} page */
export function bindCommands(page) {
  const { state, studio, stage, changed, find } = page;
  const commands = commandsOf(page);
  const canvas = find("canvas");
  bindKeyboard({
    run: (command) => commands[command](),
    step: (dx, dy) => stage.step(dx, dy),
    walk: (back) => stage.walk(back),
    pan: (down) => stage.setPanKey(down),
    hide: (down) => stage.setHidden(down),
    modify: (down) => stage.setModified(down),
    isCursorShown: () => stage.scene.cursor !== null,
    isCanvasFocused: () => document.activeElement === canvas,
  });

  /** @type {[id: string, run: () => void][]} */
  const buttons = [
    ["add", () => { if (state.removing) commands.flip(); }], ["remove", () => { if (!state.removing) commands.flip(); }],
    ["undo", commands.undo], ["redo", commands.redo], ["delete", commands.delete], ["commit", commands.commit],
    ["fit", commands.fit], ["zoom-in", commands.zoomIn], ["zoom-out", commands.zoomOut],
    ["clear", () => void studio.clear()], ["open", commands.open], ["choose", commands.open],
    ["show-help", commands.help], ["close-help", () => /** @type {HTMLDialogElement} */ (find("help")).close()],
    ["notice-close", () => { state.notice = null; changed(); }],
  ];
  for (const [id, run] of buttons) find(id).addEventListener("click", run);

  giveKeysBack(canvas);

  // After a click by pointer the keys go on working on the picture; a keyboard keeps its place.
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const inMenu = button?.closest("dialog, [popover], .object") || button?.hasAttribute("popovertarget");
    if (button && !inMenu && event.detail > 0 && document.querySelector("dialog[open]") === null) canvas.focus({ preventScroll: true });
  });
}

/** A menu or the sheet that was opened by pointer leaves the keys to the picture: on its button, Enter would open it again. @param {HTMLElement} canvas */
function giveKeysBack(canvas) {
  const openers = "[popovertarget], #show-help";
  let byPointer = false;
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(openers)) byPointer = event.detail > 0;
  }, { capture: true });
  /** @param {Event} event */
  const closed = (event) => {
    if (/** @type {Partial<ToggleEvent>} */ (event).newState !== "open" && byPointer && document.activeElement?.matches(openers)) canvas.focus({ preventScroll: true });
  };
  for (const sheet of document.querySelectorAll("dialog, [popover]")) {
    sheet.addEventListener("close", closed);
    sheet.addEventListener("toggle", closed);
  }
}
