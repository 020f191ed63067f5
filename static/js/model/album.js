/**
 * The pictures of one work: which there are, what was done on each, and how two works become one. Pure.
 *
 * Not covered: where they are kept (files/album-storage.js), opening them (session/album.js).
 */

import { unnamed } from "./classes.js";
import { ownPart } from "./history.js";

/** @import { Class, Mask, ObjectId, Recipe, RecipeObject, UndoStep } from "../wire/messages.ts" */
/** @import { Album, Entry, KeptWork, Trouble, Work } from "./types.ts" */

/** @typedef {{ file: Blob, name: string, clip?: boolean }} Given `clip`: it is meant as one; videos always are */

/** Pictures that one work takes. */
export const MAX_PICTURES = 500;
/** Files that are looked at for pictures. */
export const MAX_FILES = 5000;
/** Objects that one picture takes, as the server counts them. */
const MAX_OBJECTS = 64;

/** What a file is called that holds a picture; browsers don't know the type of every one. */
const PICTURE_NAME = /\.(jpe?g|jfif|png|apng|webp|gif|bmp|dib|tiff?|avif|hei[cf])$/i;

/** What a file is called that holds a video. */
const VIDEO_NAME = /\.(mp4|m4v|mov|qt|webm|mkv|avi|mpe?g|3gp|ogv)$/i;

/** Tell whether a file is a video, whatever of it can be read. @param {{ name: string, file: Blob }} file */
export function isVideo({ name, file }) {
  return file.type.startsWith("video/") || (file.type === "" && VIDEO_NAME.test(name));
}

/** Tell what a file is worked on as. @param {Given} given @returns {"clip" | "picture"} */
export function kindOf({ file, name, clip = isVideo({ file, name }) }) {
  return clip ? "clip" : "picture";
}

/**
 * The key of a file: its hash; of a picture that is meant as a clip the same backwards, since it may be here as both.
 * @param {string} hash @param {Given} given
 * @param {Album | null} [album] where given: of a clip of which a part is here, another part is meant by now
 */
export function keyOf(hash, { file, name, clip = false }, album = null) {
  const key = clip && !isVideo({ file, name }) ? [...hash].reverse().join("") : hash;
  const turned = Array.from(key, (_, place) => key.slice(place) + key.slice(0, place));
  return turned.find((one) => !(album?.get(one)?.here && album.get(one)?.clip?.part)) ?? key;
}

/**
 * Part pictures and videos from what else lies in a folder. What a system leaves there unseen is not worth a word.
 * @template {{ name: string, file: Blob }} T
 * @param {readonly T[]} files
 * @returns {{ pictures: T[], others: T[] }} each by name, as people count: 2 before 10
 */
export function parted(files) {
  const byName = new Intl.Collator("en", { numeric: true });
  const seen = files.filter(({ name }) => !/^(\.|Thumbs\.db$|desktop\.ini$)/i.test(name))
    .sort((a, b) => byName.compare(a.name, b.name));
  const isPicture = (/** @type {T} */ { name, file }) => file.type.startsWith("image/") || PICTURE_NAME.test(name) || isVideo({ name, file });
  return { pictures: seen.filter(isPicture), others: seen.filter((one) => !isPicture(one)) };
}

/** A picture that just came. @param {string} key @param {string} name @returns {Entry} */
export function newEntry(key, name) {
  return { key, name, done: false, work: null, here: true, trouble: null };
}

/**
 * What is left of a picture whose album the browser threw away: a full disk may cost it all that it kept.
 * @param {KeptWork} work that its tab kept @param {string} key @returns {Entry}
 */
export function remainder({ recipe, active }, key) {
  const work = { recipe: ownPart(recipe), active, masks: [], provisional: false };
  return { ...newEntry(key, recipe.name ?? ""), here: false, work };
}

/**
 * Count a file that the browser didn't keep.
 * @param {{ unkept: number, trouble: Trouble | null }} told @param {Trouble | null} trouble null where it did
 */
export function tally(told, trouble) {
  if (trouble !== null) Object.assign(told, { unkept: told.unkept + 1, trouble });
}

/** How many objects there are. @param {Readonly<Entry>} entry */
export function countOf({ work }) {
  return work?.recipe.objects?.length ?? 0;
}

/**
 * The album with an entry in the place of the one of its key, else at the end.
 * @param {Album} album @param {Readonly<Entry>} entry
 * @returns {Album}
 */
export function withEntry(album, entry) {
  return new Map(album).set(entry.key, entry);
}

/** @param {Album} album @param {string} key @returns {Album} */
export function without(album, key) {
  return new Map([...album].filter(([one]) => one !== key));
}

/** How far the work is. @param {Album} album @returns {{ done: number, objects: number, total: number }} */
export function progressOf(album) {
  const entries = [...album.values()];
  return {
    done: entries.filter(({ done }) => done).length,
    objects: entries.reduce((sum, entry) => sum + countOf(entry), 0),
    total: entries.length,
  };
}

/**
 * The picture before or after another one.
 * @param {Album} album
 * @param {string | null} from its key
 * @param {1 | -1} step
 * @param {(entry: Readonly<Entry>) => boolean} [meant] others are passed over
 * @returns {string | null} null beyond either end
 */
export function neighbour(album, from, step, meant = () => true) {
  const keys = [...album.keys()];
  const start = from === null ? (step === 1 ? -1 : keys.length) : keys.indexOf(from);
  for (let at = start + step; at >= 0 && at < keys.length; at += step) {
    const entry = album.get(keys[at]);
    if (entry && meant(entry)) return keys[at];
  }
  return null;
}

// ---- the work on one picture

/**
 * Rename a class in the work on a picture, undo steps and all.
 * @param {Work} work
 * @param {string} name of the class; empty where what has none is meant
 * @param {string} to its new name; empty where its objects are to have no class
 * @param {ReadonlySet<ObjectId>} [only] these objects
 * @returns {{ work: Work, ids: Set<ObjectId> }} and which objects are another now
 */
export function renamedIn(work, name, to, only) {
  /** @type {Set<ObjectId>} */
  const ids = new Set();
  /** @param {RecipeObject} object @returns {RecipeObject} */
  const renamed = (object) => {
    if (object.name !== (name || unnamed(object)) || (only && !only.has(object.id))) return object;
    ids.add(object.id);
    return { ...object, name: to || unnamed(object) };
  };
  return { work: { ...work, recipe: everyObject(work.recipe, renamed) }, ids };
}

/** @param {Recipe} recipe @param {(object: RecipeObject) => RecipeObject} change @returns {Recipe} */
function everyObject(recipe, change) {
  /** @param {readonly UndoStep[]} [steps] */
  const changed = (steps = []) => steps.map((step) => ({ ...step, objects: (step.objects ?? []).map(change) }));
  return {
    ...recipe, objects: (recipe.objects ?? []).map(change), past: changed(recipe.past), future: changed(recipe.future),
  };
}

/**
 * The classes of all pictures that a list lacks: one that was put in its place may not know them.
 * @param {Album} album @param {readonly Class[]} classes
 * @returns {Class[]} in the order of the pictures, each in the colour of its first object
 */
export function missingClasses(album, classes) {
  const known = new Set(classes.map(({ name }) => name));
  /** @type {Map<string, Class>} */
  const found = new Map();
  for (const { work } of album.values()) {
    for (const object of work?.recipe.objects ?? []) {
      const { name, color } = object;
      if (name !== "" && name !== unnamed(object) && !known.has(name) && !found.has(name)) found.set(name, { name, color });
    }
  }
  return [...found.values()];
}

// ---- two works become one

/**
 * One work of two on the same picture: the objects of the other come after one's own, but for those that are the same.
 * @param {Work | null} own @param {Work | null} other
 * @returns {{ work: Work | null, left: number }} how many of the other's objects found no room
 */
export function joined(own, other) {
  if (own === null || other === null) return { work: own ?? other, left: 0 };
  const mine = own.recipe.objects ?? [];
  const known = new Set(mine.map(alike));
  const steps = [...(own.recipe.past ?? []), ...(own.recipe.future ?? [])].flatMap(({ objects = [] }) => objects);
  let id = Math.max(0, ...[...mine, ...steps].map((object) => object.id));
  const masks = new Map(other.masks);
  const news = (other.recipe.objects ?? []).filter((object) => !known.has(alike(object)));
  const taken = news.slice(0, Math.max(0, MAX_OBJECTS - mine.length));
  /** @type {[ObjectId, Mask][]} */
  const shown = [];
  const objects = taken.map((object) => {
    id += 1;
    const mask = masks.get(object.id);
    if (mask) shown.push([id, mask]);
    return { ...object, id, name: object.name === unnamed(object) ? unnamed({ id }) : object.name };
  });
  const recipe = { ...own.recipe, objects: [...mine, ...objects] };
  const provisional = own.provisional || (other.provisional && shown.length > 0);
  return { work: { ...own, recipe, masks: [...own.masks, ...shown], provisional }, left: news.length - taken.length };
}

/** What is the same in two works is one object. @param {RecipeObject} object */
function alike({ id, name, trail }) {
  return JSON.stringify([name === unnamed({ id }) ? "" : name, trail]);
}

/**
 * One album of two.
 * @param {Album} own @param {Iterable<Readonly<Entry>>} others
 * @returns {{ album: Album, changed: string[], left: number, over: number }} the keys of entries that are new or
 *   changed, how many objects and how many pictures found no room
 */
export function merged(own, others) {
  const album = new Map(own);
  const changed = [];
  let [left, over] = [0, 0];
  for (const other of others) {
    const mine = album.get(other.key);
    if (!mine && album.size >= MAX_PICTURES) {
      over += 1;
      continue;
    }
    const both = joined(mine?.work ?? null, other.work);
    left += both.left;
    const base = mine ?? other;
    album.set(other.key, { ...base, work: both.work, done: base.done || other.done, here: base.here || other.here });
    changed.push(other.key);
  }
  return { album, changed, left, over };
}

// ---- files of all pictures

/**
 * Which pictures a training looks at, and which it is judged by: as many as wanted, and the same ones again when others
 * are added, since it is the picture's own hash that decides.
 * @param {readonly string[]} keys
 * @param {number} share of pictures to judge by, 0 to 1
 * @returns {Set<string>} the keys of those; at least one, and never all, where a share is wanted and there are two
 */
export function heldBack(keys, share) {
  if (share <= 0 || keys.length < 2) return new Set();
  const count = Math.min(keys.length - 1, Math.max(1, Math.round(keys.length * share)));
  return new Set(keys.toSorted().slice(0, count));
}

/**
 * A file name for each picture, each once, whatever folders they came from: where two have one, a part of its hash is
 * added. Names that differ by capitals or by what comes after the last dot would be one file somewhere.
 * @param {readonly Readonly<Entry>[]} entries
 * @returns {Map<string, string>} by key
 */
export function fileNames(entries) {
  const stem = (/** @type {string} */ name) => name.replace(/\.[^.]*$/, "") || name;
  const alikes = new Map();
  for (const { name } of entries) {
    const one = stem(name).normalize("NFC").toLowerCase();
    alikes.set(one, (alikes.get(one) ?? 0) + 1);
  }
  return new Map(entries.map(({ key, name }) => {
    if ((alikes.get(stem(name).normalize("NFC").toLowerCase()) ?? 0) < 2) return [key, name];
    return [key, `${stem(name)}-${key.slice(0, 8)}${name.slice(stem(name).length)}`];
  }));
}
