/**
 * ICU MessageFormat, as much of it as the page's table of words needs: `{name}`, `{count, plural, one {# object}
 * other {# objects}}`, `{kind, select, box {a box} other {a point}}`. Pure.
 *
 * Decision: own code for a known format. Context: the page has no build step and pays for each byte, and whoever
 * translates has tools for ICU messages. Choice: the two kinds of branches and `#`; numbers, lists and plurals are
 * `Intl`'s. Price: no dates, no ordinals and no quoted braces, until a word needs them.
 */

/** @typedef {string | number | readonly string[]} Value */
/** @typedef {Readonly<Record<string, Value>>} Values */
/** @typedef {{ name: string, plural: boolean, branches: Map<string, Part[]> }} Branching */
/** @typedef {string | { name: string } | Branching | "#"} Part */

const HOLE = /\{\s*(\w+)\s*(?:,\s*(plural|select)\s*,\s*)?/y;
const BRANCH = /\s*(=?\w+)\s*\{/y;
/** Stands for the number of the plural around it. */
const COUNT = Object.freeze({ name: "#" });

/** Reads one message from its beginning to its end. */
class Reader {
  at = 0;

  /** @param {string} message */
  constructor(message) {
    this.message = message;
  }

  /** @param {RegExp} pattern sticky @returns {RegExpExecArray | null} what stands here, passed over */
  #take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.message);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  /** @param {boolean} counted within a plural @param {boolean} whole up to the message's end @returns {Part[]} */
  parts(counted, whole) {
    /** @type {Part[]} */
    const parts = [];
    while (this.at < this.message.length) {
      const char = this.message[this.at];
      if (char === "}" && !whole) return parts;
      if (char === "{") parts.push(this.#hole(counted));
      else if (char === "#" && counted) {
        this.at += 1;
        parts.push(COUNT);
      } else parts.push(this.#text(counted));
    }
    if (whole) return parts;
    throw this.#wrong();
  }

  /** @param {boolean} counted @returns {string} */
  #text(counted) {
    const begin = this.at;
    do this.at += 1; while (this.at < this.message.length && !(counted ? "{}#" : "{}").includes(this.message[this.at]));
    return this.message.slice(begin, this.at);
  }

  /** @param {boolean} counted @returns {Part} */
  #hole(counted) {
    const [, name, kind] = this.#take(HOLE) ?? [];
    if (name === undefined) throw this.#wrong();
    const branches = new Map();
    for (let branch = kind && this.#take(BRANCH); branch; branch = this.#take(BRANCH)) {
      branches.set(branch[1], this.parts(counted || kind === "plural", false));
      this.at += 1;
    }
    if (!this.#take(/\s*\}/y) || (kind && !branches.has("other"))) throw this.#wrong();
    return kind ? { name, plural: kind === "plural", branches } : { name };
  }

  #wrong() {
    return new SyntaxError(`at ${this.at} of "${this.message}"`);
  }
}

/**
 * @param {string} message
 * @returns {Part[]} what it is made of
 * @throws {SyntaxError} where it is no message
 */
export function parse(message) {
  return new Reader(message).parts(false, true);
}

/** Writes messages of one language. */
export class Formatter {
  /** @param {string} locale BCP 47 @param {boolean} isolates names that run the other way are kept apart */
  constructor(locale, isolates) {
    this.isolates = isolates;
    this.plurals = new Intl.PluralRules(locale);
    this.numbers = new Intl.NumberFormat(locale);
    this.lists = new Intl.ListFormat(locale, { type: "conjunction" });
  }

  /**
   * @param {readonly Part[]} parts
   * @param {Values} values
   * @param {number} [count] of the plural around them
   * @returns {string}
   */
  format(parts, values, count = NaN) {
    return parts.map((part) => {
      if (typeof part === "string") return part;
      if (part.name === "#") return this.numbers.format(count);
      if (!("branches" in part)) return this.#written(values[part.name]);
      const { name, plural, branches } = part;
      const value = values[name];
      const number = plural ? Number(value) : count;
      const branch = (plural && branches.get(`=${value}`)) || branches.get(plural ? this.plurals.select(number) : String(value));
      return this.format(branch ?? branches.get("other") ?? [], values, number);
    }).join("");
  }

  /** @param {Value | undefined} value */
  #written(value) {
    if (typeof value === "number") return this.numbers.format(value);
    if (Array.isArray(value)) return this.lists.format(value.map((one) => this.#apart(one)));
    return this.#apart(String(value ?? ""));
  }

  /** A name that runs the other way would change places with what stands beside it. @param {string} text */
  #apart(text) {
    return this.isolates || RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
  }
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
