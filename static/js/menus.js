/**
 * The menus of the page: models, files to save, the look, the times. Each is a popover that the page's markup opens.
 */

import { setText } from "./objects-list.js";
import { stateOf, wordsOf } from "./models.js";

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
  list.replaceChildren(...state.models.map((model) => {
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

/** Which objects the menu of files concerns. */
export class SaveMenu {
  /** @type {number | null} the object that the menu was opened for */
  #object = null;

  /** @param {State} state @param {Find} find @param {(format: ExportFormat | "copy", objects: number[] | undefined) => void} take */
  constructor(state, find, take) {
    this.state = state;
    this.find = find;
    for (const button of find("save-menu").querySelectorAll("[data-format]")) {
      button.addEventListener("click", () => {
        const one = /** @type {HTMLInputElement} */ (find("save-one")).checked ? this.#object : null;
        find("save-menu").hidePopover();
        take(/** @type {any} */ (/** @type {HTMLElement} */ (button).dataset.format), one === null ? undefined : [one]);
      });
    }
    find("save-menu").addEventListener("beforetoggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") this.#prepare(state.active ?? this.#object);
      else this.#object = null;
    });
  }

  /** Open it for one object. @param {number} id */
  openFor(id) {
    this.#object = id;
    this.find("save-menu").showPopover();
  }

  /** @param {number | null} id */
  #prepare(id) {
    const object = id === null ? undefined : this.state.objects.get(id);
    const one = /** @type {HTMLInputElement} */ (this.find("save-one"));
    this.#object = object?.id ?? null;
    one.disabled = object === undefined;
    one.checked = object !== undefined;
    /** @type {HTMLInputElement} */ (this.find("save-all")).checked = object === undefined;
    setText(this.find("save-one-text"), object?.name ?? "One object");
    setText(this.find("save-all-text"), `All ${this.state.objects.size}`);
  }
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
