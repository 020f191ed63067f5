/**
 * What a person does to masks by hand: paints, changes their shape, makes one of several, brings them in from files.
 * Touches no page element.
 */

import { firstRadius, thinned } from "../model/strokes.js";
import { sharpAt } from "../model/sharpness.js";
import { activeObject, currentObject, objectAt, othersOf } from "../model/state.js";
import { combinationText, named, shortName } from "../model/words.js";
import { errorText, placeText } from "../words/errors.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { XY } from "../model/types.ts" */
/** @import { Label, Labels, Morphology, ObjectId, SetOperation } from "../wire/messages.ts" */
/** @import { Actions } from "./actions.js" */
/** @import { Exchange } from "./exchange.js" */

/** What doesn't fit, and where: the file itself is named before. @param {string} where @param {string} why */
function problemText(where, why) {
  return where === "the file" ? why : t("labels.problem", { where: placeText(where), why });
}

/** Problems of a file that are told one by one. */
const TOLD = 3;

export class Shaping {
  /** @param {Store} store @param {Exchange} exchange @param {Actions} actions */
  constructor(store, exchange, actions) {
    this.store = store;
    this.state = store.state;
    this.exchange = exchange;
    this.actions = actions;
  }

  /** The brush's radius on the open picture, image pixels. */
  get radius() {
    const { brush, picture } = this.state;
    return brush.radius ?? (picture ? firstRadius(picture) : 1);
  }

  /**
   * Paint or erase along a path: in the selected object, else in the one where it begins, else in a new one.
   * @param {readonly XY[]} path image pixels @param {Label} label 1 paints, 0 erases
   */
  paint(path, label) {
    const { radius } = this;
    const { smart } = this.state.brush;
    return this.actions.do(async () => {
      const object = activeObject(this.state)?.id ?? objectAt(this.state, path[0]) ?? undefined;
      if (object === undefined && label === 0) throw new Error(t("paint.nothing"));
      const { sticky } = this.state;
      const name = object === undefined && sticky !== null ? { name: sticky } : {};
      const reply = await this.exchange.request({ t: "paint", path: thinned(path, radius), radius, label, object, smart, ...name, ...(smart ? sharpAt(this.state, ...path) : {}) });
      if (reply.t !== "object") return;
      this.store.reveal(reply.id);
      this.store.select(reply.id);
      const px = reply.masks[reply.chosen]?.area ?? 0;
      this.store.say(t(label ? "paint.painted" : "paint.erased", { name: shortName(reply.name), px }));
    });
  }

  /** Change the shape of the current object's mask. @param {Morphology} operation @param {number} [size] */
  morph(operation, size) {
    return this.actions.do(async () => {
      const object = currentObject(this.state);
      if (!object) throw new Error(t("select.first"));
      await this.exchange.request({ t: "morph", object: object.id, operation, ...(size === undefined ? {} : { size }) });
      this.store.tell(t(`shape.${operation}`, { name: shortName(object.name) }), { undo: true });
    });
  }

  /** Have the model make the current object's given mask sharp. */
  refine() {
    return this.actions.do(async () => {
      const object = currentObject(this.state);
      if (object?.trail?.[0]?.t !== "mask") throw new Error(t("shape.notGiven"));
      await this.exchange.request({ t: "refine", object: object.id, ...sharpAt(this.state) });
      this.store.tell(t("shape.sharp", { name: shortName(object.name) }), { undo: true });
    });
  }

  /**
   * Objects that are chosen from now on are to make one with the current one; asked once more, they do.
   * @param {SetOperation} operation
   */
  combine(operation) {
    return this.actions.do(async () => {
      const { combining, objects } = this.state;
      const object = combining ? activeObject(this.state) : currentObject(this.state);
      if (!object) throw new Error(t("select.first"));
      if (objects.size < 2) throw new Error(t("select.two"));
      if (combining?.operation === operation && othersOf(this.state).length > 0) return this.#makeOne();
      this.store.select(object.id);
      this.store.combine({ operation, others: combining?.others ?? new Set() });
    });
  }

  /** Choose an object beside the selected one, for both to make one. @param {ObjectId} id */
  chooseAlso(id) {
    return this.actions.do(async () => this.gather(id));
  }

  /** Another object is to go into the selected one, or isn't any more. @param {ObjectId} id */
  gather(id) {
    const { combining, active, objects } = this.state;
    if (id === active || !objects.has(id)) return;
    const others = new Set(combining?.others);
    if (!others.delete(id)) others.add(id);
    this.store.combine({ operation: combining?.operation ?? "union", others });
    this.store.say(combinationText(this.state));
  }

  /** Make one of the selected object and those that were chosen. */
  makeOne() {
    return this.actions.do(() => this.#makeOne());
  }

  async #makeOne() {
    const { combining } = this.state;
    const object = activeObject(this.state);
    const others = othersOf(this.state);
    if (combining === null || !object) return;
    if (others.length === 0) throw new Error(t("combine.another"));
    this.store.combine(null);
    const { operation } = combining;
    await this.exchange.request({ t: "combine", operation, objects: [object.id, ...others.map(({ id }) => id)] });
    const said = { name: shortName(object.name), others: named(others.map(({ name }) => name)) };
    const text = this.state.clip ? t(`combine.onClip.${operation}`, said) : t(`combine.${operation}`, said);
    this.store.tell(text, { undo: true });
  }

  /** Take in what a label file has. @param {Labels} labels @param {string} file its name */
  take({ objects, classes, problems, left_out: leftOut }, file) {
    return this.actions.do(async () => {
      if (objects.length > 0) await this.exchange.request({ t: "give", objects, classes });
      const said = { count: objects.length, file: shortName(file), left: leftOut };
      this.store.tell(t(leftOut > 0 ? "labels.takenSome" : "labels.taken", said), { undo: objects.length > 0 });
      const told = problems.slice(0, TOLD).map(({ where, why, ...more }) => (
        problemText(where, errorText({ message: why, ...more }))
      ));
      if (problems.length > TOLD) told.push(t("labels.more", { count: problems.length - TOLD }));
      this.#problems = told.length > 0 ? t("labels.problems", { file: shortName(file), problems: told.join("; ") }) : null;
    }).then(() => {
      if (this.#problems !== null) this.store.warn(this.#problems); // an action that went well takes the notice away
      this.#problems = null;
    });
  }

  /** What of the file doesn't fit, in words. @type {string | null} */
  #problems = null;
}
