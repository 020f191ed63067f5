/**
 * A plain copy of the state, for those who look from outside.
 */

import { standIn } from "./regions.js";
import { isVisible, maskOf, previewMask, shownPicture, shownPreview } from "./state.js";

/** @import { Region } from "../wire/messages.ts" */
/** @import { ObjectState, OpenClip, OpenPicture, PendingPicture, Scene, State } from "./types.ts" */

/** @param {State} state @param {Scene} scene */
export function snapshot(state, { viewport, badge, resting, cursor }) {
  const { connection, model, active, canUndo, canRedo, tool, onTop, point, restoring, notice, said, pointed } = state;
  return {
    connection, model, active, canUndo, canRedo, tool, onTop, point, restoring, notice, said, pointed, cursor, resting,
    classes: state.classes.map((one) => ({ ...one })), sticky: state.sticky,
    clip: state.clip && plainClip(state.clip),
    toast: state.toast && { ...state.toast },
    aim: state.aim && { ...state.aim },
    image: state.picture && plainPicture(state.picture),
    pending: state.pending && plainPending(state.pending),
    switching: state.switching && { ...state.switching },
    shown: shownPicture(state)?.name ?? null,
    objects: [...state.objects.values()].map((object) => plainObject(object, isVisible(state, object.id))),
    sharp: state.sharp && [...state.sharp], regions: state.regions.map(plainRegion), showsRegions: state.showsRegions,
    outlined: standIn(state) && plainRegion(/** @type {Region} */ (standIn(state))),
    preview: plainPreview(state),
    badge: badge && state.aim ? state.aim.does : null,
    viewport: { ...viewport },
  };
}

/** @param {OpenClip} clip */
function plainClip({ id, times, duration, shown, ready, playing, masks, tracking, saving }) {
  /** @type {Record<number, Record<number, number>>} */
  const areas = {}; // by frame, and there by object
  for (const [frame, here] of masks) areas[frame] = Object.fromEntries([...here].map(([one, { area }]) => [one, area]));
  const under = { tracking: tracking && { ...tracking }, saving: saving && { ...saving } };
  return { id, times: [...times], duration, shown, ready, playing, areas, ...under };
}

/** @param {OpenPicture} picture */
function plainPicture({ imageId: id, name, width, height, orientation, provisional = false }) {
  return { id, name, width, height, seen: orientation !== undefined, provisional };
}

/** @param {PendingPicture} picture */
function plainPending({ name, stage, fraction, position }) {
  return { name, stage, fraction, position };
}

/** @param {ObjectState} object @param {boolean} visible */
function plainObject(object, visible) {
  const { id, name, color, points, box, chosen, masks } = object;
  const mask = maskOf(object);
  return {
    id, name, color, points: points.map((point) => [...point]), box: box ? [...box] : null,
    chosen, candidates: masks.length, area: mask?.area ?? 0, score: mask?.score ?? 0, visible,
  };
}

/** @param {Region} region */
function plainRegion({ mask, x, y, candidate }) {
  return { x, y, candidate, area: mask.area };
}

/** @param {State} state */
function plainPreview(state) {
  const preview = shownPreview(state);
  const mask = previewMask(state);
  if (!preview || !mask) return null;
  const { seq, object, masks } = preview;
  return { seq, object, area: mask.area, candidate: masks.indexOf(mask), areas: masks.map(({ area }) => area) };
}
