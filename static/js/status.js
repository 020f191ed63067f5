/**
 * The words and the small signs around the picture: what is open, where things stand, what went wrong, which tool is up.
 */

import { setText } from "./objects-list.js";
import { costOf, usable } from "./models.js";
import { currentObject, shownPicture, shownPreview } from "./state.js";
import { connectionText, describe } from "./words.js";

/** @import { State } from "./state.js" */

/** @typedef {(id: string) => HTMLElement} Find */

/** @param {HTMLElement} button @param {boolean} disabled */
function disable(button, disabled) {
  if (!(button instanceof HTMLButtonElement) || button.disabled === disabled) return;
  // A button that goes dead under the focus would drop it to the page's top.
  if (disabled && document.activeElement === button) document.getElementById("canvas")?.focus({ preventScroll: true });
  button.disabled = disabled;
}

/** Bring the page's words up to the state. @param {State} state @param {number} scale of the viewport @param {Find} find an element by its id */
export function showStatus(state, scale, find) {
  const picture = shownPicture(state);
  setText(find("hint"), describe(state));
  setText(find("live"), state.said);
  setText(find("connection-text"), connectionText(state));
  find("connection").dataset.state = state.connection;
  setText(find("model-name"), state.model);
  setText(find("file-name"), picture ? picture.name : "");
  find("file-name").title = picture ? picture.name : "";
  setText(find("file-size"), picture ? `${picture.width} × ${picture.height}` : "");
  document.title = picture ? `${picture.name} · HoverSAM` : "HoverSAM";
  find("welcome").hidden = picture !== null || state.restoring;
  find("samples").hidden = picture === null;
  find("notice").hidden = state.notice === null;
  setText(find("notice-text"), state.notice ?? "");
  find("legend").hidden = (shownPreview(state)?.object ?? null) === null;
  setText(find("zoom"), picture ? `${Math.round(scale * 100)}%` : "100%");
  showModel(state, find);
  showProgress(state, find);
  showTools(state, find);
}

/** @param {State} state @param {Find} find */
function showModel(state, find) {
  const model = state.models.find(({ name }) => name === state.model);
  if (!model) return;
  const engine = state.engines[state.model];
  setText(find("model-title-name"), model.name);
  setText(find("model-facts"), `${model.params_m.toFixed(1)} M parameters${engine ? ` · ${engine}` : ""}`);
  find("demo-tag").hidden = !model.bundled;
  find("model-note-demo").hidden = !model.bundled;
  find("model-note-published").hidden = model.bundled;
  disable(find("model-better"), state.switching !== null);
  const better = usable(state.models).find(({ bundled }) => !bundled); // the smallest comes first
  find("model-better").dataset.model = better?.name ?? "";
  find("model-better").hidden = better === undefined;
  find("model-alone").hidden = better !== undefined;
  if (better) setText(find("model-better"), `Change to ${better.name} (SAM 2.1${costOf(better)})`);
}

/** @param {State} state @param {Find} find */
function showProgress(state, find) {
  const bar = find("progress");
  const fraction = (state.pending ?? state.switching)?.fraction ?? null;
  const busy = state.pending !== null || state.switching !== null || state.restoring;
  bar.hidden = !busy && !state.picture?.provisional;
  find("stage").setAttribute("aria-busy", String(busy));
  if (!(bar instanceof HTMLProgressElement)) return;
  if (fraction === null || fraction >= 1) bar.removeAttribute("value");
  else bar.value = fraction;
}

/** @param {State} state @param {Find} find */
function showTools(state, find) {
  const open = state.picture !== null;
  for (const id of /** @type {const} */ (["new", "add", "remove"])) {
    const radio = /** @type {HTMLInputElement} */ (find(id));
    radio.checked = id === state.tool;
    radio.disabled = !open;
  }
  find("tools").classList.toggle("on-top", state.onTop);
  showPointer(state, find("canvas").classList);
  for (const id of ["fit", "zoom-in", "zoom-out"]) disable(find(id), shownPicture(state) === null);
  disable(find("undo"), !state.canUndo);
  disable(find("redo"), !state.canRedo);
  disable(find("delete"), currentObject(state) === undefined);
  for (const id of ["clear", "save"]) disable(find(id), state.objects.size === 0);
  find("no-objects").hidden = state.objects.size > 0;
  setText(find("object-count"), state.objects.size ? String(state.objects.size) : "");
}

/** @param {State} state @param {DOMTokenList} classes of the canvas */
function showPointer(state, classes) {
  classes.toggle("armed", state.picture !== null && state.pending === null);
  classes.toggle("on-thing", state.aim?.does === "select" || state.aim?.does === "point");
}
