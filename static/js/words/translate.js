/**
 * The page's words: every sentence that a person sees or hears stands in the table that came with the page, and is
 * said by its key. Numbers are written as the page's language writes them.
 */

import { Formatter, parse } from "./message-format.js";

/** @import { Part, Values } from "./message-format.js" */

/** @typedef {keyof typeof import("../../words/en.json")} Key */

/**
 * Decision: the language is the page's own state, as the document is. Context: words are said in some forty modules,
 * pure ones too, and one page speaks one language from its first to its last moment. Choice: one table, read from the
 * page when the first word is said. Price: tests without a page give one.
 * @type {Words | null}
 */
let words = null;

class Words {
  /** @type {Map<string, Part[]>} */
  #parsed = new Map();
  /** @type {Map<string, Intl.NumberFormat>} */
  #numbers = new Map();

  /** @param {Record<string, string>} table @param {string} locale */
  constructor(table, locale) {
    this.table = table;
    this.locale = locale;
    this.formatter = new Formatter(locale, table["page.direction"] === "rtl");
  }

  /** @param {string} key @param {Values} values */
  say(key, values) {
    let parts = this.#parsed.get(key);
    if (!parts) this.#parsed.set(key, parts = parse(this.table[key] ?? key));
    return this.formatter.format(parts, values);
  }

  /** @param {number} value @param {Intl.NumberFormatOptions} options */
  number(value, options) {
    const kind = JSON.stringify(options);
    let format = this.#numbers.get(kind);
    if (!format) this.#numbers.set(kind, format = new Intl.NumberFormat(this.locale, options));
    return format.format(value);
  }
}

/** Speak these words from now on. @param {Record<string, string>} table @param {string} locale BCP 47 */
export function speak(table, locale) {
  words = new Words(table, locale);
}

/** @returns {Words} */
function spoken() {
  if (words === null) speak(JSON.parse(document.getElementById("words")?.textContent ?? "{}"), document.documentElement.lang);
  return /** @type {Words} */ (words);
}

/**
 * Say something of the table.
 * @param {Key} key
 * @param {Values} [values] what it is about; a number is written, and chooses the plural, a list is joined
 * @returns {string}
 */
export function t(key, values = {}) {
  return spoken().say(key, values);
}

/** Whether the table has such a key: one that is made of a code. @param {string} key @returns {key is Key} */
export function has(key) {
  return Object.hasOwn(spoken().table, key);
}

/** @param {number} value @param {number} digits behind the point */
export function decimal(value, digits) {
  return spoken().number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A time of a clip: minutes, seconds and tenths. @param {number} seconds @returns {string} */
export function timeText(seconds) {
  const tenths = Math.floor(10 * seconds + 1e-6);
  const digits = { minimumIntegerDigits: 2, minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const rest = spoken().number((tenths % 600) / 10, digits);
  return `${decimal(Math.floor(tenths / 600), 0)}:${rest}`;
}

/** @param {number} share 0 to 1 @param {number} [digits] behind the point */
export function percent(share, digits = 0) {
  return spoken().number(share, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
}
