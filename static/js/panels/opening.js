/**
 * The ways in for a picture: the file dialog, a drop anywhere, the clipboard, the samples.
 */

import { fetchSample, readPicture } from "../files/pictures.js";
import { tooLarge } from "../model/words.js";
import { mayLeave } from "./ask.js";
import { find, focusPicture } from "./dom.js";

/** @import { Store } from "../model/store.js" */
/** @import { Studio } from "../session/studio.js" */

export class Opening {
  /** How many pictures were asked for: while one is fetched or read, the next may be, and the newest is meant. */
  #asked = 0;
  #chooser = /** @type {HTMLInputElement} */ (find("file"));

  /** @param {Store} store @param {Studio} studio @param {number} maxBytes of a file that the server takes */
  constructor(store, studio, maxBytes) {
    this.store = store;
    this.studio = studio;
    this.maxBytes = maxBytes;
    this.#chooser.addEventListener("change", () => {
      this.#openFirst(this.#chooser.files);
      this.#chooser.value = "";
    });
    for (const sample of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-sample]"))) {
      const { sample: url = "", name = "sample" } = sample.dataset;
      sample.addEventListener("click", () => void this.#open(fetchSample(url), name));
    }
    addEventListener("paste", (event) => this.#openFirst(event.clipboardData?.files));
    this.#bindDrop();
  }

  /** Nobody has asked for a picture yet. */
  get isUntouched() {
    return this.#asked === 0;
  }

  /** Let the person choose a file. */
  choose() {
    this.#chooser.click();
  }

  /** @param {FileList | null | undefined} files */
  #openFirst(files) {
    const file = files?.[0];
    if (file) void this.#open(Promise.resolve(file), file.name || "pasted picture");
  }

  /** @param {Promise<Blob>} wanted @param {string} name */
  async #open(wanted, name) {
    const own = (this.#asked += 1);
    const isMeant = () => own === this.#asked;
    try {
      const file = await wanted;
      if (!isMeant()) return;
      if (file.size > this.maxBytes) throw new Error(tooLarge(name, file.size, this.maxBytes));
      if (!(await mayLeave(this.studio, name)) || !isMeant()) return;
      find("stage").scrollIntoView({ block: "nearest" }); // on a phone, a sample may lie far below it
      focusPicture();
      const picture = await readPicture(file, name);
      if (isMeant()) await this.studio.open(picture);
    } catch (error) {
      this.store.report(error);
    }
  }

  /**
   * A file that is dragged over the page may be dropped anywhere; a link that is dropped would lead away from the work.
   */
  #bindDrop() {
    const target = find("drop");
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    addEventListener("dragover", (event) => {
      const files = hasFiles(event);
      if (files) target.hidden = false;
      else if (event.dataTransfer && !(event.target instanceof HTMLInputElement)) event.dataTransfer.dropEffect = "none";
      else return;
      event.preventDefault();
    });
    addEventListener("dragleave", (event) => {
      if (event.relatedTarget === null) target.hidden = true;
    });
    addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      target.hidden = true;
      this.#openFirst(event.dataTransfer?.files);
    });
  }
}
