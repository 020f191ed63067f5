/**
 * What a person does with classes: gives them, and changes their list. Touches no page element.
 */

import { classOf, unnamed } from "../model/classes.js";
import { currentObject, objectOf } from "../model/state.js";
import { shortName } from "../model/words.js";
import { clipName } from "../wire/protocol.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { Class } from "../wire/messages.ts" */
/** @import { Actions } from "./actions.js" */
/** @import { Exchange } from "./exchange.js" */

export class Classifying {
  /** A class has got another name, or none. @type {(name: string, to: string) => void} */
  onRenamed = () => {};
  /** The classes of objects on all pictures that a list lacks. @type {(classes: readonly Class[]) => Class[]} */
  missing = () => [];

  /** @param {Store} store @param {Exchange} exchange @param {Actions} actions */
  constructor(store, exchange, actions) {
    this.store = store;
    this.state = store.state;
    this.exchange = exchange;
    this.actions = actions;
  }

  /** Give the class at a place of the list, counted from 0. @param {number} number @param {number} [id] */
  giveNumber(number, id) {
    const name = this.state.classes[number]?.name;
    if (name !== undefined) return this.give(name, id);
    this.store.tell(t("class.noNumber", { number: number + 1 }), { undo: false });
    return Promise.resolve();
  }

  /**
   * Give a class to an object, and to every new one from now on. Without an object it is that of the new ones; where it
   * was already, they have none any more.
   * @param {string} name of a class, which comes to the end of the list where it isn't in it
   * @param {number | null} [id] of the object, none if null; if absent, the current one once what was done before is
   *   answered
   */
  give(name, id) {
    const wanted = clipName(name.trim());
    if (wanted === "") return Promise.resolve();
    const given = id === undefined ? this.state.walked : id;
    return this.#do(async () => {
      const object = objectOf(this.state, given) ?? (id === undefined ? currentObject(this.state) : undefined);
      if (object === undefined && this.state.sticky === wanted) return this.#stick(null);
      if (object !== undefined && object.name !== wanted) {
        await this.exchange.request({ t: "label", object: object.id, name: wanted });
      }
      if (!this.#has(wanted)) await this.exchange.request({ t: "classes", classes: [...this.state.classes, wanted] });
      this.#stick(wanted, object && t("class.given", { name: shortName(object.name), class: shortName(wanted) }));
    });
  }

  /** Have an object without a class, and the new ones too. @param {number | null} id of the object, none if null */
  giveNone(id) {
    return this.#do(async () => {
      const object = objectOf(this.state, id);
      if (object && classOf(this.state, object.id) !== null) {
        await this.exchange.request({ t: "label", object: object.id, name: unnamed(object) });
      }
      this.#stick(null);
    });
  }

  /**
   * Rename a class and all its objects; under the name of another class both become one.
   * @param {string} name @param {string} to
   */
  rename(name, to) {
    const wanted = clipName(to.trim());
    if (wanted === "" || wanted === name) return Promise.resolve();
    return this.#do(async () => {
      const merges = this.#has(wanted);
      const sticks = this.state.sticky === name;
      await this.exchange.request({ t: "rename", name, to: wanted });
      this.onRenamed(name, wanted);
      if (sticks) this.store.stick(wanted);
      this.#tell(t(merges ? "class.merged" : "class.renamed", { name: shortName(name), other: shortName(wanted) }));
    });
  }

  /** Take a class off the list and from its objects. @param {string} name */
  remove(name) {
    return this.#do(async () => {
      await this.exchange.request({ t: "rename", name, to: "" });
      this.onRenamed(name, "");
      this.#tell(t("class.deleted", { name: shortName(name) }));
    });
  }

  /** Put another list in the place of this one. @param {readonly string[]} names @param {string} from a file's name */
  replace(names, from) {
    return this.#do(async () => {
      const others = this.missing(names.map((name) => ({ name, color: 0 })));
      await this.exchange.request({ t: "classes", classes: [...names, ...others] });
      const more = this.state.classes.length - names.length;
      this.#tell(t(more > 0 ? "class.replacedMore" : "class.replaced", { count: names.length, file: shortName(from), more }));
    });
  }

  /** Put more classes after those that are there, where the server can be asked. @param {readonly Class[]} more */
  async add(more) {
    const news = more.filter(({ name }) => !this.#has(name));
    if (news.length === 0 || this.state.connection !== "ready") return;
    await this.#do(async () => {
      await this.exchange.request({ t: "classes", classes: [...this.state.classes, ...news] });
    });
  }

  /** @param {string} name */
  #has(name) {
    return this.state.classes.some((one) => one.name === name);
  }

  /** @param {string | null} sticky @param {string} [said] */
  #stick(sticky, said) {
    this.store.stick(sticky);
    const next = sticky === null ? t("class.newNone") : t("class.newAre", { name: shortName(sticky) });
    this.store.say([said, next].filter(Boolean).join(" "));
  }

  /** @param {string} text */
  #tell(text) {
    this.store.tell(text, { undo: this.state.picture !== null });
  }

  /** The list is a person's also before there is a picture. @param {() => Promise<void>} action */
  async #do(action) {
    if (this.state.picture !== null) return this.actions.do(action);
    if (this.state.connection !== "ready") return;
    await action().catch((error) => this.store.report(error));
  }
}
