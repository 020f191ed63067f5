/**
 * What keys and buttons do.
 */

import { KEYS } from "../model/classes.js";
import { currentObject } from "../model/state.js";
import { bindCombining } from "./combining.js";
import { bindControls } from "./controls.js";
import { find, focusPicture, showPanel } from "./dom.js";
import { bindKeyboard } from "./keyboard.js";
import { nextOpacity } from "./preferences.js";
import { bindShapeMenu } from "./shape-menu.js";
import { t } from "../words/translate.js";

/** @import { Stage } from "../canvas/stage.js" */
/** @import { Command } from "../model/keys.js" */
/** @import { Store } from "../model/store.js" */
/** @import { Tool } from "../model/types.ts" */
/** @import { Browsing } from "../session/browsing.js" */
/** @import { Studio } from "../session/studio.js" */
/** @import { ObjectsList } from "./objects.js" */
/** @import { Importing } from "./importing.js" */
/** @import { Opening } from "./opening.js" */
/** @import { Preferences } from "./preferences.js" */
/** @import { Saving } from "./saving.js" */

/**
 * @typedef {object} Page
 * @property {Store} store
 * @property {Studio} studio
 * @property {() => Browsing | null} browsing null where no picture has come yet
 * @property {Stage} stage
 * @property {Saving} saving
 * @property {Opening} opening
 * @property {Importing} importing
 * @property {ObjectsList} list
 * @property {() => void} trackOrStop where there is a clip
 * @property {(id: number | null) => Promise<void>} pickClass opens the picker for an object
 * @property {Preferences} preferences
 * @property {(change: Partial<Preferences>) => void} prefer
 */

/** @param {Page} page @returns {Record<Command, () => void>} */
function commandsOf(page) {
  const { store, studio, browsing, stage, saving, opening, importing, list, preferences, prefer } = page;
  const { state } = store;
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
    close: () => closeOne(store, studio, stage),
    next: () => void browsing()?.step(1),
    previous: () => void browsing()?.step(-1),
    done: () => void browsing()?.toggleDone(),
    ...nameCommands(page, concerned),
    ...classCommands((number) => void studio.classes.giveNumber(number, list.focused() ?? undefined)),
    undo: () => void studio.undo(),
    redo: () => void studio.redo(),
    delete: () => void studio.delete(list.focused()),
    deleteLastPoint: () => void studio.deleteLastPoint(),
    fit: () => stage.fit(),
    zoomIn: () => stage.zoom(1.3),
    zoomOut: () => stage.zoom(1 / 1.3),
    larger: () => void studio.cycle(1),
    smaller: () => void studio.cycle(-1),
    brush: () => takeUp("brush"),
    eraser: () => takeUp("eraser"),
    ...shapeCommands(page),
    ...clipCommands(page),
    importLabels: () => importing.choose(),
    regions: () => store.toggleRegions(),
    outlines: () => prefer({ outlines: !preferences.outlines }),
    opacity: () => prefer({ opacity: nextOpacity(preferences.opacity) }),
    help: () => void openHelp(store),
    open: () => opening.choose(),
    save: () => void saving.take("cutout", scope),
    copy: () => void saving.take("copy", scope),
    click: () => {
      if (state.walkedRegion !== null) void studio.found.one(state.walkedRegion);
      else if (state.walked !== null) void studio.select(state.walked);
      else if (!stage.place() && state.combining !== null) void studio.shaping.makeOne();
    },
    clickAdd: () => void stage.place("add"),
    clickRemove: () => void stage.place("remove"),
  };
}

/**
 * What names an object: begun once what was done before is answered, since a click right before makes the object.
 * @param {Page} page @param {() => number | null} concerned the object that a key concerns
 */
function nameCommands({ studio, list, pickClass }, concerned) {
  /** @param {(id: number | null) => void} act */
  const afterwards = (act) => () => void studio.actions.atRest().then(() => act(concerned()));
  return {
    rename: afterwards((id) => {
      showPanel(true);
      list.rename(id);
    }),
    pickClass: afterwards((id) => void pickClass(id)),
  };
}

/** What changes the brush, and the shape of an object. @param {Page} page */
function shapeCommands({ store, studio: { shaping }, stage }) {
  return {
    smart: () => {
      store.reshapeBrush({ smart: !store.state.brush.smart });
      store.say(t(store.state.brush.smart ? "brush.smart" : "brush.plain"));
    },
    thinner: () => void stage.resizeBrush(-1),
    thicker: () => void stage.resizeBrush(1),
    sharpen: () => void shaping.refine(),
    fillHoles: () => void shaping.morph("fill_holes"),
    removeSpecks: () => void shaping.morph("remove_specks"),
    smooth: () => void shaping.morph("smooth"),
    grow: () => void shaping.morph("grow"),
    shrink: () => void shaping.morph("shrink"),
    merge: () => void shaping.combine("union"),
    subtract: () => void shaping.combine("difference"),
    intersect: () => void shaping.combine("intersection"),
  };
}

/** What goes through a clip. @param {Page} page */
function clipCommands({ studio, trackOrStop }) {
  return {
    play: () => studio.clips?.toggle(),
    frameBefore: () => void studio.clips?.step(-1),
    frameAfter: () => void studio.clips?.step(1),
    firstFrame: () => void studio.clips?.step(-Infinity),
    lastFrame: () => void studio.clips?.step(Infinity),
    track: () => trackOrStop(),
  };
}

/** @typedef {Extract<Command, `class${number}`>} ClassCommand */

/** @param {(number: number) => void} give a class by its place @returns {Record<ClassCommand, () => void>} */
function classCommands(give) {
  const commands = Array.from({ length: KEYS }, (_, number) => [`class${number + 1}`, () => give(number)]);
  return Object.fromEntries(commands);
}

/**
 * Close the one thing that is open, the newest first. Nothing that was done is undone.
 * @param {Store} store
 * @param {Studio} studio
 * @param {Stage} stage
 */
function closeOne(store, studio, stage) {
  const { notice, onTop, rank, tool, walked, walkedRegion, showsRegions, point, active } = store.state;
  if (stage.cancelDrag()) store.tell(t("drag.givenUp"), { undo: false });
  else if (notice !== null) store.warn(null);
  else if (store.state.combining !== null) store.combine(null);
  else if (onTop || rank !== null) {
    store.takeUp(tool);
    stage.rehover();
  } else if (stage.putCursorAway()) store.say(t("cursor.away"));
  else if (walked !== null || walkedRegion !== null) store.pointAt(null);
  else if (showsRegions) store.toggleRegions();
  else if (point !== null) store.selectPoint(null);
  else if (active !== null) void studio.select(null);
  else store.pointAt(null);
}

/** Bind keys and buttons. @param {Page} page */
export function bindCommands(page) {
  const { store, studio, stage } = page;
  const commands = commandsOf(page);
  const canvas = find("canvas");
  bindKeyboard({
    run: (command) => commands[command](),
    step: (dx, dy) => stage.step(dx, dy),
    walk: (back) => stage.walk(back),
    pan: (down) => stage.setPanKey(down),
    tapSpace: () => commands.play(),
    hasPanned: () => stage.hasPanned,
    hide: (down) => stage.setHidden(down),
    hold: (keys) => stage.setHeld(keys),
    isCanvasFocused: () => document.activeElement === canvas,
  });
  bindControls((command) => commands[command](), isMac());
  bindShapeMenu(store.state, (command) => commands[command]());
  bindCombining(() => void studio.shaping.makeOne(), () => store.combine(null));
  bindTools((tool) => commands[tool]());
  bindHeld(find("hide-held"), (down) => stage.setHidden(down));
  const credits = find("credits");
  credits.addEventListener("toggle", () => credits.scrollIntoView({ block: "nearest" })); // it is the last of the panel
  for (const [id, run] of /** @type {const} */ ([
    ["clear", () => void studio.clear()], ["choose", commands.open], ["toast-undo", commands.undo],
    ["choose-folder", () => page.opening.chooseFolder()],
    ["model-better", () => void studio.switchModel(find("model-better").dataset.model ?? "")],
    ["close-help", () => /** @type {HTMLDialogElement} */ (find("help")).close()],
    ["coach-close", () => page.prefer({ hinted: true })],
    ["notice-close", () => store.warn(null)],
    ["show-panel", () => showPanel(find("show-panel").ariaExpanded !== "true")],
  ])) find(id).addEventListener("click", run);
  giveKeysBack();
}

function isMac() {
  return /mac|iphone|ipad/i.test(navigator.platform);
}

/** Open the help sheet, whose words come when they are first wanted. @param {Store} store */
async function openHelp(store) {
  const dialog = /** @type {HTMLDialogElement} */ (find("help"));
  dialog.showModal();
  try {
    const { fillSheet } = await import("./sheet.js");
    fillSheet(isMac(), store.state.byTouch);
  } catch {
    dialog.close();
    store.warn(t("error.unreached"));
  }
}

/**
 * The tools are one group of radio buttons; a click on the one that is up counts, too.
 * @param {(tool: Tool) => void} takeUp
 */
function bindTools(takeUp) {
  for (const radio of /** @type {NodeListOf<HTMLInputElement>} */ (find("tools").querySelectorAll("input"))) {
    radio.addEventListener("click", () => takeUp(/** @type {Tool} */ (radio.value))); // the arrow keys click, too
  }
}

/**
 * A button that works while a finger is on it.
 * @param {HTMLElement} button @param {(down: boolean) => void} hold
 */
function bindHeld(button, hold) {
  button.addEventListener("pointerdown", () => hold(true));
  for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, () => hold(false));
}

/**
 * After a click by pointer the keys go on working on the picture; a keyboard keeps its place. A menu or the sheet
 * that was opened by pointer leaves the keys to the picture, too: on its button, Enter would open it again.
 */
function giveKeysBack() {
  const openers = '[popovertarget], [data-command="help"]';
  let byPointer = false;
  document.addEventListener("click", ({ target, detail }) => {
    if (target instanceof Element && target.closest(openers)) byPointer = detail > 0;
  }, { capture: true });
  document.addEventListener("click", ({ target, detail }) => {
    const button = target instanceof Element ? target.closest("button, .tool-choice") : null;
    const inMenu = button?.closest("dialog, [popover], .object, .class .object-tools") || button?.hasAttribute("popovertarget");
    if (button && !inMenu && detail > 0 && document.querySelector("dialog[open]") === null) focusPicture();
  });
  /** @param {Event} event */
  const closed = (event) => {
    if (/** @type {Partial<ToggleEvent>} */ (event).newState !== "open" && byPointer && document.activeElement?.matches(openers)) focusPicture();
  };
  for (const sheet of document.querySelectorAll("dialog, [popover]")) {
    sheet.addEventListener("close", closed);
    sheet.addEventListener("toggle", closed);
  }
}
