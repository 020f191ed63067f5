/**
 * Ways out for files: a download, the clipboard.
 */

/** @import { FileMessage } from "./protocol.js" */

/** @param {FileMessage} file @returns {Blob} */
export function blobOf(file) {
  return new Blob([file.data], { type: file.media_type });
}

/** Have the browser save a file under the server's name. @param {FileMessage} file */
export function download(file) {
  const url = URL.createObjectURL(blobOf(file));
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
 * @param {Promise<FileMessage>} file
 * @throws {Error} what hindered the making, else that the browser refused, in words
 */
export async function copyPng(file) {
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": file.then(blobOf) })]);
  } catch {
    await file;
    throw new Error("The browser didn’t allow the copy; save the cutout instead.");
  }
}
