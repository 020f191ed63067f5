/**
 * What the page knows, as one plain object, and what each server message does to it. Pure.
 *
 * Not covered: sending (exchange.js), what a person can do (studio.js), the words for it (words.js), drawing (render.js).
 */

import { atRank } from "./candidates.js";
import { covers } from "./masks.js";

/** @import { Aim } from "./aim.js" */
/** @import { Gone, ImageReady, Label, Mask, ModelInfo, ObjectId, ObjectMessage, PreviewMessage } from "./protocol.js" */

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

/** @typedef {Picture & { imageId: string, encodeMs: number, cached: boolean, provisional?: boolean }} OpenPicture `provisional` while a smaller model answers, until the one that runs has studied it */
/** @typedef {Picture & Work} PendingPicture */
/** @typedef {Omit<ObjectMessage, "t" | "seq" | "can_undo" | "can_redo" | "last">} ObjectState */
/** @typedef {"new" | "add" | "remove"} Tool what a plain click does */
/** @typedef {{ seq: number, x: number, y: number, masks: Mask[], best: number, label: Label, object: ObjectId | null }} Preview the answer to a hover at x, y, image pixels */
/** @typedef {{ text: string, undo: boolean }} Toast what was done, and whether one undo takes it back */

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
 * @property {ObjectId | null} active the object that is selected: what Add and Remove change
 * @property {number | null} point index of the point that is selected, of the active object
 * @property {Aim | null} aim what a click would give where the pointer is
 * @property {Preview | null} preview the newest answer to a hover; shown where it is of what is aimed at
 * @property {number | null} rank of the candidate that hovers show, 0 for the smallest; null for the best
 * @property {boolean} onTop the next click of the tool New makes an object, also where there is one
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 * @property {Tool} tool
 * @property {Set<ObjectId>} hidden objects that are not shown
 * @property {ObjectId | null} isolated the one object that is shown alone
 * @property {ObjectId | null} pointed the object that the list or the Tab key points at
 * @property {ObjectId | null} walked the object that the Tab key has come to: keys are meant for it
 * @property {string | null} notice what went wrong, in the server's words
 * @property {string} said the newest event, for those who listen
 * @property {Toast | null} toast the newest event that is shown, too
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
    point: null,
    aim: null,
    preview: null,
    rank: null,
    onTop: false,
    canUndo: false,
    canRedo: false,
    tool: "new",
    hidden: new Set(),
    isolated: null,
    pointed: null,
    walked: null,
    notice: null,
    said: "",
    toast: null,
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

/** The preview, where it is of what a click would give. @param {State} state @returns {Preview | null} */
export function shownPreview({ aim, preview }) {
  if (preview === null || aim === null) return null;
  if (aim.does === "new") return preview.object === null ? preview : null;
  if (aim.does !== "add" && aim.does !== "remove") return null;
  return preview.object === aim.object && preview.label === (aim.does === "add" ? 1 : 0) ? preview : null;
}

/** The candidate of the preview that is shown. @param {State} state @returns {Mask | undefined} */
export function previewMask(state) {
  const preview = shownPreview(state);
  return preview?.masks[atRank(preview.masks, state.rank, preview.best)];
}

/** @param {State} state @param {ObjectId} id */
export function isVisible(state, id) {
  return state.isolated === null ? !state.hidden.has(id) : state.isolated === id;
}

/** Which objects there are to save. @param {State} state @returns {{ all: ObjectId[], shown: ObjectId[], hidden: ObjectId[] }} */
export function scopesOf(state) {
  const all = [...state.objects.keys()];
  return { all, shown: all.filter((id) => isVisible(state, id)), hidden: all.filter((id) => !isVisible(state, id)) };
}

/** The object that a command without a place concerns: the one that Tab has come to, else the active one, else the one pointed at. @param {State} state */
export function currentObject(state) {
  const id = state.walked ?? state.active ?? state.pointed;
  return id === null ? undefined : state.objects.get(id);
}

/** Point at an object, or at none. @param {State} state @param {ObjectId | null} id @param {boolean} [walked] by the Tab key: keys are meant for it */
export function pointAt(state, id, walked = false) {
  state.pointed = id;
  state.walked = walked ? id : null;
}

/** Select an object, or none. @param {State} state @param {ObjectId | null} id */
export function select(state, id) {
  state.walked = null;
  if (id !== null && state.pointed !== id) state.pointed = null;
  if (state.active !== id) state.point = null;
  state.active = id;
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
  const { width, height, image_id: imageId, encode_ms: encodeMs, cached, provisional = false } = message;
  state.picture = { name, file, bitmap, orientation, width, height, imageId, encodeMs, cached, provisional };
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
  pointAt(state, null);
  state.rank = null;
  state.point = null;
  state.onTop = false;
}

/** @param {State} state @param {ObjectMessage} message */
export function applyObject(state, message) {
  const { id, name, color, points, box, trail = [], chosen, masks } = message;
  if (id === state.active && state.objects.get(id)?.points.length !== points.length) state.point = null;
  state.objects.set(id, { id, name, color, points, box: box ?? null, trail, chosen, masks });
  state.objects = new Map([...state.objects].sort(([one], [other]) => one - other)); // one that is back has its old place
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
    if (state.active === id) state.active = state.point = null;
    if (state.pointed === id) pointAt(state, null);
    if (state.isolated === id) state.isolated = null;
    if (state.preview?.object === id) state.preview = null;
  }
  state.canUndo = message.can_undo;
  state.canRedo = message.can_redo;
}

/** @param {State} state @param {PreviewMessage} message newer than the one shown @param {Label} label of the hover */
export function applyPreview(state, message, label) {
  const { seq, x, y, masks, best } = message;
  state.preview = masks[best] ? { seq, x, y, masks, best, label, object: message.object ?? null } : null;
}

/**
 * The object that is seen at a point: of several the smallest, since a large one can be met beside it; of two the newer.
 * @param {State} state
 * @param {{ x: number, y: number }} point image pixels
 * @returns {ObjectId | null}
 */
export function objectAt(state, point) {
  const image = state.picture;
  if (image === null) return null;
  /** @type {{ id: ObjectId, area: number } | null} */
  let found = null;
  for (const object of state.objects.values()) {
    const mask = maskOf(object);
    if (!mask || !isVisible(state, object.id) || (found && mask.area > found.area)) continue;
    if (covers(mask, image, point.x, point.y)) found = { id: object.id, area: mask.area };
  }
  return found?.id ?? null;
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
