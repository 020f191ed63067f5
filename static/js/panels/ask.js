/**
 * The one question of the page: whether the objects of this picture may go for another one.
 */

import { plural, shortName } from "../model/words.js";
import { find, setText } from "./dom.js";

/** @import { Studio } from "../session/studio.js" */

/**
 * Ask, where there are objects. Closing the question, or asking again, means to stay.
 * @param {Studio} studio @param {string} name of the other picture
 * @returns {Promise<boolean>} the other picture may be opened
 */
export async function mayLeave({ state, atStake }, name) {
  if (atStake === 0) return true;
  const dialog = /** @type {HTMLDialogElement} */ (find("ask"));
  if (dialog.open) dialog.close("stay");
  const objects = plural(atStake, "object");
  setText(find("ask-text"), `The ${objects} of “${shortName(state.picture?.name ?? "")}” will be gone when “${shortName(name)}” is opened. Save first what you need.`);
  dialog.returnValue = "stay";
  dialog.showModal();
  await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
  return dialog.returnValue === "open";
}
