/**
 * Ways out for files: a download, the clipboard.
 */

import { t } from "../words/translate.js";

/** @import { FileMessage } from "../wire/messages.ts" */

/** @typedef {{ name: string, blob: Blob }} Received a file that is here */

/**
 * Return a file, fetched where it was too large for a message; a browser keeps a large blob on its disk.
 * @param {FileMessage} file @returns {Promise<Received>}
 * @throws {Error} where it can't be had, in words
 */
export async function received({ name, media_type: type, data, url }) {
  if (!url) return { name, blob: new Blob([data], { type }) };
  const response = await fetch(new URL(url, document.baseURI)).catch(() => null);
  if (response === null) throw new Error(t("error.notFetched", { file: name }));
  if (!response.ok) throw new Error(t("error.fetchAnswered", { file: name, status: String(response.status) }));
  try {
    return { name, blob: await response.blob() };
  } catch {
    throw new Error(t("error.fetchCut", { file: name }));
  }
}

/** Have the browser save a file under the server's name. @param {Received} file */
export function download(file) {
  const url = URL.createObjectURL(file.blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @returns {boolean} pictures can be copied here; browsers allow it on https and on this machine only */
export function canCopy() {
  return typeof ClipboardItem !== "undefined" && navigator.clipboard?.write !== undefined;
}

/**
 * Put a PNG that is being made on the clipboard. Called in the gesture itself, because browsers take no later call.
 * @param {Promise<Received>} file
 * @throws {Error} what hindered the making, else that the browser refused, in words
 */
export async function copyPng(file) {
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": file.then(({ blob }) => blob) })]);
  } catch {
    await file;
    throw new Error(t("save.refusedCopy"));
  }
}
