/**
 * The list of objects beside the picture. Entries are kept over updates, so that focus stays.
 */

import { bySize } from "./candidates.js";
import { colorOf } from "./palette.js";
import { factsOf } from "./words.js";

/** @import { ObjectState, State } from "./state.js" */

/**
 * @typedef {object} ListHandlers
 * @property {(id: number) => void} select
 * @property {(id: number) => void} remove
 * @property {(id: number, name: string) => void} rename
 * @property {(id: number) => void} hide or show again
 * @property {(id: number) => void} isolate or show all again
 * @property {(step: 1 | -1) => void} cycle
 * @property {(id: number) => void} copy its cutout
 * @property {(id: number, opener: HTMLElement) => void} save
 * @property {(id: number | null) => void} point the pointer or the focus is on it
 */

const PARTS = /** @type {const} */ ([
  "item", "choose", "swatch", "name", "facts", "input", "hide", "isolate", "remove",
  "more", "candidates", "candidate", "smaller", "larger", "rename", "copy", "save",
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

  /**
   * @param {HTMLElement} list @param {HTMLTemplateElement} template @param {ListHandlers} handlers
   */
  constructor(list, template, handlers) {
    this.list = list;
    this.template = template;
    this.handlers = handlers;
    list.addEventListener("pointerdown", (event) => this.#pressed(event));
    document.addEventListener("pointerdown", (event) => {
      if (!event.composedPath().includes(list)) this.#clicked = null; // a press elsewhere parts two clicks
    }, { capture: true });
    list.addEventListener("click", (event) => this.#swallow && event.stopPropagation(), { capture: true });
  }

  /**
   * A second press in the place of a click renames what was clicked, whatever lies there by now: the click has opened its
   * entry and folded another one up. @param {PointerEvent} event
   */
  #pressed(event) {
    const first = this.#clicked;
    this.#clicked = null;
    this.#swallow = false;
    if (!first || event.timeStamp - first.at > DOUBLE_CLICK_MS || Math.hypot(event.clientX - first.x, event.clientY - first.y) > DOUBLE_CLICK_PX) return;
    event.preventDefault(); // or the press would take the focus of the field away
    this.#swallow = true;
    first.begin();
  }

  /** @param {State} state */
  update(state) {
    for (const [id, entry] of this.#entries) {
      if (state.objects.has(id) || !entry.input.hidden) continue; // a name that is being written outlives a lost line and another model
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

  /** Begin to write an object's name. @param {number} id */
  rename(id) {
    this.#renamings.get(id)?.();
  }

  /** The focus of an entry that goes moves to its neighbour. @param {Entry} entry */
  #keepFocusNear({ item }) {
    if (!item.contains(document.activeElement)) return;
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    const target = neighbour?.querySelector("button") ?? document.getElementById("canvas");
    target?.focus();
  }

  /** @param {number} id @returns {Entry} */
  #add(id) {
    const copy = /** @type {DocumentFragment} */ (this.template.content.cloneNode(true));
    const entry = /** @type {Entry} */ (Object.fromEntries(PARTS.map((part) => {
      const found = copy.querySelector(`[data-part="${part}"]`);
      if (!(found instanceof HTMLElement)) throw new Error(`the template has no ${part}`);
      return [part, found];
    })));
    this.#bind(entry, id);
    this.#entries.set(id, entry);
    return entry;
  }

  /** @param {Entry} entry @param {number} id */
  #bind(entry, id) {
    const { handlers } = this;
    for (const part of /** @type {const} */ (["remove", "hide", "isolate", "copy"])) {
      entry[part].addEventListener("click", () => handlers[part](id));
    }
    entry.save.addEventListener("click", () => handlers.save(id, entry.save));
    entry.smaller.addEventListener("click", () => handlers.cycle(-1));
    entry.larger.addEventListener("click", () => handlers.cycle(1));
    entry.item.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && handlers.point(id));
    entry.item.addEventListener("pointerleave", () => handlers.point(null));
    entry.item.addEventListener("focusin", () => entry.item.matches(":has(:focus-visible)") && handlers.point(id));
    entry.item.addEventListener("focusout", () => handlers.point(null));
    const begin = bindRenaming(entry, (name) => handlers.rename(id, name));
    this.#renamings.set(id, begin);
    entry.choose.addEventListener("click", (event) => {
      handlers.select(id);
      this.#clicked = { x: event.clientX, y: event.clientY, at: event.timeStamp, begin };
    });
  }
}

/** Scroll the panel around the list to an entry; where the page itself scrolls, the picture is to stay in view. @param {HTMLElement} item */
function scrollTo(item) {
  const panel = item.closest(".panel");
  if (!panel || panel.scrollHeight <= panel.clientHeight || getComputedStyle(panel).overflowY === "visible") return;
  const [inner, outer] = [item.getBoundingClientRect(), panel.getBoundingClientRect()];
  if (inner.top < outer.top) panel.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) panel.scrollTop += inner.bottom - outer.bottom;
}

/**
 * A name becomes a field to write in by the pencil, or what is returned. Enter and leaving the field take the name, Esc
 * closes the field and leaves the name; the focus goes back to where it was.
 * @param {Entry} entry @param {(name: string) => void} rename
 * @returns {() => void} begin
 */
function bindRenaming({ choose, name, input, rename: pencil }, rename) {
  const field = /** @type {HTMLInputElement} */ (input);
  /** @type {Element | null} */
  let before = null;
  const begin = () => {
    before = document.activeElement;
    field.value = name.textContent ?? "";
    field.hidden = false;
    choose.hidden = true;
    field.focus();
    field.select();
  };
  /** @param {boolean} take @param {boolean} [refocus] */
  const end = (take, refocus = true) => {
    if (field.hidden) return;
    choose.hidden = false;
    field.hidden = true;
    if (take) rename(field.value);
    if (refocus) (before instanceof HTMLCanvasElement ? before : choose).focus({ preventScroll: true });
  };
  pencil.addEventListener("click", begin);
  field.addEventListener("blur", () => end(true, false));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return; // an input method's own Enter
    event.preventDefault();
    end(event.key === "Enter");
  });
  return begin;
}

/** @param {Entry} entry @param {ObjectState} object @param {State} state */
function fill(entry, object, state) {
  const active = object.id === state.active;
  const hidden = state.hidden.has(object.id);
  entry.swatch.style.backgroundColor = colorOf(object.color);
  setText(entry.name, object.name);
  entry.choose.title = `Select ${object.name}`;
  setText(entry.facts, factsOf(object));
  entry.item.classList.toggle("active", active);
  entry.item.classList.toggle("pointed", object.id === state.pointed);
  entry.item.classList.toggle("away", hidden || (state.isolated !== null && state.isolated !== object.id));
  press(entry.choose, active);
  press(entry.hide, hidden);
  press(entry.isolate, state.isolated === object.id);
  name(entry.input, `Name of ${object.name}`);
  name(entry.hide, `Hide ${object.name}`);
  name(entry.isolate, `Show only ${object.name}`);
  name(entry.remove, `Delete ${object.name}`);
  entry.more.hidden = !active;
  entry.candidates.hidden = object.masks.length < 2;
  setText(entry.candidate, `${bySize(object.masks).indexOf(object.chosen) + 1} of ${object.masks.length}`);
}

/** @param {HTMLElement} button @param {boolean} pressed */
function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

/** @param {HTMLElement} element @param {string} label */
function name(element, label) {
  if (element.getAttribute("aria-label") !== label) element.setAttribute("aria-label", label);
}

/** Set a text only where it differs, so that screen readers aren't told twice. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
