/**
 * The order of a prompt's candidates: from the smallest, a part, to the largest, the whole. Pure.
 */

/** @import { Mask } from "../wire/messages.ts" */

/** @param {Mask[]} masks @returns {number[]} their indices from the smallest area to the largest */
export function bySize(masks) {
  return masks.map((_, index) => index).sort((a, b) => masks[a].area - masks[b].area || a - b);
}

/**
 * Return the candidate of a rank, or the given one where no rank was asked for or there are fewer candidates.
 * @param {Mask[]} masks @param {number | null} rank 0 for the smallest @param {number} otherwise index
 * @returns {number} index
 */
export function atRank(masks, rank, otherwise) {
  return rank === null ? otherwise : (bySize(masks)[rank] ?? otherwise);
}

/** @param {Mask[]} masks @param {number} index @returns {number} its rank, 0 for the smallest */
export function rankOf(masks, index) {
  return bySize(masks).indexOf(index);
}

/**
 * Return the candidate that is next in size, around again after the last.
 * @param {Mask[]} masks @param {number} index @param {1 | -1} step 1 for larger
 * @returns {number} index
 */
export function nextInSize(masks, index, step) {
  const order = bySize(masks);
  return order[(order.indexOf(index) + step + order.length) % order.length] ?? index;
}
