/**
 * The list of classes beside the picture, and its ways in and out. Entries are kept over updates, so that focus stays.
 */

import { download } from "../files/download.js";
import { countsOf, keyOfClass, readClasses } from "../model/classes.js";
import { colorOf } from "../model/palette.js";
import { find, partOf, setLabel, setPressed, setText, stamp } from "./dom.js";
import { bindRenaming } from "./renaming.js";
import { decimal, t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { State } from "../model/types.ts" */
/** @import { Studio } from "../session/studio.js" */
/** @import { Class } from "../wire/messages.ts" */

/** @typedef {{ classes: readonly Class[], sticky: string | null }} Remembered over pictures and visits */

const KEY = "hoversam.classes";
const PARTS = /** @type {const} */ (["item", "choose", "swatch", "name", "key", "count", "input", "rename", "remove"]);

/** @typedef {Record<typeof PARTS[number], HTMLElement>} Entry */

export class ClassesList {
  /** @type {Entry[]} one for each place of the list */
  #entries = [];
  /** @type {readonly Class[]} */
  #kept = [];
  /** @type {string | null} */
  #sticky = null;

  /** @param {Store} store @param {Studio} studio @param {string} url that reads files of classes */
  constructor(store, studio, url) {
    this.list = find("classes");
    this.store = store;
    this.studio = studio;
    this.#kept = store.state.classes;
    this.#sticky = store.state.sticky;
    const chooser = /** @type {HTMLInputElement} */ (find("classes-file"));
    find("classes-import").addEventListener("click", () => {
      find("classes-menu").hidePopover();
      chooser.click();
    });
    chooser.addEventListener("change", () => {
      const [file] = chooser.files ?? [];
      if (file) void this.#take(url, file);
      chooser.value = "";
    });
    for (const button of waysOut()) {
      button.addEventListener("click", () => {
        find("classes-menu").hidePopover();
        void this.#give(/** @type {"txt" | "yaml" | "json"} */ (button.dataset.kind));
      });
    }
  }

  update() {
    const { state } = this.store;
    const { classes, sticky } = state;
    while (this.#entries.length > classes.length) this.#entries.pop()?.item.remove();
    while (this.#entries.length < classes.length) this.#entries.push(this.#add(this.#entries.length));
    const counts = countsOf(state);
    for (const [number, entry] of this.#entries.entries()) fill(entry, classes[number], number, counts, state);
    setText(find("class-count"), classes.length > 0 ? decimal(classes.length, 0) : "");
    find("no-classes").hidden = classes.length > 0;
    for (const button of waysOut()) button.disabled = classes.length === 0;
    if (this.#kept === classes && this.#sticky === sticky) return;
    this.#kept = classes;
    this.#sticky = sticky;
    rememberClasses({ classes, sticky });
  }

  /** @param {"txt" | "yaml" | "json"} kind */
  async #give(kind) {
    try {
      const { fileOf } = await import("../files/class-files.js");
      const { name, type, text } = fileOf(this.store.state.classes, kind);
      download({ name, blob: new Blob([text], { type }) });
    } catch {
      this.store.warn(t("error.unreached"));
    }
  }

  /** @param {string} url @param {File} file */
  async #take(url, file) {
    try {
      const { namesIn } = await import("../files/class-files.js");
      await this.studio.classes.replace(await namesIn(url, file), file.name);
    } catch (error) {
      this.store.report(error);
    }
  }

  /** @param {number} number @returns {Entry} */
  #add(number) {
    const item = stamp("class-entry");
    const parts = PARTS.map((part) => [part, part === "item" ? item : partOf(item, part)]);
    const entry = /** @type {Entry} */ (Object.fromEntries(parts));
    const name = () => this.store.state.classes[number]?.name ?? "";
    entry.choose.addEventListener("click", () => void this.studio.classes.giveNumber(number));
    entry.remove.addEventListener("click", () => void this.studio.classes.remove(name()));
    /** What is renamed is what was there when it began. */
    let renamed = "";
    const take = (/** @type {string} */ to) => void this.studio.classes.rename(renamed, to);
    const begin = bindRenaming(entry, take, () => { renamed = name(); });
    entry.choose.addEventListener("dblclick", begin);
    this.list.append(item);
    return entry;
  }
}

/** @returns {NodeListOf<HTMLButtonElement>} */
function waysOut() {
  return find("classes-menu").querySelectorAll("[data-kind]");
}

/**
 * @param {Entry} entry @param {Class} one @param {number} number its place
 * @param {Map<string, number>} counts of objects @param {State} state
 */
function fill(entry, { name, color }, number, counts, { sticky }) {
  entry.swatch.style.backgroundColor = colorOf(color);
  setText(entry.name, name);
  setText(entry.key, keyOfClass(number));
  entry.key.hidden = keyOfClass(number) === "";
  setText(entry.count, counts.has(name) ? decimal(counts.get(name) ?? 0, 0) : "");
  entry.choose.title = t("class.tip", { name, number: number + 1 });
  setPressed(entry.choose, name === sticky);
  setLabel(entry.input, t("class.nameOf", { name }));
  setLabel(entry.rename, t("class.rename", { name }));
  setLabel(entry.remove, t("class.delete", { name }));
}

/** @returns {Remembered} */
export function loadClasses() {
  try {
    return readClasses(localStorage.getItem(KEY));
  } catch {
    return { classes: [], sticky: null }; // storage is switched off
  }
}

/** @param {Remembered} remembered */
function rememberClasses({ classes, sticky }) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ classes, sticky }));
  } catch {
    // Storage is switched off or full: the list holds for this visit.
  }
}
