/**
 * What the page knows, as one plain object, and what each server message does to it. Pure.
 *
 * Not covered: sending (exchange.js), what a person can do (studio.js), the words for it (words.js), drawing (render.js).
 */

import { atRank } from "./candidates.js";
import { covers } from "./masks.js";

/** @import { Gone, ImageReady, Mask, ModelInfo, ObjectId, ObjectMessage, PreviewMessage } from "./protocol.js" */

/** @typedef {"connecting" | "ready" | "waiting" | "full" | "ended"} Connection */
/** @typedef {"uploading" | "queued" | "decoding" | "encoding" | "downloading"} Stage */
/** @typedef {{ stage: Stage, fraction: number | null, position: number | null }} Work how far something has come */

/** @typedef {{ bitmap: ImageBitmap | null, orientation?: number }} View pixels, and how they are turned: 1 to 8, as EXIF numbers it; upright if absent */

/**
 * @typedef {object} Picture
 * @property {string} name of the file; text, never markup
 * @property {Blob} file kept to open the picture again where the server lost it
 * @property {ImageBitmap | null} bitmap null until there is something to show
 * @property {number} [orientation] how the bitmap is turned, see `View`
 * @property {number} width pixels, upright
 * @property {number} height pixels, upright
 */

/** @typedef {Picture & { imageId: string, encodeMs: number, cached: boolean }} OpenPicture */
/** @typedef {Picture & Work} PendingPicture */
/** @typedef {Omit<ObjectMessage, "t" | "seq" | "can_undo" | "can_redo">} ObjectState */
/** @typedef {{ seq: number, masks: Mask[], best: number, object: ObjectId | null }} Preview */

/**
 * @typedef {object} State
 * @property {Connection} connection
 * @property {number | null} roundTripMs of the last ping
 * @property {string} model name of the model that runs
 * @property {ModelInfo[]} models that the server knows
 * @property {Record<string, string>} engines what each loaded model runs on, in words
 * @property {Work & { name: string } | null} switching the model that is being changed to
 * @property {boolean} byTouch the person points with fingers: other words for the same thing
 * @property {OpenPicture | null} picture the one that the server has open
 * @property {PendingPicture | null} pending the one on its way there; shown in its place
 * @property {boolean} restoring the picture and its prompts are being brought back
 * @property {Map<ObjectId, ObjectState>} objects oldest first
 * @property {number} nextColor palette index that the next new object is likely to get
 * @property {ObjectId | null} active the object that the next click refines
 * @property {Preview | null} preview what lies under the pointer
 * @property {number | null} rank of the candidate that hovers show, 0 for the smallest; null for the best
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 * @property {boolean} removing the tool takes away instead of adding
 * @property {Set<ObjectId>} hidden objects that are not shown
 * @property {ObjectId | null} isolated the one object that is shown alone
 * @property {ObjectId | null} pointed the object that the list or the Tab key points at
 * @property {string | null} notice what went wrong, in the server's words
 * @property {string} said the newest event, for those who listen
 * @property {string | null} making the file that the server is making
 */

/** @param {string} model @param {boolean} [byTouch] @returns {State} */
export function initialState(model, byTouch = false) {
  return {
    connection: "connecting",
    roundTripMs: null,
    model,
    models: [],
    engines: {},
    switching: null,
    byTouch,
    picture: null,
    pending: null,
    restoring: false,
    objects: new Map(),
    nextColor: 0,
    active: null,
    preview: null,
    rank: null,
    canUndo: false,
    canRedo: false,
    removing: false,
    hidden: new Set(),
    isolated: null,
    pointed: null,
    notice: null,
    said: "",
    making: null,
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

/** The candidate of a preview that is shown. @param {State} state @returns {Mask | undefined} */
export function previewMask({ preview, rank }) {
  return preview?.masks[atRank(preview.masks, rank, preview.best)];
}

/** @param {State} state @param {ObjectId} id */
export function isVisible(state, id) {
  return state.isolated === null ? !state.hidden.has(id) : state.isolated === id;
}

/** The object that a command without a place concerns: the active one, else the one pointed at. @param {State} state */
export function currentObject(state) {
  const id = state.active ?? state.pointed;
  return id === null ? undefined : state.objects.get(id);
}

/**
 * A picture is open on the server: the one that was asked for, or the same one again (resumed, another model).
 * What answers neither is late news of a picture that was given up.
 * @param {State} state @param {ImageReady} message @param {boolean} expected it answers a request of ours
 * @returns {boolean} it is the picture that the page shows
 */
export function applyImage(state, message, expected) {
  const known = state.picture?.imageId === message.image_id ? state.picture : null;
  const source = expected ? (state.pending ?? state.picture) : known;
  state.model = message.model;
  state.models = state.models.map((one) => (one.name === message.model ? { ...one, available: true } : one));
  if (source === null) return false;
  const { name, file, bitmap, orientation } = source;
  const { width, height, image_id: imageId, encode_ms: encodeMs, cached } = message;
  state.picture = { name, file, bitmap, orientation, width, height, imageId, encodeMs, cached };
  if (source === state.pending) {
    state.pending = null;
    forgetView(state);
  }
  state.objects = new Map();
  state.preview = null;
  state.canUndo = false;
  state.canRedo = false;
  return true;
}

/** Nothing of how the objects of one picture were looked at goes for the next. @param {State} state */
function forgetView(state) {
  state.hidden = new Set();
  state.isolated = null;
  state.pointed = null;
  state.rank = null;
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

/** Show another candidate of an object, ahead of the server. @param {State} state @param {ObjectId} id @param {number} candidate */
export function applyChoice(state, id, candidate) {
  const object = state.objects.get(id);
  if (object && candidate < object.masks.length) state.objects.set(id, { ...object, chosen: candidate });
}

/** @param {State} state @param {Gone} message */
export function applyGone(state, message) {
  for (const id of message.objects) {
    state.objects.delete(id);
    if (state.active === id) state.active = null;
    if (state.pointed === id) state.pointed = null;
    if (state.isolated === id) state.isolated = null;
    if (state.preview?.object === id) state.preview = null;
  }
  state.canUndo = message.can_undo;
  state.canRedo = message.can_redo;
}

/** @param {State} state @param {PreviewMessage} message newer than the one shown */
export function applyPreview(state, message) {
  const { seq, masks, best } = message;
  state.preview = masks[best] ? { seq, masks, best, object: message.object ?? null } : null;
}

/**
 * @param {State} state
 * @param {{ x: number, y: number }} point image pixels
 * @returns {ObjectId | null} the newest object that is to be seen there
 */
export function objectAt(state, point) {
  const image = state.picture;
  const found = [...state.objects.values()].reverse().find((object) => {
    const mask = maskOf(object);
    return image !== null && mask !== undefined && isVisible(state, object.id) && covers(mask, image, point.x, point.y);
  });
  return found ? found.id : null;
}

/**
 * The object that a click which takes away concerns: the active one where it covers the point, else the newest there.
 * @param {State} state
 * @param {{ x: number, y: number }} point image pixels
 * @returns {ObjectId | null}
 */
export function takeableAt(state, point) {
  const active = state.active === null ? undefined : state.objects.get(state.active);
  if (!active) return objectAt(state, point);
  const mask = maskOf(active);
  return mask && state.picture && covers(mask, state.picture, point.x, point.y) ? active.id : null;
}

/**
 * The object after another one, in the order of the list.
 * @param {State} state @param {1 | -1} step
 * @returns {ObjectId | null} null beyond either end
 */
export function nextObject(state, step) {
  const ids = [...state.objects.keys()];
  const at = state.pointed === null ? (step === 1 ? -1 : ids.length) : ids.indexOf(state.pointed);
  return ids[at + step] ?? null;
}
