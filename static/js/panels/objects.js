/**
 * The list of objects beside the picture. Entries are kept over updates, so that focus stays.
 */

import { bySize } from "../model/candidates.js";
import { colorOf } from "../model/palette.js";
import { factsOf } from "../model/words.js";
import { find, focusPicture, partOf, setLabel, setPressed, setText, stamp } from "./dom.js";
import { bindRenaming } from "./renaming.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { ObjectState, State } from "../model/types.ts" */
/** @import { Studio } from "../session/studio.js" */

/**
 * @typedef {object} Ways out of an entry
 * @property {(id: number) => void} copy its cutout
 * @property {(id: number) => void} classify it
 * @property {(id: number) => void} save it, as what is to be chosen
 */

const PARTS = /** @type {const} */ ([
  "item", "choose", "swatch", "name", "facts", "input", "hide", "isolate", "remove",
  "more", "candidates", "candidate", "smaller", "larger", "classify", "rename", "copy", "save",
]);

const DOUBLE_CLICK_MS = 500;
const DOUBLE_CLICK_PX = 6;

/** @typedef {Record<typeof PARTS[number], HTMLElement>} Entry */

export class ObjectsList {
  /** @type {Map<number, Entry>} */
  #entries = new Map();
  /** @type {Map<number, () => void>} begin to write a name */
  #renamings = new Map();
  /** @type {number | null} the object that keys are meant for, as it was shown last */
  #meant = null;
  /** @type {{ x: number, y: number, at: number, begin: () => void } | null} the newest click on a name */
  #clicked = null;
  #swallow = false;

  /** @param {Store} store @param {Studio} studio @param {Ways} ways */
  constructor(store, studio, ways) {
    const list = find("objects");
    this.list = list;
    this.store = store;
    this.studio = studio;
    this.ways = ways;
    list.addEventListener("pointerdown", (event) => this.#pressed(event));
    document.addEventListener("pointerdown", (event) => {
      if (!event.composedPath().includes(list)) this.#clicked = null; // a press elsewhere parts two clicks
    }, { capture: true });
    list.addEventListener("click", (event) => this.#swallow && event.stopPropagation(), { capture: true });
  }

  /**
   * A second press in the place of a click renames what was clicked, whatever lies there by now: the click has opened
   * its entry and folded another one up.
   * @param {PointerEvent} event
   */
  #pressed(event) {
    const first = this.#clicked;
    this.#clicked = null;
    this.#swallow = false;
    if (!first || event.timeStamp - first.at > DOUBLE_CLICK_MS) return;
    if (Math.hypot(event.clientX - first.x, event.clientY - first.y) > DOUBLE_CLICK_PX) return;
    event.preventDefault(); // or the press would take the focus of the field away
    this.#swallow = true;
    first.begin();
  }

  update() {
    const { state } = this.store;
    for (const [id, entry] of this.#entries) {
      // A name that is being written outlives a lost line and another model.
      if (state.objects.has(id) || !entry.input.hidden) continue;
      this.#keepFocusNear(entry);
      entry.item.remove();
      this.#entries.delete(id);
      this.#renamings.delete(id);
    }
    let place = this.list.firstElementChild;
    for (const object of state.objects.values()) {
      const entry = this.#entries.get(object.id) ?? this.#add(object.id);
      fill(entry, object, state);
      if (entry.item === place) place = place.nextElementSibling;
      else this.list.insertBefore(entry.item, place);
    }
    const meant = state.walked ?? state.active;
    if (meant === this.#meant) return;
    this.#meant = meant;
    const entry = meant === null ? undefined : this.#entries.get(meant);
    if (entry) scrollTo(entry.item);
  }

  /** @returns {number | null} the object whose entry has the focus */
  focused() {
    return [...this.#entries].find(([, { item }]) => item.contains(document.activeElement))?.[0] ?? null;
  }

  /** Begin to write an object's name. @param {number | null} id */
  rename(id) {
    this.#renamings.get(id ?? NaN)?.();
  }

  /** The focus of an entry that goes moves to its neighbour. @param {Entry} entry */
  #keepFocusNear({ item }) {
    if (!item.contains(document.activeElement)) return;
    const neighbour = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector("button");
    if (neighbour) neighbour.focus();
    else focusPicture();
  }

  /** @param {number} id @returns {Entry} */
  #add(id) {
    const item = stamp("object-entry");
    const entry = /** @type {Entry} */ (Object.fromEntries(PARTS.map((part) => [part, part === "item" ? item : partOf(item, part)])));
    this.#bind(entry, id);
    this.#entries.set(id, entry);
    return entry;
  }

  /** @param {Entry} entry @param {number} id */
  #bind(entry, id) {
    const { store, studio, ways } = this;
    entry.remove.addEventListener("click", () => void studio.delete(id));
    entry.hide.addEventListener("click", () => store.hide(id));
    entry.isolate.addEventListener("click", () => store.isolate(id));
    entry.classify.addEventListener("click", () => ways.classify(id));
    entry.copy.addEventListener("click", () => ways.copy(id));
    entry.save.addEventListener("click", () => ways.save(id));
    entry.smaller.addEventListener("click", () => void studio.cycle(-1));
    entry.larger.addEventListener("click", () => void studio.cycle(1));
    entry.item.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && store.pointAt(id));
    entry.item.addEventListener("focusin", () => entry.item.matches(":has(:focus-visible)") && store.pointAt(id));
    for (const leaving of ["pointerleave", "focusout"]) entry.item.addEventListener(leaving, () => store.pointAt(null));
    const begin = bindRenaming(entry, (name) => void studio.rename(id, name));
    this.#renamings.set(id, begin);
    entry.choose.addEventListener("click", (event) => {
      const { active, combining } = store.state;
      const isHeld = event.shiftKey || event.ctrlKey || event.metaKey;
      if (isHeld && active !== null) return void studio.shaping.chooseAlso(id);
      void studio.select(id);
      if (combining === null) this.#clicked = { x: event.clientX, y: event.clientY, at: event.timeStamp, begin };
    });
  }
}

/**
 * Scroll the panel around the list to an entry; where the page itself scrolls, the picture is to stay in view.
 * @param {HTMLElement} item
 */
function scrollTo(item) {
  const panel = item.closest(".panel");
  if (!panel || panel.scrollHeight <= panel.clientHeight || getComputedStyle(panel).overflowY === "visible") return;
  const [inner, outer] = [item.getBoundingClientRect(), panel.getBoundingClientRect()];
  if (inner.top < outer.top) panel.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) panel.scrollTop += inner.bottom - outer.bottom;
}

/** @param {Entry} entry @param {ObjectState} object @param {State} state */
function fill(entry, object, state) {
  const { name } = object;
  const active = object.id === state.active;
  const hidden = state.hidden.has(object.id);
  const gathered = state.combining?.others.has(object.id) ?? false;
  entry.swatch.style.backgroundColor = colorOf(object.color);
  setText(entry.name, name);
  entry.choose.title = t("object.select", { name });
  const isElsewhere = state.clip !== null && object.masks.length === 0;
  setText(entry.facts, factsOf(object, state.clip?.shown));
  entry.item.classList.toggle("active", active);
  entry.item.classList.toggle("gathered", gathered);
  entry.item.classList.toggle("pointed", object.id === state.pointed);
  const isAlone = state.isolated !== null && state.isolated !== object.id;
  entry.item.classList.toggle("away", isElsewhere || hidden || isAlone);
  setPressed(entry.choose, active || gathered);
  setPressed(entry.hide, hidden);
  setPressed(entry.isolate, state.isolated === object.id);
  setLabel(entry.input, t("object.nameOf", { name }));
  setLabel(entry.hide, t("object.hide", { name }));
  setLabel(entry.isolate, t("object.isolate", { name }));
  setLabel(entry.remove, t("object.delete", { name }));
  entry.more.hidden = !active;
  entry.candidates.hidden = object.masks.length < 2;
  setText(entry.candidate, t("object.candidate", { place: bySize(object.masks).indexOf(object.chosen) + 1, total: object.masks.length }));
}
