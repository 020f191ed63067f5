/**
 * The list of objects beside the picture: choose one, delete one. Entries are kept over updates, so that focus stays.
 */

import { colorOf } from "./palette.js";
import { maskOf } from "./state.js";

/** @import { ObjectState, State } from "./state.js" */

/** @typedef {{ select: (id: number) => void, remove: (id: number) => void, cycle: (step: 1 | -1) => void, point: (id: number | null) => void }} ListHandlers */
/** @typedef {{ item: HTMLElement, choose: HTMLElement, swatch: HTMLElement, name: HTMLElement, facts: HTMLElement, remove: HTMLElement, candidates: HTMLElement, candidate: HTMLElement }} Entry */

/** @param {number} count @param {string} noun */
function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What is known of an object, in a few words. @param {ObjectState} object */
export function factsOf(object) {
  const mask = maskOf(object);
  const prompts = object.box ? ["box"] : [];
  if (object.points.length > 0) prompts.push(plural(object.points.length, "point"));
  return [...prompts, `${(mask?.area ?? 0).toLocaleString("en")} px`].join(" · ");
}

export class ObjectsList {
  /** @type {Map<number, Entry>} */
  #entries = new Map();

  /**
   * @param {HTMLElement} list @param {HTMLTemplateElement} template @param {ListHandlers} handlers
   */
  constructor(list, template, handlers) {
    this.list = list;
    this.template = template;
    this.handlers = handlers;
  }

  /** @param {State} state */
  update(state) {
    for (const [id, entry] of this.#entries) {
      if (state.objects.has(id)) continue;
      entry.item.remove();
      this.#entries.delete(id);
    }
    for (const object of state.objects.values()) {
      const entry = this.#entries.get(object.id) ?? this.#add(object.id);
      this.#fill(entry, object, object.id === state.active);
    }
  }

  /** @param {number} id @returns {Entry} */
  #add(id) {
    const copy = /** @type {DocumentFragment} */ (this.template.content.cloneNode(true));
    /** @param {string} part @returns {HTMLElement} */
    const part = (part) => {
      const found = copy.querySelector(`[data-part="${part}"]`);
      if (!(found instanceof HTMLElement)) throw new Error(`the template has no ${part}`);
      return found;
    };
    const entry = {
      item: part("item"), choose: part("choose"), swatch: part("swatch"), name: part("name"), facts: part("facts"),
      remove: part("remove"), candidates: part("candidates"), candidate: part("candidate"),
    };
    entry.choose.addEventListener("click", () => this.handlers.select(id));
    entry.remove.addEventListener("click", () => this.handlers.remove(id));
    part("smaller").addEventListener("click", () => this.handlers.cycle(-1));
    part("larger").addEventListener("click", () => this.handlers.cycle(1));
    entry.item.addEventListener("pointerenter", () => this.handlers.point(id));
    entry.item.addEventListener("pointerleave", () => this.handlers.point(null));
    this.#entries.set(id, entry);
    this.list.append(copy);
    return entry;
  }

  /** @param {Entry} entry @param {ObjectState} object @param {boolean} active */
  #fill(entry, object, active) {
    entry.swatch.style.backgroundColor = colorOf(object.color);
    setText(entry.name, object.name);
    setText(entry.facts, factsOf(object));
    entry.item.classList.toggle("active", active);
    entry.choose.setAttribute("aria-pressed", String(active));
    entry.remove.setAttribute("aria-label", `Delete ${object.name}`);
    entry.candidates.hidden = !active || object.masks.length < 2;
    setText(entry.candidate, `Reading ${object.chosen + 1} of ${object.masks.length}`);
  }
}

/** Set a text only where it differs, so that screen readers aren't told twice. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
