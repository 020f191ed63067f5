/**
 * A plain copy of the state, for those who look from outside.
 */

import { isVisible, maskOf, previewMask, shownPicture, shownPreview } from "./state.js";

/** @import { ObjectState, State } from "./state.js" */
/** @import { Scene } from "./render.js" */

/** @param {State} state @param {Scene} scene */
export function snapshot(state, { viewport, badge, resting, cursor }) {
  const { connection, model, active, canUndo, canRedo, tool, onTop, point, restoring, notice, said, toast, pointed, picture, pending, switching } = state;
  return {
    connection, model, active, canUndo, canRedo, tool, onTop, point, restoring, notice, said, pointed, cursor, resting,
    toast: toast ? { ...toast } : null,
    aim: state.aim ? { ...state.aim } : null,
    image: picture ? { id: picture.imageId, name: picture.name, width: picture.width, height: picture.height, seen: picture.orientation !== undefined, provisional: picture.provisional ?? false } : null,
    pending: pending ? { name: pending.name, stage: pending.stage, fraction: pending.fraction, position: pending.position } : null,
    switching: switching ? { ...switching } : null,
    shown: shownPicture(state)?.name ?? null,
    objects: [...state.objects.values()].map((object) => plain(object, isVisible(state, object.id))),
    preview: plainPreview(state),
    badge: badge && state.aim ? state.aim.does : null,
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
function plainPreview(state) {
  const preview = shownPreview(state);
  const mask = previewMask(state);
  if (!preview || !mask) return null;
  const { seq, object, masks } = preview;
  return { seq, object, area: mask.area, candidate: masks.indexOf(mask), areas: masks.map(({ area }) => area) };
}
