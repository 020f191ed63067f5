/**
 * The files of a drop, those in its folders too.
 */

import { MAX_FILES, parted } from "../model/album.js";

/** @typedef {{ file: File, name: string, folder: string }} Found a file, and the path of its folder */

/** So few numbered pictures are hardly a clip. */
const LEAST_FRAMES = 4;

/**
 * Return the frames of a clip where files are nothing else: all pictures of one folder, numbered one after the other.
 * @template {{ file: Blob, name: string, folder?: string }} T
 * @param {readonly T[]} files
 * @returns {T[]} in their order; none where they may be anything else
 */
export function framesAmong(files) {
  const { pictures } = parted([...files]);
  const names = pictures.map(({ name }) => /^(.*?)([0-9]+)([^0-9]*)$/.exec(name));
  const same = new Set(names.map((parts, place) => JSON.stringify([pictures[place].folder, parts?.[1], parts?.[3]])));
  const numbers = names.map((parts) => Number(parts?.[2])).sort((a, b) => a - b);
  const isCounted = numbers.every((number, place) => number === numbers[0] + place);
  return pictures.length >= LEAST_FRAMES && same.size === 1 && isCounted ? pictures : [];
}

/**
 * Return all files in folders and beside them; where there are too many, one more than are looked at.
 * @param {readonly FileSystemEntry[]} entries
 * @returns {Promise<Found[]>}
 */
export async function filesIn(entries) {
  /** @type {Found[]} */
  const found = [];
  const waiting = [...entries];
  for (let entry = waiting.shift(); entry && found.length <= MAX_FILES; entry = waiting.shift()) {
    if (entry.isDirectory) waiting.push(...await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry)));
    else {
      const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
      if (file) found.push({ file, name: file.name, folder: entry.fullPath.split("/").slice(0, -1).join("/") });
    }
  }
  return found;
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} */
async function entriesOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const found = [];
  for (;;) { // a reader gives some hundred at a time
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve) => { reader.readEntries(resolve, () => resolve([])); });
    if (some.length === 0) return found;
    found.push(...some);
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File | null>} null where it can't be read */
function fileOf(entry) {
  return new Promise((resolve) => { entry.file(resolve, () => resolve(null)); });
}
