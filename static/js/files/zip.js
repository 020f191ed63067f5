/**
 * ZIP archives: written without compressing, since pictures are compressed already, and read however they were written.
 *
 * Decision: an archive is a list of blobs. Context: an album of 500 pictures takes 2 GB, more than a page may hold.
 * Choice: what comes from the disk stays there, and the browser puts the parts together while it saves. Price: no
 * archive is larger than 4 GB, which an older ZIP can't say.
 */

import { t } from "../words/translate.js";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Names are in UTF-8. */
const UTF8 = 0x0800;
const STORED = 0;
const DEFLATED = 8;
/** An end record and the longest comment after it. */
const MAX_TAIL_BYTES = 22 + 0xffff;
const MAX_ENTRIES = 0xfffe;
const MAX_BYTES = 0xffff_fffe;

/** @typedef {{ name: string, blob: Blob, crc: number, at: number }} Written */

export class ZipWriter {
  /** @type {BlobPart[]} */
  #parts = [];
  /** @type {Written[]} */
  #written = [];
  #bytes = 0;
  #table = tableOf();

  /**
   * Add a file; its bytes are read once, for their checksum, and left where they are.
   * @param {string} name with its folders
   * @param {Blob | string} content
   * @throws {Error} where an archive has no room for it
   */
  async add(name, content) {
    const blob = typeof content === "string" ? new Blob([content]) : content;
    const encoded = new TextEncoder().encode(name);
    const size = this.#bytes + 2 * (46 + encoded.length) + blob.size;
    if (size > MAX_BYTES || this.#written.length >= MAX_ENTRIES) {
      throw new Error(t("zip.tooLarge"));
    }
    const file = { name, blob, crc: await crcOf(blob, this.#table), at: this.#bytes };
    this.#written.push(file);
    this.#append(headerOf(file, encoded, false), encoded, blob);
  }

  /** @returns {Blob} the archive */
  finish() {
    const begins = this.#bytes;
    for (const file of this.#written) {
      const encoded = new TextEncoder().encode(file.name);
      this.#append(headerOf(file, encoded, true), encoded);
    }
    const end = new DataView(new ArrayBuffer(22));
    end.setUint32(0, END, true);
    end.setUint16(8, this.#written.length, true);
    end.setUint16(10, this.#written.length, true);
    end.setUint32(12, this.#bytes - begins, true);
    end.setUint32(16, begins, true);
    return new Blob([...this.#parts, end], { type: "application/zip" });
  }

  /** @param {(Uint8Array<ArrayBuffer> | Blob)[]} parts */
  #append(...parts) {
    this.#parts.push(...parts);
    for (const part of parts) this.#bytes += part instanceof Blob ? part.size : part.length;
  }
}

/**
 * @param {Written} file @param {Uint8Array} encoded its name
 * @param {boolean} central in the list at the end, not before the file itself
 * @returns {Uint8Array<ArrayBuffer>}
 */
function headerOf({ blob, crc, at }, encoded, central) {
  const view = new DataView(new ArrayBuffer(central ? 46 : 30));
  const shift = central ? 2 : 0;
  view.setUint32(0, central ? CENTRAL : LOCAL, true);
  view.setUint16(4, 20, true); // the version that made it, or that it needs: 2.0
  if (central) view.setUint16(6, 20, true);
  view.setUint16(6 + shift, UTF8, true);
  view.setUint16(8 + shift, STORED, true);
  view.setUint16(12 + shift, (1 << 5) | 1, true); // 1980-01-01: the same work is the same file
  view.setUint32(14 + shift, crc, true);
  view.setUint32(18 + shift, blob.size, true);
  view.setUint32(22 + shift, blob.size, true);
  view.setUint16(26 + shift, encoded.length, true);
  if (central) view.setUint32(42, at, true);
  return new Uint8Array(view.buffer);
}

/** @param {Blob} blob @param {Int32Array} table @returns {Promise<number>} its CRC-32 */
async function crcOf(blob, table) {
  let crc = ~0;
  for await (const piece of piecesOf(blob.stream())) {
    for (const byte of piece) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** @returns {Int32Array} what each byte makes of a CRC-32 */
function tableOf() {
  return Int32Array.from({ length: 256 }, (_, n) => {
    let rest = n;
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });
}

/**
 * Return the files of an archive by their names; each is read when it is wanted.
 * @param {Blob} archive
 * @returns {Promise<Map<string, () => Promise<Blob>>>} without folders
 * @throws {Error} where it is none, or damaged
 */
export async function unzipped(archive) {
  const tailAt = Math.max(0, archive.size - MAX_TAIL_BYTES);
  const tail = new DataView(await archive.slice(tailAt).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw new Error(t("zip.none"));
  const count = tail.getUint16(end + 10, true);
  const [size, begins] = [12, 16].map((at) => tail.getUint32(end + at, true));
  if (begins + size > archive.size || count > MAX_ENTRIES) throw new Error(t("zip.tooDamaged"));
  const list = new DataView(await archive.slice(begins, begins + size).arrayBuffer());
  /** @type {Map<string, () => Promise<Blob>>} */
  const files = new Map();
  try {
    for (let n = 0, at = 0; n < count; n += 1) {
      if (list.getUint32(at, true) !== CENTRAL) throw new RangeError();
      const method = list.getUint16(at + 10, true);
      const [packed, whole, offset] = [20, 24, 42].map((field) => list.getUint32(at + field, true));
      const length = list.getUint16(at + 28, true);
      const name = new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, length));
      if (!name.endsWith("/")) files.set(name, () => contentOf(archive, { name, method, packed, whole, offset }));
      at += 46 + length + list.getUint16(at + 30, true) + list.getUint16(at + 32, true);
    }
  } catch {
    throw new Error(t("zip.damaged"));
  }
  return files;
}

/**
 * @param {Blob} archive
 * @param {{ name: string, method: number, packed: number, whole: number, offset: number }} file
 * @returns {Promise<Blob>}
 * @throws {Error} where it can't be read, or holds more than it says
 */
async function contentOf(archive, { name, method, packed, whole, offset }) {
  const header = new DataView(await archive.slice(offset, offset + 30).arrayBuffer());
  if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL) throw new Error(t("zip.damagedFile", { file: name }));
  const begins = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const raw = archive.slice(begins, begins + packed);
  if (method === STORED) return raw;
  if (method !== DEFLATED) throw new Error(t("zip.packed", { file: name }));
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let bytes = 0;
  try {
    for await (const piece of piecesOf(raw.stream().pipeThrough(new DecompressionStream("deflate-raw")))) {
      bytes += piece.length;
      if (bytes > whole) throw new RangeError(); // a small file that unpacks to a disk full of nothing
      parts.push(piece);
    }
  } catch {
    throw new Error(t("zip.damagedFile", { file: name }));
  }
  return new Blob(parts);
}

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>>} what Safari's streams don't give by themselves
 */
async function* piecesOf(stream) {
  const reader = stream.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) if (value) yield value;
}
