/**
 * The words and the small signs around the picture: what is open, where things stand, what went wrong, which tool is
 * up.
 */

import { isBrush } from "../model/aim.js";
import { costOf, sizeOf, usable } from "../model/models.js";
import { firstRadius } from "../model/strokes.js";
import { currentObject, isBegun, shownPicture, shownPreview } from "../model/state.js";
import { connectionText, describe } from "../model/words.js";
import { find, giveFocusBack, setPressed, setText } from "./dom.js";
import { decimal, percent, t } from "../words/translate.js";

/** @import { State } from "../model/types.ts" */

/** @param {string} id @param {boolean} disabled */
function disable(id, disabled) {
  const button = /** @type {HTMLButtonElement} */ (find(id));
  if (button.disabled === disabled) return;
  if (disabled) giveFocusBack(button);
  button.disabled = disabled;
}

/**
 * Bring the page's words up to the state.
 * @param {State} state
 * @param {boolean} hinted the first hint was put away
 */
export function showStatus(state, hinted) {
  const picture = shownPicture(state);
  const name = picture?.name ?? "";
  for (const [id, text] of [
    ["hint", describe(state)], ["live", state.said], ["connection-text", connectionText(state)], ["model-name", state.model],
    ["file-name", name], ["file-size", picture ? t("picture.size", { width: String(picture.width), height: String(picture.height) }) : ""], ["notice-text", state.notice ?? ""],
    ["object-count", state.objects.size ? decimal(state.objects.size, 0) : ""],
    ["shown-count", state.objects.size ? decimal(state.objects.size, 0) : ""],
  ]) setText(find(id), text);
  for (const [id, hidden] of /** @type {const} */ ([
    ["welcome", picture !== null || state.restoring], ["samples", picture === null], ["notice", state.notice === null],
    ["legend", (shownPreview(state)?.object ?? null) === null], ["no-objects", state.objects.size > 0],
    ["coach", hinted || picture === null || state.objects.size > 0 || isBegun(state)],
  ])) find(id).hidden = hidden;
  find("connection").dataset.state = state.connection;
  find("file-name").title = name;
  document.title = name ? t("page.titleOf", { name }) : t("page.title");
  find("sharp").hidden = state.sharp === null;
  find("zoom").title = state.sharp === null ? "" : t("zoom.sharp");
  showModel(state);
  showProgress(state);
  showTools(state);
}

/** @param {State} state @param {number} scale of the viewport */
export function showZoom(state, scale) {
  setText(find("zoom"), percent(shownPicture(state) ? scale : 1));
}

/** @param {State} state */
function showModel(state) {
  const model = state.models.find(({ name }) => name === state.model);
  if (!model) return;
  const engine = state.engines[state.model];
  const better = usable(state.models).find(({ bundled }) => !bundled); // the smallest comes first
  setText(find("model-title-name"), model.name);
  const size = sizeOf(model);
  setText(find("model-facts"), engine ? t("models.facts", { size, engine }) : size);
  find("demo-tag").hidden = !model.bundled;
  find("model-note-demo").hidden = !model.bundled;
  find("model-note-published").hidden = model.bundled;
  disable("model-better", state.switching !== null);
  find("model-better").dataset.model = better?.name ?? "";
  find("model-better").hidden = better === undefined;
  find("model-alone").hidden = better !== undefined;
  if (!better) return;
  const change = { model: better.name, megabytes: costOf(better) };
  setText(find("model-better"), t(change.megabytes > 0 ? "models.changeCost" : "models.change", change));
}

/** @param {State} state */
function showProgress(state) {
  const bar = /** @type {HTMLProgressElement} */ (find("progress"));
  const fraction = (state.pending ?? state.switching)?.fraction ?? null;
  const busy = state.pending !== null || state.switching !== null || state.restoring;
  bar.hidden = !busy && !state.picture?.provisional;
  find("stage").setAttribute("aria-busy", String(busy));
  if (fraction === null || fraction >= 1) bar.removeAttribute("value");
  else bar.value = fraction;
}

/** @param {State} state */
function showBrush({ tool, brush, picture }) {
  find("brush-options").hidden = !isBrush(tool) || picture === null;
  if (picture === null) return;
  setText(find("brush-size"), t("facts.area", { px: Math.round(2 * (brush.radius ?? firstRadius(picture))) }));
  setPressed(find("smart"), brush.smart);
}

/** @param {State} state */
function showTools(state) {
  showBrush(state);
  for (const id of ["new", "add", "remove", "brush", "eraser"]) {
    const radio = /** @type {HTMLInputElement} */ (find(id));
    radio.checked = id === state.tool;
    radio.disabled = state.picture === null;
  }
  find("tools").classList.toggle("on-top", state.onTop);
  find("canvas").classList.toggle("armed", state.picture !== null && state.pending === null);
  find("canvas").classList.toggle("on-thing", state.aim?.does === "select" || state.aim?.does === "point");
  for (const id of ["fit", "zoom-in", "zoom-out"]) disable(id, shownPicture(state) === null);
  for (const id of ["clear", "save"]) disable(id, state.objects.size === 0);
  disable("import-labels", state.picture === null);
  disable("undo", !state.canUndo);
  disable("redo", !state.canRedo);
  disable("delete", currentObject(state) === undefined);
}
