/**
 * The ways in for label files: the file dialog, and a drop beside an open picture.
 */

import { isArmed } from "../model/state.js";
import { shortName } from "../model/words.js";
import { find } from "./dom.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { Studio } from "../session/studio.js" */

/** Tell whether a file holds labels rather than a picture. @param {{ name: string }} file */
export function isLabels({ name }) {
  return /\.(json|txt|zip)$/i.test(name) || /(^|[._ -])masks?[._ -].*png$|[._ -]masks?\.png$|^masks?\.png$/i.test(name);
}

/** Of a ZIP's end, where its files are named. */
const LIST_BYTES = 2 ** 16;
/** Objects that a request may name. */
const MOST = 4096;

/** Return the end of a ZIP, where its list of files is. @param {Blob} file */
function listOf(file) {
  return file.slice(-LIST_BYTES).text();
}

/** Tell whether a file is a project of many pictures. @param {string} list of its files */
function namesProject(list) {
  return list.includes("project.json");
}

/** Tell whether a ZIP may be one of a clip's frames: it is whole, and no project. @param {Blob} file */
export async function mayHoldFrames(file) {
  const list = await listOf(file);
  return list.includes("PK\u0005\u0006") && !namesProject(list);
}

export class Importing {
  #chooser = /** @type {HTMLInputElement} */ (find("labels-file"));

  /** @param {Store} store @param {Studio} studio @param {string} url that reads label files */
  constructor(store, studio, url) {
    this.store = store;
    this.studio = studio;
    this.url = url;
    this.#chooser.addEventListener("change", () => {
      const file = this.#chooser.files?.[0];
      if (file) void this.take(file, file.name);
      this.#chooser.value = "";
    });
  }

  /** Let the person choose a label file. */
  choose() {
    if (this.store.state.clip) this.store.warn(t("clip.noLabels"));
    else if (isArmed(this.store.state)) this.#chooser.click();
    else this.store.warn(t("labels.noPicture"));
  }

  /**
   * Tell whether what a person brings are labels of the picture that is open.
   * @param {readonly { file: Blob, name: string }[]} files
   */
  async areLabels(files) {
    const { picture } = this.store.state;
    if (picture === null || !files.every(isLabels)) return false;
    if (picture.clip && files.every(({ name }) => /\.zip$/i.test(name))) return false; // a clip takes no labels
    const lists = await Promise.all(files.map(({ file }) => listOf(file)));
    return !lists.some(namesProject);
  }

  /** Take in a label file. @param {Blob} file @param {string} name */
  async take(file, name) {
    const { store, studio } = this;
    const { picture, classes, objects, maxObjects } = store.state;
    if (picture === null) return store.warn(t("labels.noPicture"));
    if (picture.clip) return store.warn(t("clip.noLabels"));
    store.make(t("file.labelsOf", { name: shortName(name) }));
    try {
      const { labelsIn } = await import("../files/labels.js");
      const room = Math.max(0, Math.min(MOST, maxObjects - objects.size));
      const names = classes.map((one) => one.name);
      const labels = await labelsIn(this.url, { file, name }, picture, { classes: names, room });
      store.make(null);
      if (store.state.picture?.imageId === picture.imageId) await studio.shaping.take(labels, name);
    } catch (error) {
      store.report(error);
    }
    store.make(null);
  }
}
