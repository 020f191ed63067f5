/**
 * A picture file without the marks that say which way is up. Browsers heed some of these marks and pass over others;
 * without any, every browser decodes the same pixels, and the server says how they are turned. A PNG that moves loses
 * its frames too: where they leave the picture itself out, browsers show the first of them, the server the picture.
 * Pure.
 */

/** @typedef {{ bytes: Uint8Array<ArrayBuffer>, view: DataView, keep: (from: number, to: number) => void }} Walk */

/** Chunks that may hold EXIF or XMP, and those of an animation. */
const PNG_MARKS = new Set(["eXIf", "tEXt", "zTXt", "iTXt", "acTL", "fcTL", "fdAT"]);
const WEBP_MARKS = new Set(["EXIF", "XMP "]);
const WEBP_MARK_FLAGS = 0x08 | 0x04;
const [APP1, START_OF_SCAN, END_OF_IMAGE] = [0xe1, 0xda, 0xd9];

/**
 * Return a file without its marks, the same one where it has none, is of another kind, or can't be walked through.
 * @param {Blob} file @returns {Promise<Blob>}
 */
export async function withoutMarks(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const rest = unmarked(bytes);
  return rest === null ? file : new Blob(rest, { type: file.type });
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes of a file
 * @returns {Uint8Array<ArrayBuffer>[] | null} what is left of it, or null where all is
 */
export function unmarked(bytes) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** @type {Walk["keep"]} */
  const keep = (from, to) => void parts.push(bytes.subarray(from, to));
  const walk = { bytes, view, keep };
  const name = (/** @type {number} */ at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  try {
    if (bytes[0] === 0xff && bytes[1] === 0xd8) walkJpeg(walk);
    else if (name(0) === "\x89PNG") walkPng(walk, name);
    else if (name(0) === "RIFF" && name(8) === "WEBP") return walkWebp(walk, parts, name);
    else return null;
  } catch {
    return null; // cut: whoever decodes it has the word on it
  }
  return parts.reduce((sum, part) => sum + part.length, 0) === bytes.length ? null : parts;
}

/** @param {Walk} walk */
function walkJpeg({ bytes, view, keep }) {
  keep(0, 2);
  let at = 2;
  while (view.getUint8(at) === 0xff && ![START_OF_SCAN, END_OF_IMAGE].includes(bytes[at + 1])) {
    const isFilling = bytes[at + 1] === 0xff;
    const end = isFilling ? at + 1 : at + 2 + view.getUint16(at + 2);
    if (bytes[at + 1] !== APP1) keep(at, end);
    at = end;
  }
  keep(at, bytes.length);
}

/** @param {Walk} walk @param {(at: number) => string} name of the chunk at a place */
function walkPng({ bytes, view, keep }, name) {
  keep(0, 8);
  let at = 8;
  while (at + 12 <= bytes.length) {
    const end = at + 12 + view.getUint32(at);
    if (!PNG_MARKS.has(name(at + 4))) keep(at, end);
    at = end;
  }
  keep(at, bytes.length);
}

/**
 * @param {Walk} walk
 * @param {Uint8Array<ArrayBuffer>[]} parts
 * @param {(at: number) => string} name of the chunk at a place
 */
function walkWebp({ bytes, view, keep }, parts, name) {
  let at = 12;
  let size = 4;
  while (at + 8 <= bytes.length) {
    const end = at + 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) % 2);
    if (!WEBP_MARKS.has(name(at))) {
      keep(at, end);
      size += Math.min(end, bytes.length) - at;
    }
    at = end;
  }
  if (size + 8 >= bytes.length) return null;
  const head = bytes.slice(0, 12);
  new DataView(head.buffer).setUint32(4, size, true);
  return [head, ...parts.map((part) => (String.fromCharCode(...part.subarray(0, 4)) === "VP8X" ? withoutFlags(part) : part))];
}

/** @param {Uint8Array<ArrayBuffer>} part the header of an extended WebP @returns {Uint8Array<ArrayBuffer>} */
function withoutFlags(part) {
  const header = part.slice();
  header[8] &= ~WEBP_MARK_FLAGS;
  return header;
}
