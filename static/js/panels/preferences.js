/**
 * How a person likes the page to look: kept in this browser, over all pictures and visits.
 */

/** @import { Look } from "../canvas/types.ts" */

/** @typedef {"system" | "light" | "dark"} Theme */
/** @typedef {Look & { theme: Theme, hinted: boolean }} Preferences `hinted`: the first hint was put away */

const KEY = "hoversam.preferences";
/** The steps of the O key. */
const OPACITIES = [0.2, 0.4, 0.6, 0.8];
export const DEFAULTS = Object.freeze({ opacity: 0.4, outlines: false, theme: /** @type {Theme} */ ("system"), hinted: false });

/** @param {string | null} text @returns {Preferences} defaults for what is missing or isn't what it should be */
export function readPreferences(text) {
  /** @type {any} */
  let kept = {};
  try {
    kept = JSON.parse(text ?? "{}") ?? {};
  } catch {
    // Somebody else's text: begin anew.
  }
  return {
    opacity: typeof kept.opacity === "number" && kept.opacity >= 0 && kept.opacity <= 1 ? kept.opacity : DEFAULTS.opacity,
    outlines: kept.outlines === true,
    theme: ["light", "dark"].includes(kept.theme) ? kept.theme : DEFAULTS.theme,
    hinted: kept.hinted === true,
  };
}

/** The next step of the O key. @param {number} opacity @returns {number} */
export function nextOpacity(opacity) {
  return OPACITIES.find((one) => one > opacity + 0.01) ?? OPACITIES[0];
}

/** @returns {Preferences} */
export function loadPreferences() {
  try {
    return readPreferences(localStorage.getItem(KEY));
  } catch {
    return { ...DEFAULTS }; // storage is switched off
  }
}

/** Keep and apply. @param {Preferences} preferences */
export function applyPreferences(preferences) {
  if (preferences.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = preferences.theme;
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Storage is switched off or full: it holds for this visit.
  }
}
