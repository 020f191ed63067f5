/**
 * A msgpack codec for the protocol's subset: nil, bool, int, float, str, bin, array and map with string keys.
 *
 * Every length is checked against the bytes that are there before anything is allocated. Not covered:
 * extension types, timestamps, keys that aren't strings, integers beyond 2^53.
 */

const MAX_DEPTH = 16;
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** The bytes aren't msgpack of our subset, or the value can't be written in it. */
export class MsgpackError extends Error {}

class Writer {
  bytes = new Uint8Array(256);
  view = new DataView(this.bytes.buffer);
  length = 0;

  /** Make room for `count` more bytes and return where they begin. @param {number} count */
  reserve(count) {
    const start = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return start;
  }

  /** @param {number} byte */
  u8(byte) {
    const at = this.reserve(1);
    this.bytes[at] = byte;
  }

  /**
   * Write a tag and a whole number in its narrowest width: two's complement, so that a sign needs no case of its own.
   * @param {number} tag of one byte; the tags of 2, 4 and 8 bytes follow it
   * @param {number} width bytes
   * @param {number} value
   */
  tagged(tag, width, value) {
    this.u8(tag + Math.log2(width));
    const at = this.reserve(width);
    if (width === 1) this.view.setUint8(at, value);
    else if (width === 2) this.view.setUint16(at, value);
    else if (width === 4) this.view.setUint32(at, value);
    else this.view.setBigInt64(at, BigInt(value));
  }

  /** @param {Uint8Array} raw */
  raw(raw) {
    const at = this.reserve(raw.length);
    this.bytes.set(raw, at);
  }
}

/** @param {number} value from 0 @returns {number} bytes that an unsigned integer takes */
function widthOf(value) {
  if (value < 0x100) return 1;
  return value < 0x10000 ? 2 : value < 0x100000000 ? 4 : 8;
}

/** @param {Writer} out @param {number} value */
function writeNumber(out, value) {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    out.u8(0xcb);
    const at = out.reserve(8);
    out.view.setFloat64(at, value);
  } else if (value >= -0x20 && value < 0x80) out.u8(value & 0xff);
  else if (value >= 0) out.tagged(0xcc, widthOf(value), value);
  else out.tagged(0xd0, widthOf(-2 * value - 1), value);
}

/**
 * What begins something that has a length: the short form and up to which length, the tag and width of the narrowest
 * long one.
 */
const STR = { fix: 0xa0, fixMax: 31, tag: 0xd9, least: 1 };
const BIN = { fix: 0, fixMax: -1, tag: 0xc4, least: 1 };
const ARRAY = { fix: 0x90, fixMax: 15, tag: 0xdb, least: 2 };
const MAP = { fix: 0x80, fixMax: 15, tag: 0xdd, least: 2 };

/** @param {Writer} out @param {number} length @param {typeof STR} kind */
function writeHeader(out, length, kind) {
  if (length <= kind.fixMax) out.u8(kind.fix | length);
  else out.tagged(kind.tag, Math.max(kind.least, widthOf(length)), length);
}

/** @param {Writer} out @param {unknown} value @param {number} depth */
function write(out, value, depth) {
  if (depth > MAX_DEPTH) throw new MsgpackError(`nested deeper than ${MAX_DEPTH}`);
  if (value === null) out.u8(0xc0);
  else if (typeof value === "boolean") out.u8(value ? 0xc3 : 0xc2);
  else if (typeof value === "number") writeNumber(out, value);
  else if (typeof value === "string") {
    const text = utf8.encode(value);
    writeHeader(out, text.length, STR);
    out.raw(text);
  } else if (value instanceof Uint8Array) {
    writeHeader(out, value.length, BIN);
    out.raw(value);
  } else if (Array.isArray(value)) {
    writeHeader(out, value.length, ARRAY);
    for (const item of value) write(out, item, depth + 1);
  } else if (typeof value === "object") writeMap(out, /** @type {object} */ (value), depth);
  else throw new MsgpackError(`can't write a ${typeof value}`);
}

/** Fields that are undefined are left out. @param {Writer} out @param {object} map @param {number} depth */
function writeMap(out, map, depth) {
  const entries = Object.entries(map).filter(([, value]) => value !== undefined);
  writeHeader(out, entries.length, MAP);
  for (const [key, value] of entries) {
    write(out, key, depth + 1);
    write(out, value, depth + 1);
  }
}

/**
 * Return the msgpack bytes of a value. Whole numbers become ints, others float64.
 * @param {unknown} value of the subset; map fields that are undefined are left out
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {MsgpackError} on a function, symbol, bigint or undefined, or nesting deeper than 16
 */
export function encode(value) {
  const out = new Writer();
  write(out, value, 0);
  return out.bytes.slice(0, out.length);
}

class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** Step over `count` bytes and return where they begin. @param {number} count */
  take(count) {
    const start = this.at;
    if (count > this.bytes.length - start) throw new MsgpackError(`cut short at byte ${this.bytes.length}`);
    this.at += count;
    return start;
  }

  /** @param {1 | 2 | 4} width bytes */
  uint(width) {
    const at = this.take(width);
    if (width === 1) return this.view.getUint8(at);
    return width === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  /** @param {bigint} value */
  static safe(value) {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new MsgpackError(`integer ${value} is beyond 2^53`);
    return number;
  }

  /** @param {number} length */
  text(length) {
    const at = this.take(length);
    try {
      return strictUtf8.decode(this.bytes.subarray(at, at + length));
    } catch {
      throw new MsgpackError(`text at byte ${at} isn't UTF-8`);
    }
  }

  /** A copy, so that it doesn't keep the whole message alive. @param {number} length */
  bin(length) {
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }

  /** @param {number} length @param {number} depth @returns {unknown[]} */
  array(length, depth) {
    this.room(length);
    return Array.from({ length }, () => this.value(depth + 1));
  }

  /** @param {number} length @param {number} depth @returns {Record<string, unknown>} */
  map(length, depth) {
    this.room(2 * length);
    /** @type {Record<string, unknown>} */
    const map = Object.create(null);
    for (let i = 0; i < length; i += 1) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw new MsgpackError("a key isn't a string");
      map[key] = this.value(depth + 1);
    }
    return map;
  }

  /** Every item takes a byte at least, so a longer count is a lie. @param {number} items */
  room(items) {
    if (items > this.bytes.length - this.at) throw new MsgpackError(`announces ${items} items, has fewer bytes`);
  }

  /** @param {number} depth @returns {unknown} */
  value(depth) {
    if (depth > MAX_DEPTH) throw new MsgpackError(`nested deeper than ${MAX_DEPTH}`);
    const tag = this.uint(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.map(tag & 0x0f, depth);
    if (tag < 0xa0) return this.array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.text(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    return this.tagged(tag, depth);
  }

  /** @param {number} tag 0xc0 to 0xdf @param {number} depth @returns {unknown} */
  tagged(tag, depth) {
    switch (tag) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.bin(this.uint(1));
      case 0xc5: return this.bin(this.uint(2));
      case 0xc6: return this.bin(this.uint(4));
      case 0xca: return this.view.getFloat32(this.take(4));
      case 0xcb: return this.view.getFloat64(this.take(8));
      case 0xcc: return this.uint(1);
      case 0xcd: return this.uint(2);
      case 0xce: return this.uint(4);
      case 0xcf: return Reader.safe(this.view.getBigUint64(this.take(8)));
      case 0xd0: return this.view.getInt8(this.take(1));
      case 0xd1: return this.view.getInt16(this.take(2));
      case 0xd2: return this.view.getInt32(this.take(4));
      case 0xd3: return Reader.safe(this.view.getBigInt64(this.take(8)));
      case 0xd9: return this.text(this.uint(1));
      case 0xda: return this.text(this.uint(2));
      case 0xdb: return this.text(this.uint(4));
      case 0xdc: return this.array(this.uint(2), depth);
      case 0xdd: return this.array(this.uint(4), depth);
      case 0xde: return this.map(this.uint(2), depth);
      case 0xdf: return this.map(this.uint(4), depth);
      default: throw new MsgpackError(`type 0x${tag.toString(16)} isn't part of the protocol`);
    }
  }
}

/**
 * Return the one value that the bytes hold.
 * @param {Uint8Array} bytes
 * @returns {unknown}
 * @throws {MsgpackError} where the bytes are cut, have something after the value, or leave the subset
 */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) throw new MsgpackError(`${bytes.length - reader.at} bytes after the value`);
  return value;
}
