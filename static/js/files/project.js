/**
 * Project files: the work on all pictures, its classes and, if wanted, the pictures, as a ZIP that another browser goes
 * on with. Fetched when it is first wanted.
 */

import { MAX_PICTURES } from "../model/album.js";
import { readRecipe } from "../model/history.js";
import { base64, bytesOf } from "./base64.js";
import { unzipped, ZipWriter } from "./zip.js";
import { t } from "../words/translate.js";

/** @import { ClipFacts, Entry, Work } from "../model/types.ts" */
/** @import { Class, Mask, ObjectId, RecipeObject, UndoStep } from "../wire/messages.ts" */

/** @typedef {() => Promise<Blob>} Reading a file when it is wanted */
/** @typedef {{ entries: Entry[], classes: Class[], files: Map<string, Reading>, over: number }} Project */

const FORMAT = "hoversam-project";
const VERSION = 1;
const LIST = "project.json";
/** A page can't hold a longer list; 500 pictures with 60 objects each take half of it. */
const MAX_LIST_BYTES = 2 ** 28;
/** Of a mask's grid. */
const MAX_SIDE = 2048;
const MAX_PICTURE_SIDE = 2 ** 20;
/** Of a file's hash. */
const KEY = /^[0-9a-f]{64}$/;

/**
 * Write a project.
 * @param {readonly Readonly<Entry>[]} entries @param {readonly Class[]} classes
 * @param {(key: string) => Promise<Blob | null>} file of a picture; null leaves it out
 * @param {(place: number, total: number) => void} onProgress @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export async function projectOf(entries, classes, file, onProgress, signal) {
  const zip = new ZipWriter();
  const pictures = [];
  for (const [place, { key, name, done, work, clip }] of entries.entries()) {
    onProgress(place + 1, entries.length);
    const masks = work?.masks.map(([id, mask]) => [id, { ...mask, runs: base64(mask.runs) }]);
    pictures.push({ key, name, done, work: work && { ...work, masks }, ...(clip ? { clip } : {}) });
    const blob = await file(key);
    if (blob) await zip.add(`pictures/${key}`, blob);
    signal.throwIfAborted();
  }
  await zip.add(LIST, JSON.stringify({ format: FORMAT, version: VERSION, classes, pictures }));
  return zip.finish();
}

/**
 * Read a project; of damaged pictures what is whole is taken.
 * @param {Blob} archive
 * @returns {Promise<Project>}
 * @throws {Error} where it is none, or of another version, in words
 */
export async function readProject(archive) {
  const files = await unzipped(archive);
  const list = await files.get(LIST)?.();
  if (!list) throw new Error(t("project.none"));
  if (list.size > MAX_LIST_BYTES) throw new Error(t("project.tooLong"));
  /** @type {any} */
  let content = null;
  try {
    content = JSON.parse(await list.text());
  } catch {
    // said below
  }
  if (content?.format !== FORMAT) throw new Error(t("project.damaged"));
  if (content.version !== VERSION) {
    const found = String(content.version).slice(0, 20);
    throw new Error(t("project.version", { found, version: VERSION }));
  }
  if (!Array.isArray(content.pictures)) throw new Error(t("project.damaged"));
  const isWhole = (/** @type {any} */ one) => KEY.test(one?.key) && typeof one.name === "string";
  const whole = /** @type {any[]} */ (content.pictures).filter(isWhole);
  const entries = whole.slice(0, MAX_PICTURES).map((one) => ({
    key: one.key, name: one.name, done: one.done === true, work: workOf(one.work), here: false, trouble: null,
    ...clipOf(one.clip),
  }));
  /** @type {Class[]} */
  const classes = (Array.isArray(content.classes) ? content.classes : []).filter(isClass);
  return {
    entries,
    classes: classes.map(({ name, color }) => ({ name, color })),
    files: new Map(entries.flatMap(({ key }) => {
      const reading = files.get(`pictures/${key}`);
      return reading ? [[key, reading]] : [];
    })),
    over: content.pictures.length - entries.length,
  };
}

/**
 * Which part of a clip an entry is; what else is known of it the server says.
 * @param {any} value @returns {{ clip?: ClipFacts }} nothing of a picture
 */
function clipOf(value) {
  if (typeof value !== "object" || value === null) return {};
  const { begin, end, rate } = value.part ?? {};
  return { clip: { part: [begin, end, rate].every(Number.isFinite) ? { begin, end, rate } : null } };
}

/** @param {any} value @returns {value is Class} */
function isClass(value) {
  return typeof value?.name === "string" && value.name !== "" && Number.isInteger(value.color) && value.color >= 0;
}

/** @param {any} value parsed JSON @returns {Work | null} null where it is none */
function workOf(value) {
  const recipe = readRecipe(value?.recipe);
  if (recipe === null) return null;
  const { format, version, image_id, name, width, height, model } = recipe;
  const objects = objectsOf(recipe.objects);
  const known = new Set(objects.map(({ id }) => id));
  const masks = Array.isArray(value.masks) ? /** @type {any[]} */ (value.masks) : [];
  return {
    recipe: {
      format, version, image_id, ...(typeof name === "string" ? { name } : {}), width, height, model, objects,
      past: stepsOf(recipe.past), future: stepsOf(recipe.future),
    },
    active: known.has(value.active) ? value.active : null,
    provisional: value.provisional === true,
    ...(Number.isSafeInteger(value.frame) ? { frame: value.frame } : {}),
    masks: masks.flatMap((one) => {
      const mask = maskOf(one?.[1]);
      return mask && known.has(one[0]) ? [/** @type {[ObjectId, Mask]} */ ([one[0], mask])] : [];
    }),
  };
}

/** @param {any} value @returns {RecipeObject[]} */
function objectsOf(value) {
  if (!Array.isArray(value)) return [];
  return value.filter((one) => Number.isInteger(one?.id) && typeof one.name === "string" && Array.isArray(one.trail))
    .map(({ id, name, color, trail }) => ({ id, name, color: Number.isInteger(color) ? color : 0, trail }));
}

/** @param {any} value @returns {UndoStep[]} */
function stepsOf(value) {
  if (!Array.isArray(value)) return [];
  return value.map((step) => ({
    objects: objectsOf(step?.objects), gone: Array.isArray(step?.gone) ? step.gone.filter(Number.isInteger) : [],
  }));
}

/** @param {any} value @returns {Mask | null} null where it is none that could be drawn */
function maskOf(value) {
  const [size, box] = [value?.size, value?.box];
  if (!areSides(size, 2) || !areSides(box, 4) || typeof value.runs !== "string") return null;
  const [[h, w], [x0, y0, x1, y1]] = [size, box];
  if (x0 > x1 || y0 > y1 || x1 > w || y1 > h) return null;
  const runs = bytesOf(value.runs);
  if (runs === null || sumOf(runs) !== (x1 - x0) * (y1 - y0)) return null;
  const part = value.window ?? null;
  if (part !== null && !(areSides(part, 4, MAX_PICTURE_SIDE) && part[0] < part[2] && part[1] < part[3])) return null;
  const told = { size, box, runs, score: Number(value.score) || 0, area: Number(value.area) || 0 };
  return part === null ? told : { ...told, window: part };
}

/** @param {any} list @param {number} length @param {number} [most] @returns {boolean} it has so many sides of a grid */
function areSides(list, length, most = MAX_SIDE) {
  const isSide = (/** @type {any} */ n) => Number.isInteger(n) && n >= 0 && n <= most;
  return Array.isArray(list) && list.length === length && list.every(isSide);
}

/** The pixels that run lengths make. @param {Uint8Array} runs */
function sumOf(runs) {
  let [sum, part, shift] = [0, 0, 0];
  for (const byte of runs) {
    part += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80) [sum, part, shift] = [sum + part, 0, 0];
  }
  return shift === 0 ? sum : -1;
}
