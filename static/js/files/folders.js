/**
 * The files of a drop, those in its folders too.
 */

import { MAX_FILES } from "../model/album.js";

/**
 * Return all files in folders and beside them; where there are too many, one more than are looked at.
 * @param {readonly FileSystemEntry[]} entries
 * @returns {Promise<{ file: File, name: string }[]>}
 */
export async function filesIn(entries) {
  /** @type {{ file: File, name: string }[]} */
  const found = [];
  const waiting = [...entries];
  for (let entry = waiting.shift(); entry && found.length <= MAX_FILES; entry = waiting.shift()) {
    if (entry.isDirectory) waiting.push(...await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry)));
    else {
      const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
      if (file) found.push({ file, name: file.name });
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
