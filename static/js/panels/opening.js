/**
 * The ways in for pictures: the file dialog, a drop anywhere, the clipboard, the samples.
 */

import { fetchSample } from "../files/pictures.js";
import { shortName } from "../model/words.js";
import { find, focusPicture } from "./dom.js";
import { mayHoldFrames } from "./importing.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { ClipsPage } from "./clips.js" */
/** @import { Importing } from "./importing.js" */
/** @import { Pictures } from "./pictures.js" */

/** @typedef {{ file: Blob, name: string, folder?: string }} Brought a file, and the path of its folder, if any */

const ZIP = /\.zip$/i;
/** Kinds of pictures that may move, by type or name. */
const MAY_MOVE = /^image\/(gif|webp|a?png) |^ .*\.(gif|webp|a?png)$/i;

export class Opening {
  /** While a sample is fetched or a folder is walked through, the next may be chosen, and the newest is meant. */
  #asked = 0;
  #chooser = /** @type {HTMLInputElement} */ (find("file"));

  /**
   * @param {Store} store @param {() => Promise<Pictures>} pictures the album @param {() => Promise<ClipsPage>} clips
   * @param {Importing} importing of labels
   */
  constructor(store, pictures, clips, importing) {
    this.store = store;
    this.importing = importing;
    this.pictures = pictures;
    this.clips = clips;
    const frames = /** @type {HTMLInputElement} */ (find("frames-folder"));
    frames.addEventListener("change", () => {
      void this.#openFrames([...(frames.files ?? [])]);
      frames.value = "";
    });
    for (const chooser of [this.#chooser, /** @type {HTMLInputElement} */ (find("folder"))]) {
      chooser.addEventListener("change", () => {
        void this.#open(Promise.resolve([...(chooser.files ?? [])].map(brought)));
        chooser.value = "";
      });
    }
    for (const sample of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-sample]"))) {
      const { sample: url = "", name = t("take.sample") } = sample.dataset;
      sample.addEventListener("click", () => void this.#open(fetchSample(url).then((file) => [{ file, name }])));
    }
    addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      void this.#open(Promise.resolve(files.map((file) => ({ file, name: file.name || t("take.pasted") }))));
    });
    this.#bindDrop();
  }

  /** Let the person choose files. */
  choose() {
    this.#chooser.click();
  }

  /** Let the person choose a folder. */
  chooseFolder() {
    find("folder").click();
  }

  /**
   * @param {Promise<Brought[]>} wanted
   * @param {boolean} [mayBeLabels] of the picture that is open, where there is nothing else among them
   */
  async #open(wanted, mayBeLabels = false) {
    const own = (this.#asked += 1);
    try {
      const files = await wanted;
      if (own !== this.#asked || files.length === 0) return;
      if (mayBeLabels && (await this.importing.areLabels(files))) {
        for (const { file, name } of files) await this.importing.take(file, name);
        return;
      }
      find("stage").scrollIntoView({ block: "nearest" }); // on a phone, a sample may lie far below it
      focusPicture();
      const { browsing, openProject } = await this.pictures();
      const [{ file, name }] = files;
      const frames = await meantAsFrames(files);
      if (own !== this.#asked) return;
      if (frames.length > 0) return void await this.#takeFrames(frames, own);
      const isClip = files.length === 1 && MAY_MOVE.test(`${file.type} ${name}`) && await isMeantAsClip(file, name);
      if (own !== this.#asked) return;
      if (isClip) await browsing.take([{ file, name, clip: true }]);
      else if (files.length === 1 && file instanceof File && ZIP.test(name)) {
        if (await mayHoldFrames(file)) await browsing.take([{ file, name, clip: true }]);
        else await openProject(file);
      }
      else await browsing.take(files);
    } catch (error) {
      this.store.report(error);
    }
  }

  /** Let the person choose a folder whose pictures are the frames of a clip. */
  chooseFrames() {
    find("frames-folder").click();
  }

  /** @param {readonly File[]} files of a folder */
  async #openFrames(files) {
    const own = (this.#asked += 1);
    try {
      const { parted } = await import("../model/album.js");
      const { pictures: frames } = parted(files.map(brought));
      if (frames.length < 2) throw new Error(t("clip.noFrames"));
      await this.#takeFrames(frames, own);
    } catch (error) {
      this.store.report(error);
    }
  }

  /** Open a clip of its frames. @param {readonly Brought[]} frames in their order @param {number} own */
  async #takeFrames(frames, own) {
    this.store.make(t("clip.packing"));
    try {
      const { packed } = await this.clips();
      const file = await packed(frames);
      const { browsing } = await this.pictures();
      this.store.make(null);
      if (own === this.#asked) await browsing.take([{ file, name: folderName(frames), clip: true }]);
    } finally {
      this.store.make(null);
    }
  }

  /**
   * Files that are dragged over the page may be dropped anywhere; a link that is dropped would lead away from the work.
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
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      target.hidden = true;
      void this.#open(filesOf(event.dataTransfer), true);
    });
  }
}

/** @param {File} file that was chosen @returns {Brought} */
function brought(file) {
  const folder = file.webkitRelativePath.split("/").slice(0, -1).join("/");
  return { file, name: file.name, ...(folder ? { folder } : {}) };
}

/** @param {readonly Brought[]} files of one folder */
function folderName([{ name, folder = "" }]) {
  return folder.split("/").at(-1) || name;
}

/**
 * Ask what a folder of numbered pictures is meant as.
 * @param {readonly Brought[]} files @returns {Promise<Brought[]>} the frames of a clip; none where they are none
 */
async function meantAsFrames(files) {
  if (files.length < 2 || files[0].folder === undefined) return [];
  const { framesAmong } = await import("../files/folders.js");
  const frames = framesAmong(files);
  if (frames.length === 0) return [];
  const { ask } = await import("./ask.js");
  const said = { name: shortName(folderName(frames)), count: frames.length };
  const question = { title: t("clip.ask"), text: t("clip.askFrames", said), yes: t("clip.askYes"), no: t("clip.askPictures") };
  return (await ask(question)) ? frames : [];
}

/** Ask what a picture is meant as that moves. @param {Blob} file @param {string} name */
async function isMeantAsClip(file, name) {
  const { moves } = await import("../files/animated.js");
  if (!(await moves(file))) return false;
  const { ask } = await import("./ask.js");
  return ask({ title: t("clip.ask"), text: t("clip.askText", { name: shortName(name) }), yes: t("clip.askYes"), no: t("clip.askNo") });
}

/**
 * Return all files of a drop, those in its folders too. What was dropped can be read during its event alone.
 * @param {DataTransfer} transfer
 * @returns {Promise<Brought[]>}
 */
async function filesOf({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...files].map((file) => ({ file, name: file.name }));
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const { filesIn } = await import("../files/folders.js");
  return filesIn(entries.filter((entry) => entry !== null));
}
