/**
 * What keys and buttons do.
 */

import { bindControls, fillSheet } from "./help.js";
import { bindKeyboard } from "./keyboard.js";
import { nextOpacity } from "./preferences.js";
import { currentObject, pointAt } from "./state.js";

/** @import { Command } from "./keys.js" */
/** @import { ObjectsList } from "./objects-list.js" */
/** @import { Preferences } from "./preferences.js" */
/** @import { Stage } from "./stage.js" */
/** @import { State, Tool } from "./state.js" */
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
 * @property {ObjectsList} list
 */

/** @param {Page} page @returns {Record<Command, () => void>} */
function commandsOf({ state, studio, stage, takeaway, preferences, prefer, find, choose, changed, list }) {
  /** The object that a key concerns: the one whose entry has the focus, else the selected one. */
  const concerned = () => list.focused() ?? currentObject(state)?.id ?? null;
  /** @returns {number[] | undefined} all if absent */
  const scope = () => {
    const id = concerned();
    return id === null ? undefined : [id];
  };
  /** @param {Tool} tool */
  const takeUp = (tool, onTop = false) => {
    studio.takeUp(tool, onTop);
    stage.rehover();
  };
  return {
    new: () => takeUp("new"),
    onTop: () => takeUp("new", !state.onTop),
    add: () => takeUp("add"),
    remove: () => takeUp("remove"),
    close: () => {
      closeOne(state, studio, stage);
      changed();
    },
    rename: () => {
      const id = concerned();
      if (id !== null) list.rename(id);
    },
    undo: () => void studio.undo(),
    redo: () => void studio.redo(),
    delete: () => void studio.delete(list.focused()),
    deleteLastPoint: () => void studio.deleteLastPoint(),
    fit: () => stage.fit(),
    zoomIn: () => stage.zoom(1.3),
    zoomOut: () => stage.zoom(1 / 1.3),
    larger: () => void studio.cycle(1),
    smaller: () => void studio.cycle(-1),
    outlines: () => prefer({ outlines: !preferences.outlines }),
    opacity: () => prefer({ opacity: nextOpacity(preferences.opacity) }),
    help: () => /** @type {HTMLDialogElement} */ (find("help")).showModal(),
    open: choose,
    save: () => void takeaway.save("cutout", scope()),
    copy: () => void takeaway.copy(scope()),
    click: () => {
      if (state.walked === null) stage.place();
      else void studio.select(state.walked);
    },
    clickAdd: () => void stage.place("add"),
    clickRemove: () => void stage.place("remove"),
  };
}

/** Close the one thing that is open, the newest first. Nothing that was done is undone. @param {State} state @param {Studio} studio @param {Stage} stage */
function closeOne(state, studio, stage) {
  if (stage.cancelDrag()) {
    state.said = "The drag is given up.";
    state.toast = { text: state.said, undo: false };
  } else if (state.notice !== null) state.notice = null;
  else if (state.onTop || state.rank !== null) {
    state.onTop = false;
    state.rank = null;
    stage.rehover();
  } else if (stage.putCursorAway()) state.said = "The cursor is put away.";
  else if (state.walked !== null) pointAt(state, null);
  else if (state.point !== null) state.point = null;
  else if (state.active !== null) void studio.select(null);
  else pointAt(state, null);
}

/** Bind keys and buttons. @param {Page} page */
export function bindCommands(page) {
  const { state, studio, stage, changed, find } = page;
  const commands = commandsOf(page);
  const canvas = find("canvas");
  const isMac = /mac|iphone|ipad/i.test(navigator.platform);
  bindKeyboard({
    run: (command) => commands[command](),
    step: (dx, dy) => stage.step(dx, dy),
    walk: (back) => stage.walk(back),
    pan: (down) => stage.setPanKey(down),
    hide: (down) => stage.setHidden(down),
    hold: (keys) => stage.setHeld(keys),
    isCanvasFocused: () => document.activeElement === canvas,
  });
  bindControls((command) => commands[command](), isMac);
  fillSheet(find("sheet"), isMac);
  bindTools(find("tools"), (tool) => commands[tool]());

  /** @type {[id: string, run: () => void][]} */
  const buttons = [
    ["clear", () => void studio.clear()], ["choose", commands.open], ["toast-undo", commands.undo],
    ["close-help", () => /** @type {HTMLDialogElement} */ (find("help")).close()],
    ["notice-close", () => { state.notice = null; changed(); }],
  ];
  for (const [id, run] of buttons) find(id).addEventListener("click", run);

  giveKeysBack(canvas);

  // After a click by pointer the keys go on working on the picture; a keyboard keeps its place.
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button, .tool-choice") : null;
    const inMenu = button?.closest("dialog, [popover], .object") || button?.hasAttribute("popovertarget");
    if (button && !inMenu && event.detail > 0 && document.querySelector("dialog[open]") === null) canvas.focus({ preventScroll: true });
  });
}

/** The tools are one group of radio buttons; a click on the one that is up counts, too. @param {HTMLElement} tools @param {(tool: Tool) => void} takeUp */
function bindTools(tools, takeUp) {
  for (const radio of /** @type {NodeListOf<HTMLInputElement>} */ (tools.querySelectorAll("input"))) {
    radio.addEventListener("click", () => takeUp(/** @type {Tool} */ (radio.value))); // the arrow keys click, too
  }
}

/** A menu or the sheet that was opened by pointer leaves the keys to the picture: on its button, Enter would open it again. @param {HTMLElement} canvas */
function giveKeysBack(canvas) {
  const openers = '[popovertarget], [data-command="help"]';
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
