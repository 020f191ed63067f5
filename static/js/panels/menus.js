/**
 * The menus of the page: models, files to save, the look, the times. Each is a popover that the page's markup opens.
 */

import { stateOf, usable, wordsOf } from "../model/models.js";
import { objectOf, scopesOf } from "../model/state.js";
import { leftOut } from "../model/words.js";
import { find, partOf, setText, stamp } from "./dom.js";
import { decimal, percent, t } from "../words/translate.js";

/** @import { Latency } from "../model/latency.js" */
/** @import { State } from "../model/types.ts" */
/** @import { ExportFormat } from "../wire/messages.ts" */
/** @import { Preferences, Theme } from "./preferences.js" */

// ---- models

/** Fill the menu of models anew where they have changed. @param {State} state @param {(name: string) => void} choose */
export function showModels({ models, model: current, switching }, choose) {
  const list = find("models");
  const shown = JSON.stringify([models, current, switching?.name]);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  list.replaceChildren(...usable(models).map((model) => {
    const entry = stamp("model-entry");
    const button = /** @type {HTMLButtonElement} */ (entry.querySelector("button"));
    setText(partOf(entry, "name"), model.name);
    setText(partOf(entry, "words"), wordsOf(model));
    setText(partOf(entry, "state"), stateOf(model, current));
    button.setAttribute("aria-current", String(model.name === current));
    button.disabled = switching !== null;
    button.addEventListener("click", () => {
      find("model-menu").hidePopover();
      choose(model.name);
    });
    return entry;
  }));
}

// ---- files

/** The menu of files: which objects, then as what. */
export class SaveMenu {
  /** @type {number | null} the object that the menu was opened for */
  #object = null;

  /**
   * @param {State} state
   * @param {(format: ExportFormat | "copy", objects: number[] | undefined) => void} take
   * @param {(objects: number[]) => void} show what is to be saved
   */
  constructor(state, take, show) {
    this.state = state;
    this.show = show;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (find("save-menu").querySelectorAll("[data-format]"))) {
      button.addEventListener("click", () => {
        const objects = this.#chosen();
        find("save-menu").hidePopover();
        take(/** @type {ExportFormat | "copy"} */ (button.dataset.format), objects);
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
    find("save-menu").showPopover();
  }

  /** @param {"all" | "hidden" | "one"} scope @returns {HTMLInputElement} */
  #radio(scope) {
    return /** @type {HTMLInputElement} */ (find(`save-${scope}`));
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
    const object = objectOf(this.state, this.#object ?? this.state.active);
    this.#object = object?.id ?? null;
    this.#radio("one").disabled = object === undefined;
    this.#radio("all").disabled = shown.length === 0;
    find("save-hidden-choice").hidden = hidden.length === 0;
    setText(find("save-one-text"), object?.name ?? t("save.one"));
    setText(find("save-all-text"), hidden.length === 0 ? t("save.all", { count: all.length }) : t("save.shown", { count: shown.length }));
    setText(find("save-hidden-text"), t("save.hidden", { count: all.length }));
    this.#radio(asked ? "one" : shown.length === 0 ? "hidden" : "all").checked = true;
    this.#tellLeftOut();
  }

  /** What is chosen is another. */
  #tellLeftOut() {
    this.show(this.#chosen() ?? scopesOf(this.state).shown);
    const text = this.#radio("all").checked ? leftOut(this.state) : "";
    setText(find("save-left"), text);
    find("save-left").hidden = text === "";
  }
}

// ---- the look

/** @param {(change: Partial<Preferences>) => void} change */
export function bindLook(change) {
  const opacity = /** @type {HTMLInputElement} */ (find("opacity"));
  const outlines = /** @type {HTMLInputElement} */ (find("outlines"));
  opacity.addEventListener("input", () => change({ opacity: Number(opacity.value) / 100 }));
  outlines.addEventListener("change", () => change({ outlines: outlines.checked }));
  for (const radio of /** @type {NodeListOf<HTMLInputElement>} */ (find("look-menu").querySelectorAll('[name="theme"]'))) {
    radio.addEventListener("change", () => change({ theme: /** @type {Theme} */ (radio.value) }));
  }
}

/** @param {Preferences} preferences */
export function showLook({ opacity, outlines, theme }) {
  /** @type {HTMLInputElement} */ (find("opacity")).value = String(Math.round(opacity * 100));
  setText(find("opacity-text"), percent(opacity));
  /** @type {HTMLInputElement} */ (find("outlines")).checked = outlines;
  /** @type {HTMLInputElement} */ (find(`theme-${theme}`)).checked = true;
}

// ---- the times

/** How often the times are taken while they are looked at, ms. */
const LOOK_EVERY_MS = 1000;

/**
 * Have the times taken while they are looked at.
 * @param {Latency} latency
 * @param {() => void} open they begin to be
 * @param {() => void} take
 */
export function bindTimes(latency, open, take) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let looking;
  find("times-menu").addEventListener("toggle", (event) => {
    clearInterval(looking);
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    showTimes(latency);
    open();
    take();
    looking = setInterval(take, LOOK_EVERY_MS);
  });
}

/** @param {number | null} ms */
function timeText(ms) {
  return ms === null ? "–" : decimal(ms, ms < 10 ? 1 : 0);
}

/** Show the times, where they are looked at. @param {Latency} latency */
export function showTimes(latency) {
  if (!find("times-menu").matches(":popover-open")) return;
  for (const { kind, p50, p95 } of latency.rows()) {
    const { children } = find(`time-${kind}`);
    setText(children[1], timeText(p50));
    setText(children[2], timeText(p95));
  }
}
