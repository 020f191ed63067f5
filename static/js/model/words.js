/**
 * What the page says about its state, in sentences a person reads or hears. Pure.
 */

import { maskOf, scopesOf } from "./state.js";

/** @import { LineState, SetOperation } from "../wire/messages.ts" */
/** @import { ObjectState, Progress, State, Tool } from "./types.ts" */

/** What each tool does. @type {Record<Tool, string>} */
export const TOOLS = {
  new: "New: a click makes an object.",
  add: "Add: a click adds to the selected object.",
  remove: "Remove: a click removes from the selected object.",
  brush: "Brush: paints in the selected object, or a new one.",
  eraser: "Eraser: erases from the selected object.",
};

/** @type {Record<LineState, string>} */
const CONNECTION = { connecting: "Connecting", ready: "Connected", waiting: "Reconnecting", full: "Server is full", ended: "Disconnected" };

/** @param {State} state */
export function connectionText(state) {
  const lag = state.connection === "ready" && state.roundTripMs !== null ? ` · ${Math.round(state.roundTripMs)} ms` : "";
  return CONNECTION[state.connection] + lag;
}

/** @param {number} count @param {string} noun @param {string} [several] */
export function plural(count, noun, several = `${noun}s`) {
  return `${count} ${count === 1 ? noun : several}`;
}

/** How closely outlines follow their masks. @param {number | undefined} tolerance pixels */
export function toleranceText(tolerance) {
  if (tolerance === undefined) return "as close as seen";
  return tolerance === 0 ? "exact" : `up to ${tolerance} px off`;
}

/**
 * What outlines are like.
 * @param {readonly { polygons: number[][], polygons_differ: number, area: number }[]} things
 */
export function outlineText(things) {
  /** @param {(thing: typeof things[number]) => number} of */
  const sum = (of) => things.reduce((total, thing) => total + of(thing), 0);
  const points = sum(({ polygons }) => polygons.reduce((count, { length }) => count + length / 2, 0));
  const [differ, area] = [sum((thing) => thing.polygons_differ), sum((thing) => thing.area)];
  const share = area > 0 ? ` (${((100 * differ) / area).toFixed(1)} %)` : "";
  return `${points.toLocaleString("en")} points; ${differ.toLocaleString("en")} pixels differ${share}`;
}

/** What a file of the shown objects lacks. @param {State} state @returns {string} empty where it lacks nothing */
export function leftOut(state) {
  const { hidden } = scopesOf(state);
  const names = hidden.map((id) => shortName(state.objects.get(id)?.name ?? ""));
  if (names.length === 0) return "";
  const told = names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} others` : names.join(", ");
  return `Hidden and left out: ${told}.`;
}

/** @param {string} name of a file @param {number} bytes @param {number} maxBytes that the server takes */
export function tooLarge(name, bytes, maxBytes) {
  return `“${shortName(name)}” has ${(bytes / 2 ** 20).toFixed(1)} MiB; this server takes pictures up to ${(maxBytes / 2 ** 20).toFixed(0)} MiB.`;
}

/** A name for the middle of a sentence, which has room for two lines. @param {string} name */
export function shortName(name) {
  const letters = [...name];
  return letters.length > 24 ? `${letters.slice(0, 23).join("").trimEnd()}…` : name;
}

/**
 * What is known of an object, in a few words: its prompts, its area, the model's own opinion of it.
 * @param {ObjectState} object
 */
export function factsOf(object) {
  const mask = maskOf(object);
  const prompts = object.box ? ["box"] : [];
  const trail = object.trail ?? [];
  const strokes = trail.filter(({ t }) => t === "stroke").length;
  if (trail[0]?.t === "mask") prompts.unshift("given");
  if (strokes > 0) prompts.push(plural(strokes, "stroke"));
  if (object.points.length > 0) prompts.push(plural(object.points.length, "point"));
  const facts = [...prompts, `${(mask?.area ?? 0).toLocaleString("en")} px`];
  const isAsked = trail.length === 0 || trail.some(({ t }) => t === "point" || t === "box" || t === "refine");
  if (mask && isAsked) facts.push(`${Math.round(Math.min(1, Math.max(0, mask.score)) * 100)} %`);
  return facts.map((fact) => fact.replaceAll(" ", "\u00a0")).join("\u00a0· "); // lines break between facts only
}

/**
 * The calm sentence under the picture: where things stand and what can be done.
 * @param {State} state
 * @returns {string}
 */
export function describe(state) {
  if (state.connection === "ended") return "Disconnected.";
  if (state.connection === "full") return "The server is full; trying again. What you do meanwhile isn’t lost.";
  if (state.connection !== "ready" && state.picture) return "The connection is lost; trying again. What you do meanwhile isn’t lost.";
  if (state.pending) return describeWork(state.pending);
  if (state.restoring) return "Bringing your picture and objects back…";
  if (state.switching) return `Changing to ${state.switching.name}, go on meanwhile. ${describeWork(state.switching)}`;
  if (state.making) return `Making ${state.making}…`;
  if (state.picture === null) return state.byTouch ? "Choose a picture, or try a sample." : "Drop a picture, choose a file, or try a sample.";
  if (state.picture.provisional) return `Rough masks for now: go on while ${state.model} studies the picture.`;
  return describeObjects(state);
}

/** @type {Record<SetOperation, string>} */
const COMBINED = { union: "to merge with", difference: "to cut out of", intersection: "to intersect with" };

/** @param {"brush" | "eraser"} tool @param {ObjectState | undefined} object that is selected */
function describePainting(tool, object) {
  if (tool === "eraser") return `Erase from ${object ? shortName(object.name) : "an object"}; what you erase stays away.`;
  if (object) return `Paint in ${shortName(object.name)}; what you paint stays.`;
  return "Paint an object, or select one first to paint in it.";
}

/** @param {State} state @param {string} name of the selected object @param {string} click what one does */
function describeSelected({ point, tool, byTouch }, name, click) {
  if (point !== null) return `Point ${point + 1} of ${name} is selected: drag it, or delete it.`;
  if (tool !== "new") return `${click} to ${tool === "add" ? "add to" : "remove from"} ${name}.`;
  const then = byTouch
    ? "Tap something else to make another, or choose Add or Remove to change it."
    : "Shift + click adds to it, Alt + click removes from it.";
  return `${name} is selected. ${then}`;
}

/** @param {State} state */
function describeObjects(state) {
  const { tool, byTouch } = state;
  const object = state.active === null ? undefined : state.objects.get(state.active);
  const click = byTouch ? "Tap" : "Click";
  if (state.combining !== null) return `${click} the object ${COMBINED[state.combining]} ${shortName(object?.name ?? "")}.`;
  if (tool === "brush" || tool === "eraser") return describePainting(tool, object);
  if (state.onTop) return `${click} to make an object on top of what is there.`;
  if (object) return describeSelected(state, shortName(object.name), click);
  if (tool === "remove") return `${click} an object to remove from it.`;
  if (tool === "new" && state.sticky !== null) return `${click} something: it is a new object of the class ${shortName(state.sticky)}.`;
  if (tool === "add" && state.objects.size > 0) return `${click} an object to add to it, or something else to make one.`;
  if (state.objects.size === 0) return byTouch ? "Hold a finger on something to see it, tap to make it an object." : "Point at something. Click to make it an object, or drag a box.";
  return `${plural(state.objects.size, "object")}. ${click} one to select it, or something else to make another.`;
}

/** In steps of ten percent, because it is read aloud. @param {Progress} progress */
function describeWork({ stage, fraction, position }) {
  const percent = fraction === null ? "" : ` ${Math.floor(fraction * 10) * 10}%`;
  switch (stage) {
    case "uploading": return `Uploading…${percent}`;
    case "queued": return position ? `Waiting for the model, number ${position} in line…` : "Waiting for the model…";
    case "decoding": return "Reading the picture…";
    case "downloading": return `Fetching the model…${percent}`;
    default: return `Studying the picture…${percent}`;
  }
}
