/**
 * Saves a file or copies a cutout, of one object or of all.
 */

import { canCopy, copyPng, download, received } from "./files.js";
import { scopesOf } from "./state.js";
import { leftOut, plural, shortName } from "./words.js";

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

  /** @param {ExportFormat} format @param {number[]} [given] all that are shown if absent */
  async save(format, given) {
    const objects = given ?? scopesOf(this.state).shown;
    await this.#attempt(WORDS[format], async () => {
      const file = await this.#make(format, objects);
      download(file);
      this.#tell(`${file.name} saved: ${this.#nameOf(objects)}.`, given === undefined);
    });
  }

  /** Copy the cutout. @param {number[]} [given] all that are shown if absent */
  async copy(given) {
    const objects = given ?? scopesOf(this.state).shown;
    await this.#attempt(WORDS.cutout, async () => {
      if (!canCopy()) throw new Error("This browser copies pictures only on https or on the server’s own machine; save the cutout instead.");
      await copyPng(this.#make("cutout", objects));
      this.#tell(`Cutout of ${this.#nameOf(objects)} copied.`, given === undefined);
    });
  }

  /** @param {number[]} objects */
  #nameOf(objects) {
    const one = objects.length === 1 ? this.state.objects.get(objects[0]) : undefined;
    return one ? shortName(one.name) : plural(objects.length, "object");
  }

  /** @param {string} done @param {boolean} ofAll nobody chose which: then what is left out is said */
  #tell(done, ofAll) {
    const left = ofAll ? leftOut(this.state) : "";
    const text = left ? `${done} ${left}` : done;
    this.state.said = text;
    this.state.toast = { text, undo: false };
  }

  /** @param {ExportFormat} format @param {number[]} objects */
  async #make(format, objects) {
    if (this.state.objects.size === 0) throw new Error("There is nothing to save yet: click something first.");
    if (objects.length === 0) throw new Error("All objects are hidden: show one, or choose “hidden too” in the Save menu.");
    return received(await this.studio.export(format, objects.length === this.state.objects.size ? undefined : objects));
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
