/**
 * Values that tests make: masks from rows, objects around them.
 */

import "./english.js";

/** @import { ObjectState } from "../../static/js/model/types.ts" */
/** @import { Mask } from "../../static/js/wire/messages.ts" */

/** The mask of rows of 0 and 1, cropped to the whole grid. @param {string[]} lines @param {number} [area] @returns {Mask} */
export function fromRows(lines, area) {
  const flat = lines.join("");
  const width = lines[0]?.length ?? 0;
  const runs = [];
  let value = "0";
  for (let i = 0; i < flat.length;) {
    let run = 0;
    while (flat[i + run] === value) run += 1;
    runs.push(run);
    i += run;
    value = value === "0" ? "1" : "0";
  }
  const ones = flat.replaceAll("0", "").length;
  return { size: [lines.length, width], box: [0, 0, width, lines.length], runs: Uint8Array.from(runs), score: 0.5, area: area ?? ones };
}

/** A mask that is known by its area alone. @param {number} area @returns {Mask} */
export function maskOfArea(area) {
  return fromRows(["1"], area);
}

/** @param {Partial<ObjectState>} [fields] @returns {ObjectState} */
export function objectState(fields = {}) {
  return { id: 1, name: "Object 1", color: 0, points: [], box: null, chosen: 0, masks: [maskOfArea(100)], ...fields };
}
