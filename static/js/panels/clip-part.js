/**
 * The choice of a part of a clip that is too long. Fetched when the first clip comes.
 */

import { ALL, firstPart, framesOf, ratesOf } from "../model/clip.js";
import { shortName } from "../model/words.js";
import { find, setText } from "./dom.js";
import { decimal, timeText, t } from "../words/translate.js";

/** @import { Length } from "../model/clip.js" */
/** @import { ClipPart } from "../model/types.ts" */

/** The shortest part, seconds. */
const LEAST_S = 0.1;

/**
 * Have a person choose.
 * @param {string} name of the clip @param {Length} length
 * @returns {Promise<ClipPart | null>} null for none
 */
export async function choosePart(name, length) {
  const dialog = /** @type {HTMLDialogElement} */ (find("clip-part"));
  const chooser = new Chooser(length);
  const { frames, duration_s: duration, most, most_s: mostS } = length;
  const said = { name: shortName(name), time: timeText(duration), frames, most, longest: timeText(mostS) };
  setText(find("part-text"), t("part.text", said));
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
  chooser.end();
  return dialog.returnValue === "yes" ? chooser.part : null;
}

class Chooser {
  /** @type {ClipPart} */
  part;
  #begin = /** @type {HTMLInputElement} */ (find("part-begin"));
  #end = /** @type {HTMLInputElement} */ (find("part-end"));
  #rate = /** @type {HTMLSelectElement} */ (find("part-rate"));
  #listening = new AbortController();

  /** @param {Length} length */
  constructor(length) {
    this.length = length;
    this.part = firstPart(length);
    const duration = String(Math.max(LEAST_S, length.duration_s));
    [this.#begin.max, this.#end.max] = [duration, duration];
    const { signal } = this.#listening;
    this.#begin.addEventListener("input", () => this.#move(this.#begin.valueAsNumber, null), { signal });
    this.#end.addEventListener("input", () => this.#move(null, this.#end.valueAsNumber), { signal });
    this.#rate.addEventListener("change", () => {
      this.part = { ...this.part, rate: Number(this.#rate.value) };
      this.#show();
    }, { signal });
    this.#offer();
  }

  end() {
    this.#listening.abort();
  }

  /**
   * The beginning takes the end along; the end takes the beginning along where the part would be too long or none.
   * @param {number | null} from @param {number | null} to
   */
  #move(from, to) {
    const { most_s: most, duration_s: duration } = this.length;
    let { begin, end } = this.part;
    if (from !== null) {
      end = Math.min(duration, Math.min(from, duration - LEAST_S) + Math.max(LEAST_S, end - begin));
      begin = Math.min(from, duration - LEAST_S);
    } else if (to !== null) {
      end = Math.max(to, LEAST_S);
      begin = Math.min(end - LEAST_S, Math.max(begin, end - most));
    }
    this.part = { ...this.part, begin: rounded(begin), end: rounded(end) };
    this.#offer();
  }

  /** Offer the rates that such a part may have; the finest, unless a coarser one was chosen. */
  #offer() {
    const rates = ratesOf(this.part, this.length);
    const own = this.length.frames / this.length.duration_s;
    this.#rate.replaceChildren(...rates.map((rate) => {
      const option = document.createElement("option");
      option.value = String(rate);
      const plain = decimal(rate, rate < 1 ? 2 : 0);
      option.textContent = rate === ALL ? t("part.all", { rate: decimal(own, own < 10 ? 1 : 0) }) : plain;
      return option;
    }));
    if (!rates.includes(this.part.rate)) this.part = { ...this.part, rate: rates[0] ?? 1 };
    this.#show();
  }

  #show() {
    const { begin, end, rate } = this.part;
    [this.#begin.value, this.#end.value, this.#rate.value] = [begin, end, rate].map(String);
    setText(find("part-begin-text"), timeText(begin));
    setText(find("part-end-text"), timeText(end));
    setText(find("part-count"), t("part.count", { count: framesOf(this.part, this.length), time: timeText(end - begin) }));
  }
}

/** As fine as a hundredth of a second. @param {number} seconds */
function rounded(seconds) {
  return Math.round(100 * seconds) / 100;
}
