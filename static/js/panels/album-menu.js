/**
 * What is done with all pictures at once: they are added, saved as one file, moved as a project, forgotten.
 */

import { countOf, missingClasses, progressOf } from "../model/album.js";
import { albumText, mergeText } from "../model/album-words.js";
import { shortName, troubleText } from "../model/words.js";
import { download } from "../files/download.js";
import { ask } from "./ask.js";
import { find, setText } from "./dom.js";
import { decimal, percent, t } from "../words/translate.js";

/** @import { AllFormat } from "../files/export-all.js" */
/** @import { AlbumStorage } from "../files/album-storage.js" */
/** @import { Store } from "../model/store.js" */
/** @import { Album } from "../model/types.ts" */
/** @import { Browsing } from "../session/browsing.js" */

/**
 * @typedef {object} Ways
 * @property {() => void} choose pictures
 * @property {() => void} chooseFolder
 * @property {() => void} chooseFrames of a clip
 * @property {() => Promise<void>} forget everything that this browser keeps
 * @property {string} masksUrl that makes files of masks
 */

export class AlbumMenu {
  /** @type {Album | null} */
  #album = null;
  /** Ends the file that is being made. @type {AbortController | null} */
  #making = null;

  /** @param {Store} store @param {Browsing} browsing @param {AlbumStorage} storage @param {Ways} ways */
  constructor(store, browsing, storage, ways) {
    this.store = store;
    this.browsing = browsing;
    this.storage = storage;
    this.ways = ways;
    for (const option of find("val-share").querySelectorAll("option")) {
      if (option.value !== "0") setText(option, percent(Number(option.value)));
    }
    const menu = find("pictures-menu");
    menu.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (!button) return;
      menu.hidePopover();
      const { album: way, allFormat: format } = button.dataset;
      if (format) void this.#save(/** @type {AllFormat} */ (format));
      else void this.#do(way ?? "");
    });
    const chooser = /** @type {HTMLInputElement} */ (find("project-file"));
    chooser.addEventListener("change", () => {
      const [file] = chooser.files ?? [];
      if (file) void this.openProject(file);
      chooser.value = "";
    });
    storage.onTrouble = () => {
      this.#album = null; // its words are others now
      this.update();
      if (storage.trouble !== null) store.warn(troubleText(storage.trouble));
    };
    find("making-stop").addEventListener("click", () => this.#making?.abort());
  }

  /** Bring the card up to the state. */
  update() {
    const { album } = this.store.state;
    if (album === this.#album) return;
    this.#album = album;
    find("pictures").hidden = album.size === 0;
    setText(find("picture-count"), album.size > 1 ? decimal(album.size, 0) : "");
    setText(find("pictures-text"), albumText(progressOf(album), this.storage.isLasting));
  }

  /** @param {string} way */
  async #do(way) {
    try {
      switch (way) {
        case "save": return await this.#saveProject();
        case "open": return void find("project-file").click();
        case "add": return this.ways.choose();
        case "frames": return this.ways.chooseFrames();
        case "folder": return this.ways.chooseFolder();
        case "remove": return await this.#remove();
        case "forget": return await this.#forget();
        default: return;
      }
    } catch (error) {
      this.store.report(error);
    }
  }

  async #remove() {
    const { album } = this.store.state;
    const entry = album.get(this.browsing.here ?? "");
    if (!entry) return;
    if (album.size === 1) return this.#forget();
    const count = countOf(entry);
    const question = {
      title: t("ask.remove"), yes: t("ask.removeYes"), text: t("ask.removeText", { name: shortName(entry.name), count }),
    };
    if (count === 0 || await ask(question)) await this.browsing.remove(entry.key);
  }

  async #forget() {
    const { total: pictures, objects } = progressOf(this.store.state.album);
    const question = {
      title: t("ask.forget"), yes: t("ask.forgetYes"), text: t("ask.forgetText", { pictures, objects }),
    };
    if (await ask(question)) await this.ways.forget();
  }

  // ---- one file of all

  /** @param {AllFormat} format */
  async #save(format) {
    const share = Number(/** @type {HTMLSelectElement} */ (find("val-share")).value);
    const withPictures = /** @type {HTMLInputElement} */ (find("with-pictures")).checked;
    await this.#make(t(`all.${format}`), async (onProgress, signal) => {
      const { exportAll } = await import("../files/export-all.js");
      this.browsing.noteNow();
      const { album } = this.store.state;
      await this.browsing.studio.classes.add(missingClasses(album, this.store.state.classes));
      const { classes: listed } = this.store.state;
      const classes = [...listed, ...missingClasses(album, listed)]; // where the server couldn't be asked
      const made = await exportAll({
        format, withPictures, share, classes, onProgress, signal,
        entries: [...album.values()], url: this.ways.masksUrl, file: (key) => this.storage.file(key),
      });
      download(made);
      return [t("save.savedPictures", { file: made.name, count: made.pictures }), ...made.left].join(" ");
    });
  }

  async #saveProject() {
    const withPictures = /** @type {HTMLInputElement} */ (find("with-pictures")).checked;
    await this.#make(t("file.project"), async (onProgress, signal) => {
      const { projectOf } = await import("../files/project.js");
      this.browsing.noteNow();
      const { album, classes } = this.store.state;
      const file = async (/** @type {string} */ key) => (withPictures ? this.storage.file(key) : null);
      const blob = await projectOf([...album.values()], classes, file, onProgress, signal);
      const name = `project-${new Date().toISOString().slice(0, 10)}.zip`;
      download({ name, blob });
      return t(withPictures ? "save.savedPictures" : "save.savedBare", { file: name, count: album.size });
    });
  }

  /** Take what is in a project into the work that is here. @param {File} given */
  openProject(given) {
    return this.#make(shortName(given.name), async (onProgress) => {
      const { readProject } = await import("../files/project.js");
      const { entries, classes, files, over } = await readProject(given);
      await this.browsing.studio.classes.add(classes);
      const file = async (/** @type {string} */ key) => files.get(key)?.() ?? null;
      const came = await this.browsing.merge(entries, file, onProgress);
      return mergeText(shortName(given.name), { ...came, over: came.over + over }, this.storage);
    });
  }

  /**
   * Make or read a file, one at a time, and say how far it is.
   * @param {string} what it is
   * @param {(onProgress: (place: number, total: number) => void, signal: AbortSignal) => Promise<string>} make
   *   returns what is said of it
   */
  async #make(what, make) {
    if (this.#making) return this.store.warn(t("make.busy"));
    this.#making = new AbortController();
    const { signal } = this.#making;
    const bar = /** @type {HTMLProgressElement} */ (find("making-progress"));
    find("making").hidden = false;
    bar.value = 0;
    this.store.make(what);
    this.store.warn(null);
    try {
      const said = await make((place, total) => {
        bar.value = (place - 1) / total;
        this.store.make(t("make.progress", { what, place, total }));
      }, signal);
      this.store.tell(said, { undo: false });
    } catch (error) {
      if (signal.aborted) this.store.tell(t("make.stopped", { what }), { undo: false });
      else this.store.report(error);
    }
    this.store.make(null);
    find("making").hidden = true;
    this.#making = null;
  }
}
