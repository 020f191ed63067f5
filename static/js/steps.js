/**
 * What one undo takes back: some things that a person does in one go are several steps to the server. Pure.
 *
 * Decision: the page counts, and sends several undos for one. Context: a click takes the candidate that was shown while
 * hovering, and that is a `click` and a `choose`. Choice: each step of the server is noted as tied to the one before it or
 * not; undo and redo go over ties. Price: steps that the page didn't see being made are taken back one at a time.
 */

/** Older steps are taken back one at a time. */
const MAX_STEPS = 2048;

export class Steps {
  /** @type {boolean[]} of each step, oldest first: it belongs to the one before it */
  #past = [];
  /** @type {boolean[]} what was undone, the newest first */
  #future = [];

  /** The server made a step. */
  did() {
    this.#past.push(false);
    if (this.#past.length > MAX_STEPS) this.#past.shift();
    this.#future = [];
  }

  /** The newest steps are one with what came before them. @param {number} [count] how many */
  tie(count = 1) {
    this.#past.fill(true, Math.max(0, this.#past.length - count));
  }

  /** @returns {number} how many times the server is to undo now */
  back() {
    let count = 0;
    for (let tied = true; tied; count += 1) {
      tied = this.#past.pop() ?? false;
      this.#future.push(tied);
    }
    return count;
  }

  /** @returns {number} how many times the server is to redo now */
  forth() {
    let count = 0;
    do {
      this.#past.push(this.#future.pop() ?? false);
      count += 1;
    } while (this.#future.at(-1));
    return count;
  }

  /** Forget everything: another picture is open, or the server's history is another. */
  clear() {
    this.#past = [];
    this.#future = [];
  }

  /** As text, to be kept. @returns {string} */
  toString() {
    return [this.#past, this.#future].map((steps) => steps.map(Number).join("")).join("|");
  }

  /** Take up what was kept. @param {string} text */
  adopt(text) {
    const [past = "", future = ""] = text.split("|");
    this.#past = [...past].map((one) => one === "1");
    this.#future = [...future].map((one) => one === "1");
  }
}
