/**
 * What the page says about its state, in sentences a person reads or hears. Pure.
 */

import { maskOf } from "./state.js";

/** @import { Connection, ObjectState, State, Work } from "./state.js" */

/** @type {Record<Connection, string>} */
const CONNECTION = { connecting: "Connecting", ready: "Connected", waiting: "Reconnecting", full: "Server is full", ended: "Disconnected" };

/** @param {State} state */
export function connectionText(state) {
  const lag = state.connection === "ready" && state.roundTripMs !== null ? ` · ${Math.round(state.roundTripMs)} ms` : "";
  return CONNECTION[state.connection] + lag;
}

/** @param {number} count @param {string} noun */
export function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A name for the middle of a sentence, which has room for two lines. @param {string} name */
export function shortName(name) {
  const letters = [...name];
  return letters.length > 24 ? `${letters.slice(0, 23).join("").trimEnd()}…` : name;
}

/** What is known of an object, in a few words: its prompts, its area, the model's own opinion of it. @param {ObjectState} object */
export function factsOf(object) {
  const mask = maskOf(object);
  const prompts = object.box ? ["box"] : [];
  if (object.points.length > 0) prompts.push(plural(object.points.length, "point"));
  const facts = [...prompts, `${(mask?.area ?? 0).toLocaleString("en")} px`];
  if (mask) facts.push(`${Math.round(Math.min(1, Math.max(0, mask.score)) * 100)} %`);
  return facts.map((fact) => fact.replaceAll(" ", "\u00a0")).join("\u00a0· "); // lines break between facts only
}

/**
 * The calm sentence under the picture: where things stand and what can be done.
 * @param {State} state
 * @returns {string}
 */
export function describe(state) {
  if (state.connection === "ended") return "Disconnected.";
  if (state.connection === "full") return "The server is full; trying again. What you do meanwhile is kept.";
  if (state.connection !== "ready" && state.picture) return "The connection is lost; trying again. What you do meanwhile is kept.";
  if (state.pending) return describeWork(state.pending);
  if (state.restoring) return "Bringing your picture and objects back…";
  if (state.switching) return `Changing to ${state.switching.name}, go on meanwhile. ${describeWork(state.switching)}`;
  if (state.making) return `Making ${state.making}…`;
  if (state.picture === null) return state.byTouch ? "Choose a picture, or try a sample." : "Drop a picture, choose a file, or try a sample.";
  return describeObjects(state);
}

/** @param {State} state */
function describeObjects(state) {
  const object = state.active === null ? undefined : state.objects.get(state.active);
  if (object) return `${`Refining ${shortName(object.name)}.`.replace("….", "…")} ${state.byTouch ? "Switch to − to take away; ✓ keeps it." : "A right click takes away, Enter keeps it."}`;
  if (state.objects.size === 0) return state.byTouch ? "Hold a finger on something to see it, tap to keep it." : "Point at something. Click to keep it, or drag a box.";
  return `${plural(state.objects.size, "object")} kept. Point at the next, or refine one.`;
}

/** In steps of ten percent, because it is read aloud. @param {Work} work */
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
