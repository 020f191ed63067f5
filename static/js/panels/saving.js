/**
 * Saves a file or copies a cutout, of one object or of all.
 */

import { canCopy, copyPng, download, received } from "../files/download.js";
import { Superseded } from "../wire/requests.js";
import { scopesOf } from "../model/state.js";
import { leftOut, shortName } from "../model/words.js";
import { t } from "../words/translate.js";

/** @import { Received } from "../files/download.js" */
/** @import { Store } from "../model/store.js" */
/** @import { Studio } from "../session/studio.js" */
/** @import { ExportFormat } from "../wire/messages.ts" */
/** @import { FileOptions } from "./file-options.js" */

export class Saving {
  /** @param {Store} store @param {Studio} studio @param {FileOptions} options how files are made */
  constructor(store, studio, options) {
    this.store = store;
    this.studio = studio;
    this.options = options;
  }

  /**
   * Save objects as a file, or copy their cutout, and say what was done; what is left out is said where nobody chose.
   * @param {ExportFormat | "copy"} format
   * @param {() => number[] | undefined} choose which, asked once what was done before is answered: a click that comes
   *   right before makes the object that is meant; all that are shown if undefined
   */
  async take(format, choose) {
    const { store } = this;
    store.make(t(`file.${format}`));
    store.warn(null);
    const chosen = this.studio.actions.atRest().then(choose);
    const objects = chosen.then((given) => given ?? scopesOf(store.state).shown);
    try {
      const done = format === "copy" ? await this.#copy(objects) : await this.#save(format, await objects);
      store.tell(await chosen ? done : `${done} ${leftOut(store.state)}`.trimEnd(), { undo: false });
    } catch (error) {
      if (error instanceof Superseded) store.tell(t("make.stopped", { what: t(`file.${format}`) }), { undo: false });
      else store.report(error);
    }
    store.make(null);
  }

  /** @param {ExportFormat} format @param {number[]} objects */
  async #save(format, objects) {
    const file = await this.#make(format, objects);
    download(file);
    return this.#told("save.saved", objects, file.name);
  }

  /** @param {Promise<number[]>} objects */
  async #copy(objects) {
    if (this.store.state.clip) throw new Error(t("clip.noCopy"));
    if (!canCopy()) throw new Error(t("save.noCopy"));
    await copyPng(objects.then((ids) => this.#make("cutout", ids)));
    return this.#told("save.copied", await objects);
  }

  /** @param {"save.saved" | "save.copied"} done @param {number[]} ids @param {string} [file] its name */
  #told(done, ids, file = "") {
    const { objects } = this.store.state;
    if (ids.length === 1) return t(done, { file, name: shortName(objects.get(ids[0])?.name ?? "") });
    return t(`${done}Objects`, { file, count: ids.length });
  }

  /** @param {ExportFormat} format @param {number[]} objects @returns {Promise<Received>} */
  async #make(format, objects) {
    const { size } = this.store.state.objects;
    if (size === 0) throw new Error(t("save.nothing"));
    if (objects.length === 0) throw new Error(t("save.allHidden"));
    const some = objects.length === size ? undefined : objects;
    return received(await this.studio.export(format, some, this.options.of(format)));
  }
}
