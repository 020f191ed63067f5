/**
 * Saves a file or copies a cutout, of one object or of all.
 */

import { canCopy, copyPng, download, received } from "../files/download.js";
import { scopesOf } from "../model/state.js";
import { leftOut, plural, shortName } from "../model/words.js";

/** @import { Received } from "../files/download.js" */
/** @import { Store } from "../model/store.js" */
/** @import { Studio } from "../session/studio.js" */
/** @import { ExportFormat } from "../wire/messages.ts" */
/** @import { FileOptions } from "./file-options.js" */

/** What each file is called while it is made. @type {Record<ExportFormat | "copy", string>} */
const WORDS = {
  copy: "the cutout", cutout: "the cutout", mask: "the mask", overlay: "the overlay", coco: "COCO JSON", yolo: "YOLO-seg",
  labelme: "LabelMe JSON", svg: "SVG", recipe: "the recipe",
};

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
   * @param {number[]} [given] all that are shown if absent
   */
  async take(format, given) {
    const { store } = this;
    store.make(WORDS[format]);
    store.warn(null);
    try {
      const objects = given ?? scopesOf(store.state).shown;
      const done = format === "copy" ? await this.#copy(objects) : await this.#save(format, objects);
      store.tell(given ? done : `${done} ${leftOut(store.state)}`.trimEnd(), { undo: false });
    } catch (error) {
      store.report(error);
    }
    store.make(null);
  }

  /** @param {ExportFormat} format @param {number[]} objects */
  async #save(format, objects) {
    const file = await this.#make(format, objects);
    download(file);
    return `${file.name} saved: ${this.#nameOf(objects)}.`;
  }

  /** @param {number[]} objects */
  async #copy(objects) {
    if (!canCopy()) throw new Error("This browser copies pictures only on https or on the server’s own machine; save the cutout instead.");
    await copyPng(this.#make("cutout", objects));
    return `Cutout of ${this.#nameOf(objects)} copied.`;
  }

  /** @param {number[]} ids */
  #nameOf(ids) {
    const { objects } = this.store.state;
    return ids.length === 1 ? shortName(objects.get(ids[0])?.name ?? "") : plural(ids.length, "object");
  }

  /** @param {ExportFormat} format @param {number[]} objects @returns {Promise<Received>} */
  async #make(format, objects) {
    const { size } = this.store.state.objects;
    if (size === 0) throw new Error("There is nothing to save yet: click something first.");
    if (objects.length === 0) throw new Error("All objects are hidden: show one, or choose “hidden too” in the Save menu.");
    const some = objects.length === size ? undefined : objects;
    return received(await this.studio.export(format, some, this.options.of(format)));
  }
}
