/**
 * What the page says about its state, in sentences a person reads or hears. Pure.
 */

import { decimal, percent, t } from "../words/translate.js";
import { isThere, maskOf, othersOf, scopesOf } from "./state.js";

/** @import { ObjectState, Progress, State, Trouble } from "./types.ts" */

/** @param {State} state */
export function connectionText({ connection, roundTripMs }) {
  const state = t(`line.${connection}`);
  return connection === "ready" && roundTripMs !== null ? t("line.lag", { state, ms: Math.round(roundTripMs) }) : state;
}

/** How closely outlines follow their masks. @param {number | undefined} tolerance pixels */
export function toleranceText(tolerance) {
  if (tolerance === undefined) return t("outline.seen");
  return tolerance === 0 ? t("outline.exact") : t("outline.off", { px: tolerance });
}

/**
 * What outlines are like.
 * @param {readonly { polygons: number[][], polygons_differ: number, area: number }[]} things
 */
export function outlineText(things) {
  /** @param {(thing: typeof things[number]) => number} of */
  const sum = (of) => things.reduce((total, thing) => total + of(thing), 0);
  const points = sum(({ polygons }) => polygons.reduce((count, { length }) => count + length / 2, 0));
  const [pixels, area] = [sum((thing) => thing.polygons_differ), sum((thing) => thing.area)];
  if (area === 0) return t("outline.count", { points, pixels });
  return t("outline.countShare", { points, pixels, share: percent(pixels / area, 1) });
}

/** Names for a sentence: the first, and how many more. @param {readonly string[]} names @returns {string | string[]} */
export function named(names) {
  const short = names.map(shortName);
  return names.length > 3 ? t("names.more", { names: short.slice(0, 2).join(", "), count: names.length - 2 }) : short;
}

/** What a file of the shown objects lacks. @param {State} state @returns {string} empty where it lacks nothing */
export function leftOut(state) {
  const { hidden } = scopesOf(state);
  const names = hidden.map((id) => state.objects.get(id)?.name ?? "");
  return names.length === 0 ? "" : t("save.hiddenLeftOut", { names: named(names) });
}

/** @param {string} name of a file @param {number} bytes @param {number} maxBytes @param {string} kind */
export function tooLarge(name, bytes, maxBytes, kind) {
  const [size, most] = [decimal(bytes / 2 ** 20, 1), decimal(maxBytes / 2 ** 20, 0)];
  return t("take.tooLarge", { name: shortName(name), size, most, kind });
}

/** Why what is done isn't kept. @param {Trouble} trouble */
export function troubleText(trouble) {
  return t(trouble === "full" ? "album.noRoom" : "album.notKept");
}

/** A name for the middle of a sentence, which has room for two lines. @param {string} name */
export function shortName(name) {
  const letters = [...name];
  return letters.length > 24 ? `${letters.slice(0, 23).join("").trimEnd()}…` : name;
}

/**
 * What is known of an object, in a few words: its prompts, its area, the model's own opinion of it.
 * @param {ObjectState} object @param {number | null} [frame] of a clip
 */
export function factsOf(object, frame = null) {
  const mask = maskOf(object);
  const facts = object.box ? [t("facts.box")] : [];
  const trail = (object.trail ?? []).filter((step) => step.t !== "track" && (step.frame ?? null) === frame);
  if (frame !== null && !mask) return t("facts.elsewhere");
  if (frame !== null && trail.length === 0) facts.push(t("facts.tracked"));
  const strokes = trail.filter((step) => step.t === "stroke").length;
  if (trail[0]?.t === "mask") facts.unshift(t(frame === null ? "facts.given" : "facts.tracked"));
  if (strokes > 0) facts.push(t("facts.strokes", { count: strokes }));
  if (object.points.length > 0) facts.push(t("facts.points", { count: object.points.length }));
  facts.push(t("facts.area", { px: mask?.area ?? 0 }));
  const isAsked = (frame === null && trail.length === 0) || trail.some((step) => step.t === "point" || step.t === "box" || step.t === "refine");
  if (mask && isAsked) facts.push(percent(Math.min(1, Math.max(0, mask.score))));
  return facts.map((fact) => fact.replaceAll(" ", "\u00a0")).join("\u00a0· "); // lines break between facts only
}

/**
 * The calm sentence under the picture: where things stand and what can be done.
 * @param {State} state
 * @returns {string}
 */
export function describe(state) {
  if (state.connection === "ended") return t("hint.ended");
  if (state.connection === "full") return t("hint.full");
  if (state.connection !== "ready" && state.picture) return t("hint.lost");
  if (state.pending) return describeWork(state.pending);
  if (state.restoring) return t("hint.restoring");
  if (state.switching) return t("hint.switching", { model: state.switching.name, work: describeWork(state.switching) });
  if (state.making) return t("hint.making", { what: state.making });
  if (state.picture === null) return t(state.byTouch ? "hint.chooseByTouch" : "hint.choose");
  if (state.clip?.tracking) return t("hint.tracking", state.clip.tracking);
  if (state.clip?.playing) return t("hint.playing", { touch: String(state.byTouch) });
  if (!isThere(state)) return t("hint.frame");
  if (state.picture.provisional) return t("hint.rough", { model: state.model });
  return describeObjects(state);
}

/** @param {"brush" | "eraser"} tool @param {string | null} name of the object that is selected */
function describePainting(tool, name) {
  if (tool === "eraser") return name === null ? t("hint.erase") : t("hint.eraseFrom", { name });
  return name === null ? t("hint.paint") : t("hint.paintIn", { name });
}

/** @param {State} state @param {{ name: string, touch: string }} said the selected object's name, and by what */
function describeSelected({ active, clip, objects, point, tool }, said) {
  const isTracked = objects.get(active ?? NaN)?.trail?.some((step) => step.t === "track") ?? false;
  if (point !== null) return t("hint.point", { ...said, point: point + 1 });
  if (clip !== null && tool === "new" && !isTracked) return t("hint.trackIt", said);
  if (tool === "new") return t("hint.selected", said);
  return t(tool === "add" ? "hint.addTo" : "hint.removeFrom", said);
}

/** @param {State} state */
function describeObjects(state) {
  const { tool, active, combining } = state;
  const object = active === null ? undefined : state.objects.get(active);
  const [touch, name] = [String(state.byTouch), shortName(object?.name ?? "")];
  if (combining !== null) return t(`hint.${combining.operation}`, { touch, name });
  if (tool === "brush" || tool === "eraser") return describePainting(tool, object ? name : null);
  if (state.onTop) return t("hint.onTop", { touch });
  if (object) return describeSelected(state, { name, touch });
  if (tool === "remove") return t("hint.remove", { touch });
  if (tool === "new" && state.sticky !== null) return t("hint.class", { touch, name: shortName(state.sticky) });
  if (tool === "add" && state.objects.size > 0) return t("hint.add", { touch });
  if (state.objects.size === 0) return t("hint.first", { touch });
  return t("hint.objects", { touch, count: state.objects.size });
}

/** What is to be made of the selected object and others. @param {State} state */
export function combinationText(state) {
  const { combining, active, objects, clip } = state;
  const name = shortName(objects.get(active ?? NaN)?.name ?? "");
  const others = othersOf(state).map((object) => object.name);
  if (combining === null) return "";
  const said = { name, others: named(others) };
  if (others.length === 0) return t("combine.none", { name });
  return clip ? t(`combining.onClip.${combining.operation}`, said) : t(`combining.${combining.operation}`, said);
}

/** In steps of ten percent, because it is read aloud. @param {Progress} progress */
function describeWork({ stage, fraction, position }) {
  if (stage === "queued") return position ? t("work.place", { place: position }) : t("work.queued");
  if (stage === "decoding") return t("work.decoding");
  const doing = stage === "uploading" || stage === "downloading" ? stage : "encoding";
  return fraction === null ? t(`work.${doing}`) : t(`work.${doing}Share`, { share: percent(Math.floor(fraction * 10) / 10) });
}
