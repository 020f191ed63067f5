/**
 * Upload of a picture with real progress: `fetch` can't tell how much has left the machine, XMLHttpRequest can.
 */

import { parsed } from "../wire/http.js";
import { Refused } from "../wire/requests.js";
import { refusalText } from "../words/errors.js";
import { t } from "../words/translate.js";

/** @import { PictureFacts } from "../model/types.ts" */

/**
 * Return what the server's answer says.
 * @param {number} status HTTP status
 * @param {string} body
 * @returns {PictureFacts}
 * @throws {Refused} with the server's code
 */
export function readAnswer(status, body) {
  const answer = parsed(body); // a proxy may answer with a page of its own: the status has to do
  if (status >= 200 && status < 300 && typeof answer?.image_id === "string") {
    const { image_id: imageId, width, height, orientation = 1, rendered = false } = answer;
    return { imageId, width, height, orientation, rendered };
  }
  throw refusalOf(status, answer);
}

/** Return the error of an answer that refuses. @param {number} status @param {any} answer parsed @returns {Refused} */
export function refusalOf(status, answer) {
  const told = answer?.detail ? refusalText(answer, status) : t("upload.answered", { status: String(status) });
  return new Refused(String(answer?.detail?.code ?? status), told);
}

/**
 * Send a picture and return the id that the server gave it.
 * @param {string} url
 * @param {Blob} file
 * @param {string} name
 * @param {{ onFraction: (fraction: number) => void, signal: AbortSignal }} options fraction from 0 to 1
 * @returns {Promise<PictureFacts>}
 * @throws {Refused} where the server refuses it or can't be reached; {Error} where the upload was given up
 */
export async function upload(url, file, name, options) {
  const { status, body } = await sent(url, file, name, options);
  return readAnswer(status, body);
}

/** @typedef {{ status: number, body: string, retryAfterS: number }} Answer of HTTP */

/**
 * Send a file.
 * @param {string} url
 * @param {Blob} file
 * @param {string} name
 * @param {{ onFraction: (fraction: number) => void, signal: AbortSignal }} options fraction from 0 to 1
 * @returns {Promise<Answer>}
 * @throws {Refused} where the server can't be reached; {Error} where the upload was given up
 */
export function sent(url, file, name, { onFraction, signal }) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", file, name);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onFraction(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const { status, responseText: body } = request;
      resolve({ status, body, retryAfterS: Number(request.getResponseHeader("retry-after")) || 1 });
    });
    request.addEventListener("error", () => reject(new Refused("unreached", t("upload.unreached"))));
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
