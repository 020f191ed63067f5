/**
 * What the page knows, as one plain object, and what each server message does to it. Pure.
 *
 * Not covered: sending (studio.js), drawing (render.js).
 */

import { covers } from "./masks.js";

/** @import { Gone, ImageReady, Mask, ObjectId, ObjectMessage, PreviewMessage } from "./protocol.js" */

/** @typedef {"connecting" | "ready" | "waiting" | "ended"} Connection */
/** @typedef {"uploading" | "queued" | "decoding" | "encoding" | "downloading"} Stage */

/**
 * @typedef {object} Picture
 * @property {string} name of the file; text, never markup
 * @property {Blob} file kept to open the picture again where the server lost it
 * @property {CanvasImageSource | null} bitmap upright; null where this browser can't show it
 * @property {number} width pixels, upright
 * @property {number} height pixels, upright
 */

/** @typedef {Picture & { imageId: string, encodeMs: number, cached: boolean }} OpenPicture */
/** @typedef {Picture & { stage: Stage, fraction: number | null, position: number | null }} PendingPicture */
/** @typedef {Omit<ObjectMessage, "t" | "seq" | "can_undo" | "can_redo">} ObjectState */
/** @typedef {{ seq: number, mask: Mask, object: ObjectId | null }} Preview */

/**
 * @typedef {object} State
 * @property {Connection} connection
 * @property {number | null} roundTripMs of the last ping
 * @property {string} model name of the model that runs
 * @property {boolean} byTouch the person points with fingers: other words for the same thing
 * @property {OpenPicture | null} picture the one that the server has open
 * @property {PendingPicture | null} pending the one on its way there; shown in its place
 * @property {boolean} restoring the picture and its prompts are being sent to a new session
 * @property {Map<ObjectId, ObjectState>} objects oldest first
 * @property {number} nextColor palette index that the next new object is likely to get
 * @property {ObjectId | null} active the object that the next click refines
 * @property {Preview | null} preview the mask under the pointer
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 * @property {boolean} removing the tool takes away instead of adding
 * @property {string | null} notice what went wrong, in the server's words
 */

/** @param {string} model @param {boolean} [byTouch] @returns {State} */
export function initialState(model, byTouch = false) {
  return {
    connection: "connecting",
    roundTripMs: null,
    model,
    byTouch,
    picture: null,
    pending: null,
    restoring: false,
    objects: new Map(),
    nextColor: 0,
    active: null,
    preview: null,
    canUndo: false,
    canRedo: false,
    removing: false,
    notice: null,
  };
}

/** @param {State} state @returns {boolean} prompts make sense now */
export function isArmed(state) {
  return state.picture !== null && state.pending === null && !state.restoring;
}

/** The picture to draw: the one on its way as soon as the browser can show it. @param {State} state @returns {PendingPicture | OpenPicture | null} */
export function shownPicture(state) {
  return state.pending && state.pending.width > 0 ? state.pending : state.picture;
}

/** The chosen candidate of an object. @param {ObjectState} object @returns {Mask | undefined} */
export function maskOf(object) {
  return object.masks[object.chosen] ?? object.masks[0];
}

/**
 * A picture is open on the server: the one that was asked for, or the same one again (resumed, another model).
 * What answers neither is late news of a picture that was given up.
 * @param {State} state @param {ImageReady} message @param {boolean} expected it answers a request of ours
 */
export function applyImage(state, message, expected) {
  const known = state.picture?.imageId === message.image_id ? state.picture : null;
  const source = expected ? (state.pending ?? state.picture) : known;
  state.model = message.model;
  if (source === null) return;
  const { name, file, bitmap } = source;
  const { width, height, image_id: imageId, encode_ms: encodeMs, cached } = message;
  state.picture = { name, file, bitmap, width, height, imageId, encodeMs, cached };
  if (source === state.pending) state.pending = null;
  state.objects = new Map();
  state.nextColor = 0;
  state.preview = null;
  state.canUndo = false;
  state.canRedo = false;
}

/** @param {State} state @param {ObjectMessage} message */
export function applyObject(state, message) {
  const { id, name, color, points, box, chosen, masks } = message;
  state.objects.set(id, { id, name, color, points, box: box ?? null, chosen, masks });
  state.nextColor = Math.max(state.nextColor, color + 1);
  state.canUndo = message.can_undo;
  state.canRedo = message.can_redo;
  if (state.preview?.object === id || state.preview?.object === null) state.preview = null;
}

/** @param {State} state @param {Gone} message */
export function applyGone(state, message) {
  for (const id of message.objects) {
    state.objects.delete(id);
    if (state.active === id) state.active = null;
    if (state.preview?.object === id) state.preview = null;
  }
  state.canUndo = message.can_undo;
  state.canRedo = message.can_redo;
}

/** @param {State} state @param {PreviewMessage} message newer than the one shown */
export function applyPreview(state, message) {
  const mask = message.masks[message.best];
  state.preview = mask ? { seq: message.seq, mask, object: message.object ?? null } : null;
}

/**
 * @param {State} state
 * @param {{ x: number, y: number }} point image pixels
 * @returns {ObjectId | null} the newest object there
 */
export function objectAt(state, point) {
  const image = state.picture;
  const found = [...state.objects.values()].reverse().find((object) => {
    const mask = maskOf(object);
    return image !== null && mask !== undefined && covers(mask, image, point.x, point.y);
  });
  return found ? found.id : null;
}

/**
 * The calm sentence under the picture: where things stand and what can be done.
 * @param {State} state
 * @returns {string}
 */
export function describe(state) {
  if (state.connection === "ended") return "Disconnected.";
  if (state.connection !== "ready" && state.picture) return "The connection is lost; trying again. What you do meanwhile is kept.";
  if (state.pending) return describePending(state.pending);
  if (state.restoring) return "Connected again. Restoring your picture and objects…";
  if (state.picture === null) return state.byTouch ? "Choose a picture, or try a sample." : "Drop a picture, choose a file, or try a sample.";
  const object = state.active === null ? undefined : state.objects.get(state.active);
  if (object) return `Refining ${object.name}. ${state.byTouch ? "Switch to − to take away; ✓ keeps it." : "A right click takes away, Enter keeps it."}`;
  if (state.objects.size === 0) return state.byTouch ? "Hold a finger on something to see it, tap to keep it." : "Point at something. Click to keep it, or drag a box.";
  return `${state.objects.size === 1 ? "1 object" : `${state.objects.size} objects`} kept. Point at the next, or refine one.`;
}

/** In steps of ten percent, because it is read aloud. @param {PendingPicture} pending */
function describePending(pending) {
  const percent = pending.fraction === null ? "" : ` ${Math.floor(pending.fraction * 10)}0%`;
  switch (pending.stage) {
    case "uploading": return `Uploading…${percent}`;
    case "queued": return pending.position ? `Waiting for the model, number ${pending.position} in line…` : "Waiting for the model…";
    case "decoding": return "Reading the picture…";
    case "downloading": return `Fetching the model…${percent}`;
    default: return `Studying the picture…${percent}`;
  }
}
