/**
 * The filmstrip: all pictures in their order, with what is done on them. Only the cells that are in view exist.
 */

import { progressOf } from "../model/album.js";
import { cellWords, markOf } from "../model/album-words.js";
import { find, giveFocusBack, partOf, setLabel, setPressed, setText, stamp } from "./dom.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { Album, Entry } from "../model/types.ts" */
/** @import { Browsing } from "../session/browsing.js" */
/** @import { Thumbs } from "../files/thumbs.js" */

/**
 * @typedef {object} Cell
 * @property {HTMLElement} item
 * @property {HTMLButtonElement} button
 * @property {HTMLImageElement} image
 * @property {HTMLElement} mark
 * @property {string} key of its picture
 * @property {string} url of its thumbnail
 */

/** Cells beside those in view, so that a turn of the wheel finds them there. */
const BESIDE = 3;

export class Film {
  /** Those in view by their places. @type {Map<number, Cell>} */
  #cells = new Map();
  /** @type {Album | null} */
  #album = null;
  /** @type {readonly Readonly<Entry>[]} */
  #entries = [];
  /** @type {string | null} */
  #here = null;
  /** CSS pixels from one cell to the next. */
  #step = 1;
  /** Which way the strip runs: browsers count from its beginning, down where that is on the right. */
  #sign = 1;

  /** @param {Store} store @param {Browsing} browsing @param {Thumbs} thumbs */
  constructor(store, browsing, thumbs) {
    this.store = store;
    this.browsing = browsing;
    this.thumbs = thumbs;
    this.film = find("film");
    this.strip = find("film-strip");
    this.list = find("film-list");
    this.strip.addEventListener("scroll", () => this.#fill(), { passive: true });
    this.strip.addEventListener("wheel", (event) => {
      if (event.deltaX !== 0 || event.shiftKey) return;
      event.preventDefault();
      this.strip.scrollLeft += this.#sign * event.deltaY;
    });
    new ResizeObserver(() => this.#measure()).observe(this.strip);
  }

  /** Bring it up to the state. */
  update() {
    const { album } = this.store.state;
    const { here } = this.browsing;
    if (album === this.#album && here === this.#here) return;
    const moved = here !== this.#here;
    const hidden = album.size < 2;
    this.#album = album;
    this.#entries = [...album.values()];
    this.#here = here;
    if (hidden && !this.film.hidden) giveFocusBack(this.film);
    this.film.hidden = hidden;
    if (hidden) return;
    if (this.#step === 1) this.#measure();
    const place = this.#entries.findIndex(({ key }) => key === here);
    const { done, total } = progressOf(album);
    setText(find("film-count"), t("film.place", { place: place < 0 ? "–" : place + 1, total }));
    setText(find("film-state"), t("film.doneCount", { count: done }));
    setPressed(find("film-done"), this.#entries[place]?.done ?? false);
    this.#size();
    if (moved && place >= 0) this.#show(place);
    this.#fill();
  }

  /** Whether a picture's cell is in view. @param {string} key */
  shows(key) {
    return [...this.#cells.values()].some((cell) => cell.key === key);
  }

  /** A picture has got a thumbnail. @param {string} key */
  redraw(key) {
    for (const cell of this.#cells.values()) if (cell.key === key && cell.url === "") void this.#picture(cell);
  }

  #measure() {
    this.#sign = getComputedStyle(this.strip).direction === "rtl" ? -1 : 1;
    this.#step = 4.5 * parseFloat(getComputedStyle(document.documentElement).fontSize); // as in film.css
    for (const [place, { item }] of this.#cells) moveTo(item, this.#sign * place * this.#step);
    this.#size();
    this.#fill();
  }

  #size() {
    this.list.style.width = `${this.#entries.length * this.#step}px`;
  }

  /** Scroll to a cell, with its neighbours in view. @param {number} place */
  #show(place) {
    const { clientWidth } = this.strip;
    const scrolled = this.#scrolled;
    const [begin, end] = [(place - 1) * this.#step, (place + 2) * this.#step];
    if (begin < scrolled) this.strip.scrollLeft = this.#sign * begin;
    else if (end > scrolled + clientWidth) this.strip.scrollLeft = this.#sign * (end - clientWidth);
  }

  /** CSS pixels from the strip's beginning to what is in view of it. */
  get #scrolled() {
    return this.#sign * this.strip.scrollLeft;
  }

  /** Have a cell for each place in view, and for no other. */
  #fill() {
    if (this.film.hidden) return;
    const { clientWidth } = this.strip;
    const scrolled = this.#scrolled;
    const first = Math.max(0, Math.floor(scrolled / this.#step) - BESIDE);
    const end = Math.min(this.#entries.length, Math.ceil((scrolled + clientWidth) / this.#step) + BESIDE);
    for (const [place, cell] of this.#cells) {
      if (place >= first && place < end && this.#entries[place].key === cell.key) continue;
      const isFocused = cell.item.contains(document.activeElement); // a cell that is scrolled away holds the focus
      if (isFocused && this.#entries[place]?.key === cell.key) continue;
      giveFocusBack(cell.button);
      cell.item.remove();
      URL.revokeObjectURL(cell.url);
      this.#cells.delete(place);
    }
    for (let place = first; place < end; place += 1) {
      const cell = this.#cells.get(place) ?? this.#add(place);
      this.#draw(cell, this.#entries[place], place);
    }
  }

  /** @param {number} place @returns {Cell} */
  #add(place) {
    const { key } = this.#entries[place];
    const item = stamp("film-cell");
    const button = /** @type {HTMLButtonElement} */ (partOf(item, "go"));
    const image = /** @type {HTMLImageElement} */ (partOf(item, "image"));
    const mark = partOf(item, "mark");
    moveTo(item, this.#sign * place * this.#step);
    button.addEventListener("click", () => void this.browsing.go(key));
    const after = [...this.#cells].filter(([other]) => other > place).sort(([a], [b]) => a - b)[0];
    this.list.insertBefore(item, after?.[1].item ?? null); // in order, for Tab and for those who listen
    const cell = { item, button, image, mark, key, url: "" };
    this.#cells.set(place, cell);
    void this.#picture(cell);
    return cell;
  }

  /** @param {Cell} cell */
  async #picture(cell) {
    const thumb = await this.thumbs.get(cell.key);
    if (thumb === null || !cell.button.isConnected) return;
    cell.url = URL.createObjectURL(thumb);
    cell.image.src = cell.url;
  }

  /** @param {Cell} cell @param {Readonly<Entry>} entry @param {number} place */
  #draw({ button, mark }, entry, place) {
    const words = cellWords(entry, place + 1, this.#entries.length);
    button.title = words;
    setLabel(button, words);
    setText(mark, markOf(entry));
    const wasAway = button.dataset.state === "away";
    button.dataset.state = entry.trouble !== null ? "trouble" : !entry.here ? "away" : entry.done ? "done" : entry.work?.recipe.objects?.length ? "begun" : "todo";
    if (wasAway && entry.here) this.redraw(entry.key); // there is something to be seen of it now
    if (entry.key === this.#here) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

/** @param {HTMLElement} item @param {number} left CSS pixels */
function moveTo(item, left) {
  item.style.transform = `translateX(${left}px)`;
}
