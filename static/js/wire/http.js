/**
 * What the page asks the server beside its socket: to be let in, and what the models run on.
 */

import { errorText } from "../words/errors.js";
import { t } from "../words/translate.js";

/**
 * What the server says to a page whose socket it may not take; a browser tells a page nothing of a socket that never
 * opened.
 * @typedef {object} Admission
 * @property {string | null} ticket to be shown by the socket
 * @property {string | null} refusal a sentence for the person, where there is no ticket
 * @property {boolean} isFinal asking again changes nothing before somebody has changed something
 */

const WAIT_MS = 10000;
/** The subprotocol in which a socket shows its ticket begins so. */
export const TICKET_PREFIX = "hoversam.ticket.";

/**
 * @param {string} body of an answer
 * @returns {any} null where it isn't JSON: the words of a proxy, or of a server that is full of connections
 */
export function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/**
 * What an answer to the request for a ticket means. Pure.
 * @param {number} status HTTP status @param {string} body
 * @returns {Admission | null} null where the server itself was not reached, or doesn't say why
 */
export function readAdmission(status, body) {
  const answer = parsed(body);
  if (status === 200 && typeof answer?.ticket === "string") return { ticket: answer.ticket, refusal: null, isFinal: false };
  if (status === 403 && typeof answer?.detail?.message === "string") {
    return { ticket: null, refusal: t("line.refused", { reason: errorText(answer.detail) }), isFinal: true };
  }
  if (status === 401 || status === 403) {
    return { ticket: null, refusal: t("line.proxyRefused", { status: String(status) }), isFinal: true };
  }
  if (status === 503 && answer === null && body !== "") {
    return { ticket: null, refusal: t("line.later", { reason: body.slice(0, 200) }), isFinal: false };
  }
  return null;
}

/** Ask the server. @param {string} url @returns {Promise<Admission | null>} null where nobody answers */
export async function askForAdmission(url) {
  try {
    const response = await fetch(url, { method: "POST", signal: AbortSignal.timeout(WAIT_MS) });
    return readAdmission(response.status, await response.text());
  } catch {
    return null;
  }
}

/**
 * Ask what the models run on, in the server's words: it may have changed since the page was rendered.
 * @param {string} url
 * @returns {Promise<Record<string, string> | null>} by the model's name; null where nobody answers
 */
export async function fetchEngines(url) {
  try {
    const response = await fetch(url);
    return response.ok ? await response.json() : null;
  } catch {
    return null; // the server has gone; its next welcome has it asked again
  }
}
