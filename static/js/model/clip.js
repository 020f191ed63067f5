/**
 * What is known of the frames of a clip: their times, the masks on each, what an object is on one of them. Pure.
 */

import { promptsOf } from "./history.js";

/** @import { Mask, ObjectId, ObjectMask, ObjectMessage } from "../wire/messages.ts" */
/** @import { ClipPart, FrameMasks, ObjectState, OpenClip } from "./types.ts" */

/** @typedef {ReadonlyMap<ObjectId, Readonly<ObjectState>>} Objects */
/** @typedef {{ begin: number, end: number }} Stretch frames, the end exclusive */
/** @typedef {{ id: ObjectId, color: number, prompts: number[], stretches: Stretch[] }} Lane where an object is */

/** Objects that have a lane on the time line: as many as are followed at once. */
export const MAX_LANES = 8;

/** What a part of a long clip may have: all of its frames, or so many a second. */
export const ALL = 1000;
const RATES = [60, 50, 30, 25, 24, 15, 12, 10, 8, 6, 5, 4, 3, 2, 1, 0.5, 0.25, 0.1];

/**
 * The frame that is shown at a time.
 * @param {readonly number[]} times of the frames, rising @param {number} time seconds
 */
export function frameAt(times, time) {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (times[middle] <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** When a clip or a part of one begins and ends, seconds. @param {Pick<OpenClip, "times" | "duration">} clip */
function spanOf({ times, duration }) {
  const begin = times[0] ?? 0;
  return { begin, seconds: Math.max(duration, times[times.length - 1] ?? 0) - begin };
}

/**
 * The share of a clip at which a frame begins, 0 to 1; that after the last is where it ends.
 * @param {Pick<OpenClip, "times" | "duration">} clip @param {number} frame
 */
export function shareOf(clip, frame) {
  const { begin, seconds } = spanOf(clip);
  if (frame >= clip.times.length) return 1;
  return Math.min(1, (clip.times[frame] - begin) / (seconds || 1));
}

/** Where a frame is pointed at: its middle. @param {Pick<OpenClip, "times" | "duration">} clip @param {number} frame */
export function middleOf(clip, frame) {
  return (shareOf(clip, frame) + shareOf(clip, frame + 1)) / 2;
}

/**
 * The frame that is shown at a share of a clip.
 * @param {Pick<OpenClip, "times" | "duration">} clip @param {number} share 0 to 1
 */
export function frameAtShare(clip, share) {
  const { begin, seconds } = spanOf(clip);
  return frameAt(clip.times, begin + share * seconds);
}

/** @param {OpenClip} clip @param {number} index @returns {number} the nearest frame that there is */
export function within({ times }, index) {
  return Math.max(0, Math.min(times.length - 1, Math.round(index)));
}

/** The name of a frame on the server. @param {string} clipId @param {number} index */
export function frameId(clipId, index) {
  return `${clipId}#${index}`;
}

// ---- masks

/**
 * The masks with those of one frame as the server says.
 * @param {FrameMasks} masks @param {number} frame @param {readonly ObjectMask[]} told null where there is none any more
 * @returns {FrameMasks}
 */
export function withMasks(masks, frame, told) {
  const here = new Map(masks.get(frame));
  for (const { id, mask } of told) {
    if (mask === null) here.delete(id);
    else here.set(id, mask);
  }
  const all = new Map(masks);
  if (here.size > 0) all.set(frame, here);
  else all.delete(frame);
  return all;
}

/** The masks without those of objects that are gone. @param {FrameMasks} masks @param {readonly ObjectId[]} gone */
export function withoutObjects(masks, gone) {
  /** @type {[number, Map<ObjectId, Mask>][]} */
  const left = [...masks].map(([frame, here]) => [frame, new Map([...here].filter(([id]) => !gone.includes(id)))]);
  return new Map(left.filter(([, here]) => here.size > 0));
}

/**
 * An object as it is on a frame: its prompts there, and its mask.
 * @template {Pick<ObjectState, "id" | "trail"> | ObjectMessage} T
 * @param {T} object @param {FrameMasks} masks @param {number} frame
 * @returns {T & Pick<ObjectState, "points" | "box" | "chosen" | "masks">}
 */
export function onFrame(object, masks, frame) {
  const mask = masks.get(frame)?.get(object.id);
  return { ...object, ...promptsOf(object.trail ?? [], frame), chosen: 0, masks: mask ? [mask] : [] };
}

/**
 * All objects as they are on a frame.
 * @param {Objects} objects @param {FrameMasks} masks @param {number} frame
 * @returns {Map<ObjectId, ObjectState>}
 */
export function allOnFrame(objects, masks, frame) {
  return new Map([...objects].map(([id, object]) => [id, onFrame(object, masks, frame)]));
}

// ---- where objects are

/** The frames on which an object was prompted. @param {Pick<ObjectState, "trail">} object @returns {number[]} rising */
export function promptedOf({ trail = [] }) {
  const frames = trail.flatMap((step) => (step.t === "track" || typeof step.frame !== "number" ? [] : [step.frame]));
  return [...new Set(frames)].sort((a, b) => a - b);
}

/**
 * Where the newest objects are, for the time line.
 * @param {Objects} objects @param {OpenClip} clip
 * @returns {Lane[]}
 */
export function lanesOf(objects, { masks, times }) {
  return [...objects.values()].slice(-MAX_LANES).map((object) => {
    /** @type {Stretch[]} */
    const stretches = [];
    for (let frame = 0; frame < times.length; frame += 1) {
      if (!masks.get(frame)?.has(object.id)) continue;
      const last = stretches.at(-1);
      if (last?.end === frame) last.end = frame + 1;
      else stretches.push({ begin: frame, end: frame + 1 });
    }
    return { id: object.id, color: object.color, prompts: promptedOf(object), stretches };
  });
}

/** The objects that can be followed from the frame that is shown. @param {Objects} objects @returns {ObjectId[]} */
export function followable(objects) {
  return [...objects.values()].filter(({ masks }) => masks.length > 0).map(({ id }) => id);
}

/**
 * The frame that the last step concerned, where it is one: what an undo has changed is to be seen.
 * @param {Objects} before @param {Objects} after
 * @returns {number | null}
 */
export function changedFrame(before, after) {
  /** @type {Set<number>} */
  const frames = new Set();
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before, after].map((all) => (all.get(id)?.trail ?? []).map((step) => JSON.stringify(step)));
    const [longer, shorter] = one.length > other.length ? [one, other] : [other, one];
    for (const step of longer.filter((text) => !shorter.includes(text))) {
      const { frame } = JSON.parse(step);
      if (typeof frame === "number") frames.add(frame);
    }
  }
  return frames.size === 1 ? [...frames][0] : null;
}

// ---- a part of a long clip

/** @typedef {{ most: number, most_s: number, frames: number, duration_s: number }} Length and what it may be at most */

/** How many frames a part has, at most. @param {ClipPart} part @param {Length} length */
export function framesOf({ begin, end, rate }, { frames, duration_s: duration }) {
  const own = duration > 0 ? frames / duration : rate;
  return Math.max(1, Math.ceil((end - begin) * Math.min(rate, own) - 1e-6));
}

/**
 * The rates that a part may have, the finest first.
 * @param {Pick<ClipPart, "begin" | "end">} part @param {Length} length
 */
export function ratesOf(part, length) {
  const own = length.frames / length.duration_s;
  const all = [ALL, ...RATES.filter((rate) => rate < own)];
  return all.filter((rate) => framesOf({ ...part, rate }, length) <= length.most);
}

/**
 * What is offered first: as much of the clip as there may be, from its beginning.
 * @param {Length} length @returns {ClipPart}
 */
export function firstPart(length) {
  const part = { begin: 0, end: Math.min(length.duration_s, length.most_s) };
  return { ...part, rate: ratesOf(part, length)[0] ?? 1 };
}
