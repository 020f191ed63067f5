/**
 * Taking the work away: saves a file or copies a cutout, of one object or of all.
 */

import { canCopy, copyPng, download, received } from "./files.js";
import { currentObject } from "./state.js";
import { plural } from "./words.js";

/** @import { ExportFormat } from "./protocol.js" */
/** @import { State } from "./state.js" */
/** @import { Studio } from "./studio.js" */

/** @type {Record<ExportFormat, string>} */
const WORDS = {
  cutout: "the cutout", mask: "the mask", overlay: "the overlay", coco: "COCO JSON", yolo: "YOLO-seg", labelme: "LabelMe JSON",
  svg: "SVG", recipe: "the recipe",
};

export class Takeaway {
  /** @param {State} state @param {Studio} studio @param {() => void} changed */
  constructor(state, studio, changed) {
    this.state = state;
    this.studio = studio;
    this.changed = changed;
  }

  /** The objects that a key concerns: the current one, else all. @returns {number[] | undefined} */
  scope() {
    const object = currentObject(this.state);
    return object ? [object.id] : undefined;
  }

  /** @param {ExportFormat} format @param {number[]} [objects] all if absent */
  async save(format, objects) {
    await this.#attempt(WORDS[format], async () => {
      const file = await this.#make(format, objects);
      download(file);
      this.state.said = `${file.name} saved.`;
    });
  }

  /** Copy the cutout. @param {number[]} [objects] all if absent */
  async copy(objects) {
    await this.#attempt(WORDS.cutout, async () => {
      if (!canCopy()) throw new Error("This browser copies pictures only on https or on the server’s own machine; save the cutout instead.");
      await copyPng(this.#make("cutout", objects));
      this.state.said = `Cutout of ${objects ? plural(objects.length, "object") : "all objects"} copied.`;
    });
  }

  /** @param {ExportFormat} format @param {number[] | undefined} objects */
  async #make(format, objects) {
    if (this.state.objects.size === 0) throw new Error("There is nothing to take away yet: click something first.");
    return received(await this.studio.export(format, objects));
  }

  /** @param {string} what @param {() => Promise<void>} work */
  async #attempt(what, work) {
    this.state.making = what;
    this.state.notice = null;
    this.changed();
    try {
      await work();
    } catch (error) {
      this.state.notice = error instanceof Error ? error.message : String(error);
    }
    this.state.making = null;
    this.changed();
  }
}
