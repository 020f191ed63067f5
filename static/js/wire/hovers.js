/**
 * Flow control of hovers: at most two on the way, the newest wins, and a stale preview is never painted. Pure.
 *
 * A reply retires every hover up to its own number, because the server drops the ones it overtook without a word.
 */

/** @import { Label } from "./messages.ts" */

/** @typedef {{ x: number, y: number, label: Label, object?: number | undefined }} Wanted image pixels */

/**
 * @typedef {object} HoverFlow
 * @property {{ seq: number, at: number }[]} inFlight sent and not retired; `at` in ms
 * @property {Wanted | null} wanted the newest that has not been sent
 * @property {number} floor previews up to this seq are stale
 */

export const MAX_IN_FLIGHT = 2;
/** A hover without a reply for this long is taken for lost, ms. */
export const LOST_AFTER_MS = 2500;

/** @returns {HoverFlow} */
export function createHoverFlow() {
  return { inFlight: [], wanted: null, floor: -1 };
}

/** Ask for a preview; replaces one that has not been sent. @param {HoverFlow} flow @param {Wanted} hover */
export function want(flow, hover) {
  flow.wanted = hover;
}

/**
 * Take the hover to send now, or null where none is wanted or two are on the way.
 * @param {HoverFlow} flow @param {number} seq the number it will carry @param {number} nowMs
 * @returns {Wanted | null}
 */
export function take(flow, seq, nowMs) {
  flow.inFlight = flow.inFlight.filter((hover) => nowMs - hover.at < LOST_AFTER_MS);
  if (flow.wanted === null || flow.inFlight.length >= MAX_IN_FLIGHT) return null;
  const hover = flow.wanted;
  flow.wanted = null;
  flow.inFlight.push({ seq, at: nowMs });
  return hover;
}

/** Retire the hovers up to a number that has been answered. @param {HoverFlow} flow @param {number} seq */
export function retire(flow, seq) {
  flow.inFlight = flow.inFlight.filter((hover) => hover.seq > seq);
}

/**
 * Note a preview and tell whether it may be painted: it is newer than any painted before and than the last `forget`.
 * @param {HoverFlow} flow @param {number} seq
 * @returns {boolean}
 */
export function answer(flow, seq) {
  retire(flow, seq);
  if (seq <= flow.floor) return false;
  flow.floor = seq;
  return true;
}

/**
 * Make everything asked so far stale: the pointer left, or the ground changed.
 * @param {HoverFlow} flow @param {number} seq the newest number used
 */
export function forget(flow, seq) {
  flow.wanted = null;
  flow.inFlight = [];
  flow.floor = Math.max(flow.floor, seq);
}
