/**
 * The picker of classes: opens where the pointer is, finds a class by a part of its name, makes a new one of what is
 * written. Fetched when it is first wanted.
 */

import { keyOfClass, meant } from "../model/classes.js";
import { colorOf } from "../model/palette.js";
import { currentObject } from "../model/state.js";
import { shortName } from "../model/words.js";
import { find, focusPicture, partOf, setText, stamp } from "./dom.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { XY } from "../model/types.ts" */
/** @import { Studio } from "../session/studio.js" */

/** Between the pointer and the picker, and between the picker and the window's edge, CSS pixels. */
const GAP = 8;

export class ClassPicker {
  #box = find("class-picker");
  #field = /** @type {HTMLInputElement} */ (find("class-written"));
  #choices = find("class-choices");
  /** @type {number | null} the object that it was opened for */
  #object = null;

  /** @param {Store} store @param {Studio} studio */
  constructor(store, studio) {
    this.store = store;
    this.studio = studio;
    this.#field.addEventListener("input", () => this.#offer());
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#box.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") this.#field.focus();
    });
  }

  /**
   * Open it.
   * @param {number | null} id of the object; the current one if null, and new ones without any
   * @param {XY} at where, CSS pixels of the window
   */
  open(id, at) {
    this.#object = id ?? currentObject(this.store.state)?.id ?? null;
    this.#field.value = "";
    this.#offer();
    this.#box.showPopover();
    this.#place(at);
  }

  /** Beside a point, and whole in the window; a phone's is a sheet. @param {XY} at */
  #place({ x, y }) {
    const { offsetWidth: width, offsetHeight: height, style } = this.#box;
    style.setProperty("--x", `${Math.max(GAP, Math.min(x + GAP, innerWidth - width - GAP))}px`);
    style.setProperty("--y", `${Math.max(GAP, Math.min(y + GAP, innerHeight - height - GAP))}px`);
  }

  /** Show what is meant by what is written. */
  #offer() {
    const { classes, objects, sticky } = this.store.state;
    const written = this.#field.value.trim();
    const object = this.#object === null ? undefined : objects.get(this.#object);
    /** @param {string} name */
    const giving = (name) => () => this.studio.classes.give(name, this.#object);
    const entries = meant(classes, written)
      .map(({ name, color, number }) => this.#choice(name, colorOf(color), keyOfClass(number), giving(name)));
    if (written !== "" && !classes.some(({ name }) => name === written)) {
      entries.push(this.#choice(t("classPicker.new", { name: shortName(written) }), null, "", giving(written)));
    }
    const hasOne = object ? classes.some(({ name }) => name === object.name) : sticky !== null;
    if (written === "" && hasOne) entries.push(this.#choice(t("classPicker.none"), null, "", () => this.studio.classes.giveNone(this.#object)));
    this.#choices.replaceChildren(...entries);
    const title = find("class-picker-title");
    if (!object) setText(title, t("classPicker.ofNew"));
    else setText(title, hasOne ? t("classPicker.ofObject") : t("classPicker.of", { name: shortName(object.name) }));
  }

  /**
   * @param {string} text @param {string | null} color @param {string} key @param {() => Promise<void>} give
   * @returns {HTMLElement}
   */
  #choice(text, color, key, give) {
    const entry = stamp("class-choice");
    setText(partOf(entry, "name"), text);
    setText(partOf(entry, "key"), key);
    partOf(entry, "key").hidden = key === "";
    const swatch = partOf(entry, "swatch");
    if (color === null) swatch.classList.add("none");
    else swatch.style.backgroundColor = color;
    partOf(entry, "give").addEventListener("click", () => {
      this.#box.hidePopover();
      focusPicture();
      void give();
    });
    return entry;
  }

  /** Enter takes the first; the arrows walk. @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    const buttons = [...this.#choices.querySelectorAll("button")];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    if (event.key === "Enter" && at < 0) buttons[0]?.click();
    else if (event.key === "ArrowDown") buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
    else if (event.key === "ArrowUp") (buttons[at - 1] ?? this.#field).focus();
    else return;
    event.preventDefault();
  }
}
