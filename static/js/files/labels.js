/**
 * Label files of other programs, read by the server. Fetched when it is first wanted.
 */

import { refusalText } from "../words/errors.js";
import { t } from "../words/translate.js";

/** @import { OpenPicture } from "../model/types.ts" */
/** @import { Labels } from "../wire/messages.ts" */

/**
 * Have the server read a label file.
 * @param {string} url that reads them
 * @param {{ file: Blob, name: string }} labels
 * @param {OpenPicture} picture that the labels are of
 * @param {{ classes: readonly string[], room: number }} session names of its classes, and room for how many objects
 * @returns {Promise<Labels>}
 * @throws {Error} with what is wrong, in words
 */
export async function labelsIn(url, { file, name }, picture, { classes, room }) {
  const query = new URLSearchParams({ image_id: picture.imageId, name, picture: picture.name, room: String(room) });
  if (/\.txt$/i.test(name)) query.set("classes", JSON.stringify(classes)); // it has their numbers alone
  const body = new FormData();
  body.append("file", file);
  const response = await fetch(`${url}?${query}`, { method: "POST", body }).catch(() => null);
  if (response === null) throw new Error(t("error.notRead", { file: name }));
  const reply = await response.json().catch(() => null);
  if (!response.ok) throw new Error(t("error.ofFile", { file: name, reason: refusalText(reply, response.status) }));
  return reply;
}
