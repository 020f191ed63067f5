/**
 * Clips on their way to the server. Fetched when the first clip comes.
 */

import { parsed } from "../wire/http.js";
import { Refused } from "../wire/requests.js";
import { refusalOf, sent } from "./upload.js";
import { ZipWriter } from "./zip.js";
import { t } from "../words/translate.js";

/** @import { Length } from "../model/clip.js" */
/** @import { Answer } from "./upload.js" */
/** @import { ClipPart, Picture, PictureFacts } from "../model/types.ts" */

/** How often a server that has much to do is asked again. */
const MAX_TRIES = 20;

/**
 * @typedef {object} Sending
 * @property {(fraction: number) => void} onFraction how much of it has left, 0 to 1
 * @property {AbortSignal} signal
 * @property {(length: Length) => Promise<ClipPart | null>} choose a part of a clip that is too long; null for none
 */

/**
 * Send a clip; of one that is too long, have a part chosen.
 * @param {string} url of clips
 * @param {Pick<Picture, "file" | "name" | "clip">} picture
 * @param {Sending} sending
 * @returns {Promise<PictureFacts>}
 * @throws {Refused} where the server refuses it, can't be reached, or no part is chosen
 */
export async function uploadClip(url, { file, name, clip }, { onFraction, signal, choose }) {
  let part = clip?.part ?? null;
  let answer = await sent(`${url}${queryOf(part)}`, file, name, { onFraction, signal });
  for (let tries = 1; !isTaken(answer); tries += 1) {
    const length = lengthOf(answer);
    if (length !== null) {
      part = await choose(length);
      signal.throwIfAborted();
      if (part === null) throw new Refused("given_up", t("clip.noPart"));
      answer = await posted(`${url}/${length.file_id}/parts${queryOf(part)}`, signal);
    } else if (answer.status === 503 && tries < MAX_TRIES) {
      const pauseMs = 1000 * Math.min(answer.retryAfterS, 10);
      await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
      signal.throwIfAborted();
      answer = await sent(`${url}${queryOf(part)}`, file, name, { onFraction, signal });
    } else throw refusalOf(answer.status, parsed(answer.body));
  }
  return factsOf(parsed(answer.body), part);
}

/** @param {Answer} answer */
function isTaken({ status, body }) {
  return status >= 200 && status < 300 && typeof parsed(body)?.clip_id === "string";
}

/** How long a clip is that is too long. @param {Answer} answer @returns {Length & { file_id: string } | null} */
function lengthOf({ body }) {
  const { code, values } = parsed(body)?.detail ?? {};
  return code === "CLIP_TOO_LONG" && typeof values?.file_id === "string" ? values : null;
}

/** @param {ClipPart | null} part @returns {string} */
function queryOf(part) {
  if (part === null) return "";
  const [begin, end, rate] = [part.begin, part.end, part.rate].map(String);
  return `?${new URLSearchParams({ begin, end, rate })}`;
}

/** @param {any} reply @param {ClipPart | null} part @returns {PictureFacts} */
function factsOf({ clip_id: id, width, height, times, duration }, part) {
  return { imageId: id, width, height, orientation: 1, rendered: false, clip: { part, id, times, duration } };
}

/** @param {string} url @param {AbortSignal} signal @returns {Promise<Answer>} */
async function posted(url, signal) {
  const response = await fetch(url, { method: "POST", signal }).catch(() => null);
  signal.throwIfAborted();
  if (response === null) throw new Refused("unreached", t("upload.unreached"));
  const retryAfterS = Number(response.headers.get("retry-after")) || 1;
  return { status: response.status, body: await response.text(), retryAfterS };
}

/**
 * Pack the frames of a folder, in the order of their names as people count.
 * @param {readonly { file: Blob, name: string }[]} frames @returns {Promise<Blob>} a ZIP
 */
export async function packed(frames) {
  const zip = new ZipWriter();
  for (const [place, { file, name }] of frames.entries()) await zip.add(`${String(place).padStart(6, "0")}-${name}`, file);
  return zip.finish();
}
