/**
 * Ways in for a picture: the file dialog, a drop anywhere, the clipboard, the samples.
 */

/** @import { Picture } from "./state.js" */

/**
 * Return the picture of a file, upright. One that this browser can't show has no bitmap: the server has the word on it.
 * @param {Blob} file @param {string} name
 * @returns {Promise<Picture>}
 */
export async function readPicture(file, name) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    return { file, name, bitmap, width: bitmap.width, height: bitmap.height };
  } catch {
    return { file, name, bitmap: null, width: 0, height: 0 };
  }
}

/**
 * Fetch a sample that ships with the page.
 * @param {string} url @returns {Promise<Blob>}
 * @throws {Error} where it can't be had
 */
export async function fetchSample(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The sample can't be loaded: the server answered ${response.status}.`);
  return response.blob();
}

/** Call back while files are dragged over the page, and with the one that is dropped. @param {(over: boolean) => void} onOver @param {(file: File) => void} onFile */
export function bindDrop(onOver, onFile) {
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
      onOver(true);
    } else if (!(event.target instanceof HTMLInputElement) && event.dataTransfer) {
      event.preventDefault(); // a link that is dropped would lead away from the work
      event.dataTransfer.dropEffect = "none";
    }
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) onOver(false);
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    onOver(false);
    const file = event.dataTransfer?.files[0];
    if (file) onFile(file);
  });
}

/** Call back with a picture that is pasted. @param {(file: File) => void} onFile */
export function bindPaste(onFile) {
  addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) onFile(file);
  });
}
