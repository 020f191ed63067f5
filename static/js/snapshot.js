/**
 * A plain copy of the state, for those who look from outside.
 */

import { maskOf, shownPicture } from "./state.js";

/** @import { State } from "./state.js" */
/** @import { Viewport } from "./viewport.js" */

/** @param {State} state @param {Viewport} viewport */
export function snapshot(state, viewport) {
  const { connection, model, active, canUndo, canRedo, removing, restoring, notice, preview, picture, pending } = state;
  const objects = [...state.objects.values()].map((object) => ({
    id: object.id,
    name: object.name,
    color: object.color,
    points: object.points.map((point) => [...point]),
    box: object.box ? [...object.box] : null,
    chosen: object.chosen,
    candidates: object.masks.length,
    area: maskOf(object)?.area ?? 0,
    score: maskOf(object)?.score ?? 0,
  }));
  return {
    connection, model, active, canUndo, canRedo, removing, restoring, notice,
    image: picture ? { id: picture.imageId, name: picture.name, width: picture.width, height: picture.height } : null,
    pending: pending ? { name: pending.name, stage: pending.stage, fraction: pending.fraction } : null,
    shown: shownPicture(state)?.name ?? null,
    objects,
    preview: preview ? { seq: preview.seq, area: preview.mask.area, object: preview.object } : null,
    viewport: { ...viewport },
  };
}
