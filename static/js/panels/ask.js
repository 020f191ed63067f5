/**
 * The one question of the page that has two answers: whether something may go, or what a file is meant as.
 */

import { find, setText } from "./dom.js";
import { t } from "../words/translate.js";

/**
 * Ask. Closing the question, or asking again, means no.
 * @param {{ title: string, text: string, yes: string, no?: string }} question
 * @returns {Promise<boolean>}
 */
export async function ask({ title, text, yes, no = t("ask.no") }) {
  const dialog = /** @type {HTMLDialogElement} */ (find("ask"));
  if (dialog.open) dialog.close("no");
  setText(find("ask-title"), title);
  setText(find("ask-text"), text);
  setText(find("ask-yes"), yes);
  setText(find("ask-no"), no);
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
  return dialog.returnValue === "yes";
}
