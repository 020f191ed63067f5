/**
 * A plain copy of the state, for those who look from outside.
 */

import { isVisible, maskOf, previewMask, shownPicture } from "./state.js";

/** @import { ObjectState, State } from "./state.js" */
/** @import { Scene } from "./render.js" */

/** What the badge's sign says that a click does. */
const SIGNS = { "+": "add", "−": "remove", "×": "delete" };

/** @param {State} state @param {Scene} scene */
export function snapshot(state, { viewport, badge, cursor }) {
  const { connection, model, active, canUndo, canRedo, removing, restoring, notice, said, pointed, picture, pending, switching } = state;
  return {
    connection, model, active, canUndo, canRedo, removing, restoring, notice, said, pointed, cursor,
    image: picture ? { id: picture.imageId, name: picture.name, width: picture.width, height: picture.height, seen: picture.orientation !== undefined } : null,
    pending: pending ? { name: pending.name, stage: pending.stage, fraction: pending.fraction, position: pending.position } : null,
    switching: switching ? { ...switching } : null,
    shown: shownPicture(state)?.name ?? null,
    objects: [...state.objects.values()].map((object) => plain(object, isVisible(state, object.id))),
    preview: shownPreview(state),
    badge: badge ? SIGNS[badge.sign] : null,
    viewport: { ...viewport },
  };
}

/** @param {ObjectState} object @param {boolean} visible */
function plain(object, visible) {
  const { id, name, color, points, box, chosen, masks } = object;
  const mask = maskOf(object);
  return {
    id, name, color, points: points.map((point) => [...point]), box: box ? [...box] : null,
    chosen, candidates: masks.length, area: mask?.area ?? 0, score: mask?.score ?? 0, visible,
  };
}

/** @param {State} state */
function shownPreview(state) {
  const mask = previewMask(state);
  if (!state.preview || !mask) return null;
  const { seq, object, masks } = state.preview;
  return { seq, object, area: mask.area, candidate: masks.indexOf(mask), areas: masks.map(({ area }) => area) };
}
