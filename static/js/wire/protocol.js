/**
 * The frames of the wire protocol, version 1: messages to bytes and back, checked for what the page relies on. Their
 * types are in messages.ts.
 */

import { decode, encode } from "./msgpack.js";

/** @import { ClientMessage, ServerMessage } from "./messages.ts" */

export const VERSION = 1;
export const SUBPROTOCOL = "hoversam.v1";

/** The fields that the page relies on, and their kinds. @type {Record<string, Record<string, string>>} */
const REQUIRED = {
  welcome: { session: "string", token: "string", resumed: "boolean", model: "string" },
  progress: { seq: "number", stage: "string" },
  clip: { seq: "number", clip_id: "string", width: "number", height: "number", times: "array", duration: "number" },
  masks: { seq: "number", frame: "number", objects: "array" },
  tracked: { seq: "number", done: "number", frames: "number" },
  image: { seq: "number", image_id: "string", width: "number", height: "number", model: "string" },
  preview: { seq: "number", best: "number", masks: "array" },
  object: { seq: "number", id: "number", name: "string", color: "number", points: "array", chosen: "number", masks: "array" },
  classes: { seq: "number", classes: "array" },
  gone: { seq: "number", objects: "array" },
  regions: { seq: "number", regions: "array" },
  window: { seq: "number" },
  file: { seq: "number", name: "string", media_type: "string", data: "bytes" },
  pong: { at: "number" },
  error: { code: "string", message: "string" },
};

/** @param {unknown} value */
function kindOf(value) {
  if (Array.isArray(value)) return "array";
  return value instanceof Uint8Array ? "bytes" : typeof value;
}

/** @param {ClientMessage} message @returns {Uint8Array<ArrayBuffer>} one binary frame */
export function encodeMessage(message) {
  return encode(message);
}

/**
 * Return the server's message, or null for a type that this page doesn't know (a newer server may send one).
 * @param {Uint8Array} bytes one binary frame
 * @returns {ServerMessage | null}
 * @throws {Error} where it isn't msgpack of the subset or a field that the page relies on is missing
 */
export function decodeMessage(bytes) {
  const value = decode(bytes);
  if (kindOf(value) !== "object" || value === null) throw new TypeError("a message must be a map");
  const message = /** @type {Record<string, unknown>} */ (value);
  const type = String(message.t);
  if (!Object.hasOwn(REQUIRED, type)) return null;
  for (const [field, kind] of Object.entries(REQUIRED[type])) {
    if (kindOf(message[field]) !== kind) throw new TypeError(`${type}.${field} must be a ${kind}`);
  }
  return /** @type {ServerMessage} */ (/** @type {unknown} */ (message));
}

/** The protocol bounds names; a file may have a longer one. @param {string} name */
export function clipName(name) {
  return [...name].slice(0, 200).join("");
}
