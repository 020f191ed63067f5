/**
 * What each model is, in words a person can choose by. Pure.
 */

/** @import { ModelInfo } from "../wire/messages.ts" */

/** @type {Record<string, string>} */
const WORDS = {
  nano: "Demonstration model, works offline; its masks are rough.",
  tiny: "SAM 2.1, the quickest to study a picture.",
  small: "SAM 2.1, a little finer than tiny.",
  base_plus: "SAM 2.1, finer edges, about twice tiny’s wait.",
  large: "SAM 2.1, the finest; slow without a graphics card.",
};
/** Published weights are float32. */
const BYTES_PER_PARAMETER = 4;

/** @param {ModelInfo} model @returns {string} */
export function wordsOf(model) {
  return WORDS[model.name] ?? "SAM 2.1.";
}

/**
 * The models that can be used here: an offline server has no others to offer.
 * @param {readonly ModelInfo[]} models
 * @returns {ModelInfo[]}
 */
export function usable(models) {
  return models.filter(({ available, bundled, fetchable }) => available || bundled || fetchable);
}

/** What is to be fetched before it can be used. @param {ModelInfo} model @returns {string} empty where nothing is */
export function costOf({ available, bundled, params_m }) {
  return available || bundled ? "" : ` · ${Math.round(params_m * BYTES_PER_PARAMETER)} MB to fetch`;
}

/**
 * What using it costs first.
 * @param {ModelInfo} model
 * @param {string} current name of the model that runs
 * @returns {string}
 */
export function stateOf(model, current) {
  const size = `${model.params_m.toFixed(model.params_m < 10 ? 1 : 0)} M parameters`;
  if (model.name === current) return `${size} · in use`;
  if (model.bundled) return `${size} · comes with HoverSAM`;
  return size + costOf(model);
}
