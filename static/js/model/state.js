/**
 * What the page knows, as one plain object, and what can be read off it. Pure. Its fields are explained in types.ts.
 *
 * Not covered: changing it, which store.js alone does; what a person can do (session/studio.js); the words for it
 * (words.js).
 */

import { atRank } from "./candidates.js";
import { covers } from "./masks.js";

/** @import { Mask, ObjectId, Recipe } from "../wire/messages.ts" */
/** @import { ClipFacts, Fields, ObjectState, OpenClip } from "./types.ts" */
/** @import { OpenPicture, PendingPicture, Picture, Preview, State, XY } from "./types.ts" */

/** What a page knows before it knows anything. @type {State} */
const NOTHING = {
  album: new Map(),
  connection: "connecting",
  roundTripMs: null,
  model: "",
  models: [],
  maxObjects: Infinity,
  engines: {},
  switching: null,
  byTouch: false,
  picture: null,
  pending: null,
  clip: null,
  restoring: false,
  objects: new Map(),
  classes: [],
  sticky: null,
  nextColor: 0,
  active: null,
  point: null,
  aim: null,
  at: null,
  sharp: null,
  regions: [],
  underPointer: null,
  walkedRegion: null,
  showsRegions: false,
  preview: null,
  rank: null,
  onTop: false,
  canUndo: false,
  canRedo: false,
  tool: "new",
  brush: { radius: null, smart: true },
  combining: null,
  hidden: new Set(),
  isolated: null,
  pointed: null,
  walked: null,
  notice: null,
  said: "",
  toast: null,
  making: null,
  ground: 0,
};

/** @param {Partial<Fields>} known where it differs from a page that knows nothing yet @returns {Fields} */
export function initialState(known) {
  return { ...NOTHING, ...known };
}

/** @param {State} state @returns {boolean} prompts make sense now */
export function isArmed(state) {
  return state.picture !== null && state.pending === null && !state.restoring;
}

/** @param {State} state @returns {boolean} what is shown is what the server has open: it can say what a click gives */
export function isThere({ clip }) {
  return clip === null || clip.ready === clip.shown;
}

/** The name of what is open, which of a clip is the same on all frames. @param {string} imageId */
export function sourceOf(imageId) {
  return imageId.split("#")[0];
}

/**
 * A clip that the server hasn't open yet.
 * @param {ClipFacts | undefined} facts @param {number} shown frame
 * @param {readonly [ObjectId, Mask][]} [here] masks of that frame
 * @returns {OpenClip | null} null for a picture, and for a clip that was never there
 */
export function openClip({ id, times, duration = 0 } = { part: null }, shown = 0, here = []) {
  if (id === undefined || times === undefined) return null;
  const masks = new Map(here.length > 0 ? [[shown, new Map(here)]] : []);
  return { id, times, duration, shown, ready: null, playing: false, masks, tracking: null, saving: null };
}

/**
 * The picture to draw: the one on its way as soon as the browser can show it.
 * @param {State} state
 * @returns {PendingPicture | OpenPicture | null}
 */
export function shownPicture(state) {
  return state.pending && state.pending.width > 0 ? state.pending : state.picture;
}

/** Something was made, on whichever picture. @param {State} state */
export function isBegun({ album }) {
  return [...album.values()].some(({ work }) => (work?.recipe.objects?.length ?? 0) > 0);
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

/**
 * Which objects there are to save.
 * @param {State} state
 * @returns {{ all: ObjectId[], shown: ObjectId[], hidden: ObjectId[] }}
 */
export function scopesOf(state) {
  const all = [...state.objects.keys()];
  return { all, shown: all.filter((id) => isVisible(state, id)), hidden: all.filter((id) => !isVisible(state, id)) };
}

/**
 * The object that a command without a place concerns: the one that Tab has come to, else the active one, else the one
 * pointed at.
 * @param {State} state
 */
export function currentObject(state) {
  return objectOf(state, state.walked ?? state.active ?? state.pointed);
}

/** @param {State} state @returns {ObjectState | undefined} the selected object */
export function activeObject(state) {
  return objectOf(state, state.active);
}

/**
 * Those that are to make one with the selected object, in the order of the list.
 * @param {State} state @returns {ObjectState[]}
 */
export function othersOf({ combining, objects }) {
  return [...objects.values()].filter(({ id }) => combining?.others.has(id));
}

/** @param {State} state @param {ObjectId | null} id @returns {ObjectState | undefined} */
export function objectOf(state, id) {
  return id === null ? undefined : state.objects.get(id);
}

/**
 * The object that is seen at a point: of several the smallest, since a large one can be met beside it; of two the
 * newer.
 * @param {State} state
 * @param {XY} point
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
 * A picture that was worked on, at the server's size: a browser may know none, or have it turned.
 * @param {Picture} picture @param {Recipe} recipe @returns {OpenPicture}
 */
export function workedOn(picture, { image_id: imageId, width, height }) {
  return { ...picture, width, height, imageId, encodeMs: 0, cached: true };
}
