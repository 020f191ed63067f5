/**
 * The messages of the wire protocol, version 1: one typedef each, encode and decode.
 *
 * Not covered: sending them (connection.js), what they do to the page (state.js).
 */

import { decode, encode } from "./msgpack.js";

export const VERSION = 1;
export const SUBPROTOCOL = "hoversam.v1";

/** @typedef {0 | 1} Label 1 adds, 0 takes away */
/** @typedef {number} ObjectId */
/** @typedef {[x: number, y: number, label: Label]} Point pixels of the upright image */
/** @typedef {[x0: number, y0: number, x1: number, y1: number]} Box pixels, end exclusive for a mask's crop */

/**
 * @typedef {object} Mask run lengths inside a crop of a grid that covers the whole image
 * @property {[h: number, w: number]} size the grid
 * @property {Box} box the crop, in grid cells, end exclusive; all zero for an empty mask
 * @property {Uint8Array} runs LEB128 run lengths, row-major, background first
 * @property {number} score the model's own predicted IoU
 * @property {number} area pixels of the image
 */

/** @typedef {{ t: "hello", version: number, session?: string, token?: string, client?: string }} Hello */
/** @typedef {{ t: "point", x: number, y: number, label?: Label, pick?: number } | { t: "box", box: Box, pick?: number }} TrailStep what made an object, with the candidate that was picked after it */
/** @typedef {{ id: ObjectId, name: string, color: number, trail: TrailStep[] }} RecipeObject an object without its masks */
/** @typedef {{ objects?: RecipeObject[], gone?: ObjectId[] }} UndoStep what one undo or redo does */
/** @typedef {{ format: "hoversam-recipe", version: 1, image_id: string, name?: string, width: number, height: number, model: string, objects?: RecipeObject[], past?: UndoStep[], future?: UndoStep[] }} Recipe what makes a session again; the next undo or redo comes last */
/** @typedef {{ t: "open", image_id: string, name?: string, recipe?: Recipe, provisional?: boolean }} Open nano may answer until the model has seen it, if `provisional` */
/** @typedef {{ t: "hover", x: number, y: number, label: Label, object?: ObjectId, ack?: number }} Hover */
/** @typedef {{ t: "click", x: number, y: number, label: Label, object?: ObjectId, candidate?: number }} Click `candidate` is the one that was shown there */
/** @typedef {{ t: "box", box: Box, object?: ObjectId }} BoxPrompt */
/** @typedef {{ t: "move", object: ObjectId, point: number, x: number, y: number }} Move */
/** @typedef {{ t: "unpoint", object: ObjectId, point: number }} Unpoint */
/** @typedef {{ t: "choose", object: ObjectId, candidate: number }} Choose */
/** @typedef {{ t: "label", object: ObjectId, name: string }} Rename */
/** @typedef {{ t: "delete", object: ObjectId }} Delete */
/** @typedef {{ t: "leave" } | { t: "clear" } | { t: "undo" } | { t: "redo" }} Plain */
/** @typedef {{ t: "model", name: string }} SwitchModel */
/** @typedef {"coco" | "yolo" | "labelme" | "svg" | "mask" | "cutout" | "overlay" | "recipe"} ExportFormat */
/** @typedef {{ t: "export", format: ExportFormat, objects?: ObjectId[] }} Export */
/** @typedef {{ t: "ping", at: number }} Ping */
/** @typedef {Open | Click | BoxPrompt | Move | Unpoint | Choose | Rename | Delete | Plain | SwitchModel | Export} Request answered, but for leave */
/** @typedef {(Request | Hover) & { seq: number }} Numbered */
/** @typedef {Hello | Ping | Numbered} ClientMessage */

/** @typedef {{ max_upload_bytes?: number, max_points?: number, max_objects?: number }} Limits */
/** @typedef {{ name: string, params_m: number, available: boolean, bundled: boolean, fetchable?: boolean }} ModelInfo */
/** @typedef {{ t: "welcome", version: number, session: string, token: string, resumed: boolean, model: string, models?: ModelInfo[], limits?: Limits }} Welcome */
/** @typedef {{ t: "progress", seq: number, stage: string, position?: number | null, fraction?: number | null }} Progress */
/** @typedef {{ t: "image", seq: number, image_id: string, width: number, height: number, model: string, cached: boolean, encode_ms: number, orientation?: number, rendered?: boolean, provisional?: boolean, last?: boolean }} ImageReady */
/** @typedef {{ t: "preview", seq: number, x: number, y: number, object?: ObjectId | null, best: number, masks: Mask[], provisional?: boolean }} PreviewMessage */
/** @typedef {{ t: "object", seq: number, id: ObjectId, name: string, color: number, points: Point[], box?: Box | null, trail?: TrailStep[], chosen: number, masks: Mask[], can_undo: boolean, can_redo: boolean, provisional?: boolean, last?: boolean }} ObjectMessage `last` ends an answer */
/** @typedef {{ t: "gone", seq: number, objects: ObjectId[], can_undo: boolean, can_redo: boolean, last?: boolean }} Gone */
/** @typedef {{ t: "file", seq: number, name: string, media_type: string, data: Uint8Array<ArrayBuffer>, url?: string | null }} FileMessage a large one has no data, and an address under the server’s */
/** @typedef {{ t: "pong", at: number, queue_ms: number, decode_ms: number }} Pong */
/** @typedef {{ t: "error", seq?: number | null, code: string, message: string, fatal: boolean, retry_after?: number | null }} ErrorMessage */
/** @typedef {Welcome | Progress | ImageReady | PreviewMessage | ObjectMessage | Gone | FileMessage | Pong | ErrorMessage} ServerMessage */

/** The fields that the page relies on, and their kinds. @type {Record<string, Record<string, string>>} */
const REQUIRED = {
  welcome: { session: "string", token: "string", resumed: "boolean", model: "string" },
  progress: { seq: "number", stage: "string" },
  image: { seq: "number", image_id: "string", width: "number", height: "number", model: "string" },
  preview: { seq: "number", best: "number", masks: "array" },
  object: { seq: "number", id: "number", name: "string", color: "number", points: "array", chosen: "number", masks: "array" },
  gone: { seq: "number", objects: "array" },
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
  if (kindOf(value) !== "object" || value === null) throw new Error("a message must be a map");
  const message = /** @type {Record<string, unknown>} */ (value);
  const type = String(message.t);
  if (!Object.hasOwn(REQUIRED, type)) return null;
  for (const [field, kind] of Object.entries(REQUIRED[type])) {
    if (kindOf(message[field]) !== kind) throw new Error(`${type}.${field} must be a ${kind}`);
  }
  return /** @type {ServerMessage} */ (/** @type {unknown} */ (message));
}

/** The protocol bounds names; a file may have a longer one. @param {string} name */
export function clipName(name) {
  return [...name].slice(0, 200).join("");
}
