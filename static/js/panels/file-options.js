/**
 * How files are made: the edge, the ground and the size of a cutout, shown as it will be, and how closely outlines
 * follow their masks, with what that costs. They hold until the page is left.
 */

import { received } from "../files/download.js";
import { maskOf } from "../model/state.js";
import { outlineText, toleranceText } from "../model/words.js";
import { find, setText } from "./dom.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { Studio } from "../session/studio.js" */
/** @import { ExportFormat, ExportOptions, Mask } from "../wire/messages.ts" */

/** The steps of the slider, pixels: as close as the eye needs, exact, and ever fewer points. */
const TOLERANCES = [undefined, 0, 0.5, 1, 2, 3, 5, 8, 12, 20];
/** Outlines are counted once the slider has rested for so long, ms. */
const REST_MS = 250;
const OUTLINED = ["coco", "yolo", "labelme", "svg"];

/** @param {string} id @returns {HTMLInputElement} */
const input = (id) => /** @type {HTMLInputElement} */ (find(id));

export class FileOptions {
  /** @type {number[]} the objects that are to be saved */
  #objects = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Of the newest count: an older one that comes late is let go. */
  #counted = 0;

  /** @param {Store} store @param {Studio} studio */
  constructor(store, studio) {
    this.store = store;
    this.studio = studio;
    for (const id of ["cutout-trim", "cutout-soft", "cutout-ground", "cutout-color"]) {
      find(id).addEventListener("input", () => void this.#draw());
    }
    find("cutout-color").addEventListener("input", () => {
      input("cutout-ground").checked = true;
      void this.#draw();
    });
    find("tolerance").addEventListener("input", () => {
      this.#tell();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#count(), REST_MS);
    });
    this.#tell();
  }

  /** @param {ExportFormat} format @returns {ExportOptions | undefined} what that format takes */
  of(format) {
    if (OUTLINED.includes(format)) return { tolerance: this.#tolerance };
    if (format !== "cutout") return undefined;
    return this.store.state.clip ? { ground: this.#cutout.ground } : this.#cutout;
  }

  /** Show what is to be saved. @param {number[]} objects */
  show(objects) {
    this.#objects = objects;
    this.#counted += 1;
    setText(find("outline-count"), "");
    void this.#draw();
  }

  /** @returns {ExportOptions} */
  get #cutout() {
    const ground = input("cutout-ground").checked ? input("cutout-color").value : undefined;
    const trim = input("cutout-trim").checked || undefined;
    return { trim, edge: input("cutout-soft").checked ? "soft" : undefined, ground };
  }

  /** @returns {number | undefined} */
  get #tolerance() {
    return TOLERANCES[input("tolerance").valueAsNumber];
  }

  /** @returns {Mask[]} */
  get #masks() {
    const { objects } = this.store.state;
    return this.#objects.flatMap((id) => {
      const object = objects.get(id);
      const mask = object && maskOf(object);
      return mask ? [mask] : [];
    });
  }

  /** Show the cutout as it will be. */
  async #draw() {
    const { picture } = this.store.state;
    const canvas = /** @type {HTMLCanvasElement} */ (find("cutout-preview"));
    const masks = this.#masks;
    canvas.hidden = picture?.bitmap === null || masks.length === 0;
    find("cutout-size").hidden = canvas.hidden;
    if (!picture || canvas.hidden) return;
    const options = this.of("cutout") ?? {};
    const module = await import("../canvas/cutout.js").catch(() => null); // without it, the rest of the menu works
    const { width, height } = module?.drawCutout(canvas, picture, masks, options) ?? picture;
    const isAbout = options.trim && options.edge; // how far a soft edge shows, the picture decides
    const size = { width: String(width), height: String(height) };
    setText(find("cutout-size"), t(isAbout ? "picture.aboutSize" : "picture.size", size));
  }

  #tell() {
    const text = toleranceText(this.#tolerance);
    setText(find("tolerance-text"), text);
    find("tolerance").setAttribute("aria-valuetext", text);
  }

  /** Have the outlines made, and tell what they are like. */
  async #count() {
    if (this.store.state.clip) return; // those of three hundred frames take too long
    const own = (this.#counted += 1);
    try {
      const file = await this.studio.export("coco", this.#objects, { tolerance: this.#tolerance });
      const { annotations } = JSON.parse(await (await received(file)).blob.text());
      if (own === this.#counted) setText(find("outline-count"), outlineText(annotations));
    } catch (error) {
      if (own === this.#counted) setText(find("outline-count"), error instanceof Error ? error.message : String(error));
    }
  }
}
