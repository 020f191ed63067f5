/**
 * One file of all pictures, made of the masks that are kept: the server writes the labels of one picture after the
 * other, and the page puts them together with the pictures, which only the page has. Fetched when it is first wanted.
 */

import { countOf, fileNames, heldBack } from "../model/album.js";
import { base64 } from "./base64.js";
import { unzipped, ZipWriter } from "./zip.js";
import { refusalText } from "../words/errors.js";
import { t } from "../words/translate.js";

/** @import { Entry, Work } from "../model/types.ts" */
/** @import { Class } from "../wire/messages.ts" */
/** @import { Received } from "./download.js" */

/** @typedef {"coco" | "yolo" | "labelme" | "mask"} AllFormat */
/** @typedef {"train" | "val"} Split */
/** @typedef {Readonly<Entry> & { work: Work }} Worked */
/** @typedef {{ name: string, split: Split, labels: Blob | null }} Labelled a picture and what the server made of it */
/** @typedef {Received & { pictures: number, left: string[] }} Made `left` says what isn't in it, in words */

/**
 * @typedef {object} Job
 * @property {AllFormat} format
 * @property {readonly Readonly<Entry>[]} entries
 * @property {readonly Class[]} classes
 * @property {boolean} withPictures
 * @property {number} share of pictures that a training is judged by
 * @property {string} url that makes files of masks
 * @property {(key: string) => Promise<Blob | null>} file of a picture
 * @property {(place: number, total: number) => void} onProgress
 * @property {AbortSignal} signal
 */

/** How often a server that has much to do is asked again. */
const MAX_TRIES = 20;

/**
 * @param {Job} job
 * @returns {Promise<Made>}
 * @throws {Error} where it can't be made, in words; what the signal was given up with
 */
export async function exportAll(job) {
  const worked = job.entries.filter(isWorked);
  if (worked.length === 0) throw new Error(t(job.entries.some(({ clip }) => clip) ? "save.onlyClips" : "save.nothingDone"));
  const parts = job.format === "coco" || job.format === "yolo";
  const held = heldBack(worked.map(({ key }) => key), parts ? job.share : 0);
  const out = collectorOf(job, held.size > 0);
  let unkept = 0;
  const names = fileNames(worked);
  for (const [place, entry] of worked.entries()) {
    job.onProgress(place + 1, worked.length);
    const file = job.withPictures ? await job.file(entry.key) : null;
    unkept += job.withPictures && file === null ? 1 : 0;
    const name = fitting(names.get(entry.key) ?? entry.name, file);
    const split = held.has(entry.key) ? "val" : "train";
    const nothing = job.format === "mask" && objectsOf(entry).length === 0;
    await out.add({ name, split, labels: nothing ? null : await labelsOf(job, entry, name) });
    if (file) await out.zip.add(out.place(name, split), file);
    job.signal.throwIfAborted();
  }
  return { ...(await out.finish()), pictures: worked.length, left: lackOf(job.entries, worked, unkept) };
}

/** @param {Readonly<Entry>} entry @returns {entry is Worked} it belongs into a file */
function isWorked(entry) {
  return entry.work !== null && !entry.clip && (entry.done || objectsOf(entry).length > 0);
}

/** @param {Readonly<Entry>} entry those of its objects that have a mask */
function objectsOf({ work }) {
  const kept = new Map(work?.masks ?? []);
  return (work?.recipe.objects ?? []).flatMap(({ id, name, color, trail }) => {
    const mask = kept.get(id);
    return mask ? [{ id, name, color, mask, trail }] : []; // what was given goes out as it came in
  });
}

/**
 * What isn't in the file, in words.
 * @param {readonly Readonly<Entry>[]} entries @param {readonly Worked[]} worked @param {number} unkept
 */
function lackOf(entries, worked, unkept) {
  const bare = worked.reduce((sum, entry) => sum + countOf(entry) - objectsOf(entry).length, 0);
  const rough = worked.filter(({ work }) => work.provisional).length;
  const clips = entries.filter(({ clip }) => clip !== undefined).length;
  const rest = entries.length - worked.length - clips;
  return [
    clips > 0 && t("left.clips", { count: clips }),
    rest > 0 && t("left.undone", { count: rest }),
    unkept > 0 && t("left.unkept", { count: unkept }),
    bare > 0 && t("left.bare", { count: bare }),
    rough > 0 && t("left.rough", { count: rough }),
  ].filter((text) => text !== false);
}

/** A picture that was copied for the server has another ending. @param {string} name @param {Blob | null} file */
function fitting(name, file) {
  const isCopy = file !== null && /\.hei[cf]$/i.test(name);
  return isCopy ? name.replace(/\.[^.]+$/, file.type === "image/png" ? ".png" : ".jpg") : name;
}

// ---- one picture

/** What the server makes of the masks of a picture. @param {Job} job @param {Worked} entry @param {string} name */
async function labelsOf({ format, classes, url, signal }, entry, name) {
  const { image_id, width, height, model } = entry.work.recipe;
  const objects = objectsOf(entry).map(({ mask, ...object }) => {
    const runs = base64(mask.runs);
    return { ...object, mask: { ...mask, runs } };
  });
  const body = JSON.stringify({
    format, model, objects, classes: classes.map(({ name: one }) => one), picture: { image_id, width, height, name },
  });
  for (let tries = 1; ; tries += 1) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body, signal }).catch((error) => {
      signal.throwIfAborted();
      throw new Error(t("error.notMade"), { cause: error });
    });
    if (answer.ok) return answer.blob();
    const waits = answer.status === 503 && tries < MAX_TRIES;
    if (!waits) {
      const reply = await answer.json().catch(() => null);
      throw new Error(t("error.ofFile", { file: entry.name, reason: refusalText(reply, answer.status) }));
    }
    const seconds = Number(answer.headers.get("retry-after")) || 1;
    await new Promise((resolve) => { setTimeout(resolve, 1000 * Math.min(seconds, 10)); });
    signal.throwIfAborted();
  }
}

// ---- all of them

/**
 * @typedef {object} Collector of what the server made
 * @property {ZipWriter} zip
 * @property {(name: string, split: Split) => string} place of a picture in the ZIP
 * @property {(labelled: Labelled) => Promise<void>} add
 * @property {() => Promise<Received>} finish
 */

/** @param {Job} job @param {boolean} isSplit some pictures are held back @returns {Collector} */
function collectorOf(job, isSplit) {
  const zip = new ZipWriter();
  switch (job.format) {
    case "coco": return coco(zip, job.withPictures || isSplit);
    case "yolo": return yolo(zip);
    case "labelme": return labelme(zip);
    default: return masks(zip);
  }
}

/**
 * A COCO file, or one for each part of the data in a ZIP. Ids of pictures and objects are in no two files the same.
 * @param {ZipWriter} zip @param {boolean} packed @returns {Collector}
 */
function coco(zip, packed) {
  /** @type {Map<Split, any>} */
  const parts = new Map();
  return {
    zip,
    place: (name) => `images/${name}`,
    async add({ split, labels }) {
      const one = JSON.parse(await /** @type {Blob} */ (labels).text());
      const part = parts.get(split);
      if (!part) return void parts.set(split, one);
      part.images.push(...one.images);
      part.annotations.push(...one.annotations);
      if (one.categories.length > part.categories.length) part.categories = one.categories;
    },
    async finish() {
      const [categories] = [...parts.values()].map((part) => part.categories).sort((a, b) => b.length - a.length);
      for (const [split, part] of parts) {
        const text = JSON.stringify({ ...part, categories });
        if (!packed) return { name: "pictures.coco.json", blob: new Blob([text], { type: "application/json" }) };
        await zip.add(`annotations/instances_${split}.json`, text);
      }
      return { name: "pictures.coco.zip", blob: zip.finish() };
    },
  };
}

/** @param {ZipWriter} zip @returns {Collector} */
function yolo(zip) {
  let yaml = "";
  let isSplit = false;
  return {
    zip,
    place: (name, split) => `images/${split}/${name}`,
    async add({ split, labels }) {
      isSplit ||= split === "val";
      for (const [path, content] of await unzipped(/** @type {Blob} */ (labels))) {
        if (path !== "data.yaml") await zip.add(path.replace("/train/", `/${split}/`), await content());
        else {
          const text = await (await content()).text();
          if (text.length > yaml.length) yaml = text; // all begin alike, and the longest is whole
        }
      }
    },
    async finish() {
      await zip.add("data.yaml", isSplit ? yaml.replace("\nval: images/train\n", "\nval: images/val\n") : yaml);
      return { name: "pictures.yolo.zip", blob: zip.finish() };
    },
  };
}

/** @param {ZipWriter} zip @returns {Collector} */
function labelme(zip) {
  return {
    zip,
    place: (name) => name,
    async add({ name, labels }) {
      await zip.add(`${stemOf(name)}.json`, /** @type {Blob} */ (labels));
    },
    finish: async () => ({ name: "pictures.labelme.zip", blob: zip.finish() }),
  };
}

/** @param {ZipWriter} zip @returns {Collector} */
function masks(zip) {
  return {
    zip,
    place: (name) => `images/${name}`,
    async add({ name, labels }) {
      if (labels === null) return;
      const folder = `masks/${stemOf(name)}`;
      if (labels.type.startsWith("image/")) return zip.add(`${folder}/001.png`, labels);
      for (const [path, content] of await unzipped(labels)) await zip.add(`${folder}/${path}`, await content());
    },
    finish: async () => ({ name: "pictures.masks.zip", blob: zip.finish() }),
  };
}

/** @param {string} name */
function stemOf(name) {
  return name.replace(/\.[^.]*$/, "") || name;
}
