/**
 * The menus of the page: models, files to save, the look, the times. Each is a popover that the page's markup opens.
 */

import { setText } from "./objects-list.js";
import { stateOf, usable, wordsOf } from "./models.js";
import { scopesOf } from "./state.js";
import { leftOut } from "./words.js";

/** @import { Kind, Latency } from "./latency.js" */
/** @import { Preferences, Theme } from "./preferences.js" */
/** @import { ExportFormat } from "./protocol.js" */
/** @import { Find } from "./status.js" */
/** @import { State } from "./state.js" */

// ---- models

/** Fill the menu of models anew where they have changed. @param {State} state @param {Find} find @param {(name: string) => void} choose */
export function showModels(state, find, choose) {
  const list = find("models");
  const shown = JSON.stringify([state.models, state.model, state.switching?.name]);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  list.replaceChildren(...usable(state.models).map((model) => {
    const copy = /** @type {DocumentFragment} */ (/** @type {HTMLTemplateElement} */ (find("model-entry")).content.cloneNode(true));
    const button = /** @type {HTMLButtonElement} */ (copy.querySelector("button"));
    for (const [part, text] of [["name", model.name], ["words", wordsOf(model)], ["state", stateOf(model, state.model)]]) {
      setText(/** @type {Element} */ (copy.querySelector(`[data-part="${part}"]`)), text);
    }
    button.setAttribute("aria-current", String(model.name === state.model));
    button.disabled = state.switching !== null;
    button.addEventListener("click", () => {
      find("model-menu").hidePopover();
      choose(model.name);
    });
    return copy;
  }));
}

// ---- files

/** The menu of files: which objects, then as what. */
export class SaveMenu {
  /** @type {number | null} the object that the menu was opened for */
  #object = null;

  /** @param {State} state @param {Find} find @param {(format: ExportFormat | "copy", objects: number[] | undefined) => void} take */
  constructor(state, find, take) {
    this.state = state;
    this.find = find;
    for (const button of find("save-menu").querySelectorAll("[data-format]")) {
      button.addEventListener("click", () => {
        const objects = this.#chosen();
        find("save-menu").hidePopover();
        take(/** @type {any} */ (/** @type {HTMLElement} */ (button).dataset.format), objects);
      });
    }
    find("save-menu").addEventListener("beforetoggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") this.#prepare();
      else this.#object = null;
    });
    find("save-scopes").addEventListener("change", () => this.#tellLeftOut());
  }

  /** Open it for one object. @param {number} id */
  openFor(id) {
    this.#object = id;
    this.find("save-menu").showPopover();
  }

  /** @param {"all" | "hidden" | "one"} scope @returns {HTMLInputElement} */
  #radio(scope) {
    return /** @type {HTMLInputElement} */ (this.find(`save-${scope}`));
  }

  /** @returns {number[] | undefined} all that are shown if absent */
  #chosen() {
    if (this.#radio("one").checked && this.#object !== null) return [this.#object];
    return this.#radio("hidden").checked ? scopesOf(this.state).all : undefined;
  }

  /** All that are shown are offered first, unless it was opened for one. */
  #prepare() {
    const asked = this.#object !== null;
    const { shown, hidden, all } = scopesOf(this.state);
    const object = currentOf(this.state, this.#object);
    this.#object = object?.id ?? null;
    this.#radio("one").disabled = object === undefined;
    this.#radio("all").disabled = shown.length === 0;
    this.find("save-hidden-choice").hidden = hidden.length === 0;
    setText(this.find("save-one-text"), object?.name ?? "One object");
    setText(this.find("save-all-text"), hidden.length === 0 ? `All ${all.length}` : `${shown.length} shown`);
    setText(this.find("save-hidden-text"), `All ${all.length}, hidden too`);
    this.#radio(asked ? "one" : shown.length === 0 ? "hidden" : "all").checked = true;
    this.#tellLeftOut();
  }

  #tellLeftOut() {
    const text = this.#radio("all").checked ? leftOut(this.state) : "";
    setText(this.find("save-left"), text);
    this.find("save-left").hidden = text === "";
  }
}

/** @param {State} state @param {number | null} id the selected object if null */
function currentOf(state, id) {
  const wanted = id ?? state.active;
  return wanted === null ? undefined : state.objects.get(wanted);
}

// ---- the look

/** @param {Preferences} preferences @param {Find} find @param {(change: Partial<Preferences>) => void} change */
export function bindLook(preferences, find, change) {
  const opacity = /** @type {HTMLInputElement} */ (find("opacity"));
  const outlines = /** @type {HTMLInputElement} */ (find("outlines"));
  opacity.addEventListener("input", () => change({ opacity: Number(opacity.value) / 100 }));
  outlines.addEventListener("change", () => change({ outlines: outlines.checked }));
  for (const radio of find("look-menu").querySelectorAll('[name="theme"]')) {
    radio.addEventListener("change", () => change({ theme: /** @type {Theme} */ (/** @type {HTMLInputElement} */ (radio).value) }));
  }
  showLook(preferences, find);
}

/** @param {Preferences} preferences @param {Find} find */
export function showLook({ opacity, outlines, theme }, find) {
  /** @type {HTMLInputElement} */ (find("opacity")).value = String(Math.round(opacity * 100));
  setText(find("opacity-text"), `${Math.round(opacity * 100)} %`);
  /** @type {HTMLInputElement} */ (find("outlines")).checked = outlines;
  /** @type {HTMLInputElement} */ (find(`theme-${theme}`)).checked = true;
}

// ---- the times

/** @param {number | null} ms */
function timeText(ms) {
  return ms === null ? "–" : ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}

/** @param {Latency} latency @param {Find} find */
export function showTimes(latency, find) {
  for (const { kind, p50, p95 } of latency.rows()) {
    const row = find(`time-${/** @type {Kind} */ (kind)}`);
    setText(/** @type {Element} */ (row.children[1]), timeText(p50));
    setText(/** @type {Element} */ (row.children[2]), timeText(p95));
  }
}
