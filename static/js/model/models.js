/**
 * What each model is, in words a person can choose by. Pure.
 */

import { decimal, has, t } from "../words/translate.js";

/** @import { ModelInfo } from "../wire/messages.ts" */

/** Published weights are float32. */
const BYTES_PER_PARAMETER = 4;

/** @param {ModelInfo} model @returns {string} */
export function wordsOf(model) {
  const key = `models.${model.name}`;
  return t(has(key) ? key : "models.other");
}

/**
 * The models that can be used here: an offline server has no others to offer.
 * @param {readonly ModelInfo[]} models
 * @returns {ModelInfo[]}
 */
export function usable(models) {
  return models.filter(({ available, bundled, fetchable }) => available || bundled || fetchable);
}

/** What is to be fetched before it can be used. @param {ModelInfo} model @returns {number} MB, 0 where nothing is */
export function costOf({ available, bundled, params_m }) {
  return available || bundled ? 0 : Math.round(params_m * BYTES_PER_PARAMETER);
}

/** How large it is. @param {ModelInfo} model */
export function sizeOf({ params_m }) {
  return t("models.size", { size: decimal(params_m, params_m < 10 ? 1 : 0) });
}

/**
 * What using it costs first.
 * @param {ModelInfo} model
 * @param {string} current name of the model that runs
 * @returns {string}
 */
export function stateOf(model, current) {
  const size = sizeOf(model);
  const megabytes = costOf(model);
  if (model.name === current) return t("models.inUse", { size });
  if (model.bundled) return t("models.bundled", { size });
  return megabytes > 0 ? t("models.cost", { size, megabytes }) : size;
}
