/**
 * What the server refuses, in the page's words.
 */

import { has, t } from "./translate.js";

/** @import { Values } from "./message-format.js" */

/**
 * An error as the socket and HTTP tell it: `code` and `reason` for programs, `message` for people who read English.
 * @typedef {{ code?: string, message?: string, reason?: string | null, values?: Values | null }} Told
 */

/**
 * What is said of an error: by its reason, else by its code, else as a newer server says it itself.
 * @param {Told} error
 * @returns {string} empty where it says nothing
 */
export function errorText({ code = "", message = "", reason, values }) {
  const [exact, general] = [`error.${reason}`, `code.${code}`];
  if (has(exact)) return t(exact, placed(values ?? {}));
  return has(general) ? t(general) : message;
}

/**
 * What is said of an answer over HTTP that is an error.
 * @param {any} reply parsed JSON, or null where it was none
 * @param {number} status
 * @returns {string}
 */
export function refusalText(reply, status) {
  const detail = reply?.detail;
  const text = typeof detail === "string" ? detail : errorText(detail ?? {});
  return text || t("error.answered", { status: String(status) });
}

/**
 * A place in a file, such as `line 3`.
 * @param {string} where as the server has it
 */
export function placeText(where) {
  const [, kind, number] = /^(line|annotation|shape|object|number|category) (\d+)$/.exec(where) ?? [];
  const [one, other] = [`where.${kind}`, `where.${where}`];
  if (has(one)) return t(one, { number: Number(number) });
  return has(other) ? t(other) : where;
}

/** @param {Values} values @returns {Values} with places in words */
function placed(values) {
  /** @param {string} name */
  const at = (name) => (typeof values[name] === "string" ? { [name]: placeText(String(values[name])) } : {});
  return { ...values, ...at("where"), ...at("first") };
}
