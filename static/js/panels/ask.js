/**
 * The one question of the page: whether something may go that can't be brought back.
 */

import { find, setText } from "./dom.js";

/**
 * Ask. Closing the question, or asking again, means no.
 * @param {{ title: string, text: string, yes: string }} question
 * @returns {Promise<boolean>}
 */
export async function ask({ title, text, yes }) {
  const dialog = /** @type {HTMLDialogElement} */ (find("ask"));
  if (dialog.open) dialog.close("no");
  setText(find("ask-title"), title);
  setText(find("ask-text"), text);
  setText(find("ask-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
  return dialog.returnValue === "yes";
}
