/**
 * What a person can do with a picture: turns intents into requests, and says what came of them. Touches no page
 * element.
 *
 * Prompts wait for one another, because a click on a new object must know the id that the click before it was given.
 */

import { aimAt, isBrush, litAt, promptOf, questionOf } from "../model/aim.js";
import { newName } from "../model/classes.js";
import { History, withClasses } from "../model/history.js";
import { sharpAt } from "../model/sharpness.js";
import { activeObject, currentObject, isArmed, isThere } from "../model/state.js";
import { shortName } from "../model/words.js";
import { clipName } from "../wire/protocol.js";
import { Refused, Superseded } from "../wire/requests.js";
import { Actions } from "./actions.js";
import { Choosing } from "./choosing.js";
import { Classifying } from "./classifying.js";
import { Dispatcher } from "./dispatcher.js";
import { Exchange } from "./exchange.js";
import { Looking } from "./looking.js";
import { Restorer } from "./restorer.js";
import { Shaping } from "./shaping.js";
import { Sight } from "./sight.js";
import { Taking } from "./taking.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { Aim, KeptWork, Lit, ObjectState, Picture, Place, Tool, Work, XY } from "../model/types.ts" */
/** @import { Box, BoxPrompt, Click, ExportFormat, ExportOptions } from "../wire/messages.ts" */
/** @import { FileMessage, ServerMessage } from "../wire/messages.ts" */
/** @import { Clips } from "./clips.js" */
/** @import { ClipParts, Outside, Saved } from "./types.ts" */

export class Studio {
  /** A person's actions: what waits for its answer. */
  actions;
  /** What a person does with clips; null before there was one. @type {Clips | null} */
  clips = null;
  #exchange;
  #restorer;
  #history = new History();
  #choosing;
  #dispatcher;
  #engines;

  /** @param {Store} store @param {Outside} outside */
  constructor(store, outside) {
    const sight = new Sight(store, outside.view);
    this.store = store;
    this.state = store.state;
    this.#engines = outside.engines;
    this.actions = new Actions(store);
    this.#exchange = new Exchange(store, outside);
    this.#restorer = new Restorer(store, outside, this.#exchange, this.#history, sight);
    this.classes = new Classifying(store, this.#exchange, this.actions);
    this.found = new Taking(store, this.#exchange, this.actions, (prompt) => this.#prompt(prompt));
    this.looking = new Looking(store, this.#exchange);
    this.shaping = new Shaping(store, this.#exchange, this.actions);
    this.#choosing = new Choosing(store, this.#exchange, this.actions);
    this.#dispatcher = new Dispatcher({
      store, line: outside.line, exchange: this.#exchange, restorer: this.#restorer, history: this.#history, sight,
      latency: outside.latency, learnEngines: () => this.learnEngines(),
      clips: () => this.clips,
    });
  }

  /** Take clips, too. @param {(parts: ClipParts) => Clips} make */
  takeClips(make) {
    this.clips = make({ store: this.store, exchange: this.#exchange, actions: this.actions });
    this.actions.prepare = this.clips.arrive.bind(this.clips);
  }

  /** Take in a message of the server. @param {ServerMessage} message */
  receive(message) {
    this.#dispatcher.receive(message);
    this.#choosing.goOn();
    this.pump();
  }

  // ---- pictures

  /**
   * Open a picture: show it at once, upload it, wait until the model has seen it. On failure the one before stays.
   * @param {Picture} picture @returns {Promise<Refused | null>} the server's reason not to take it
   */
  async open(picture) {
    this.leave();
    const signal = this.#restorer.begin();
    this.#exchange.requests.drop(new Superseded("another picture is being opened"));
    this.store.begin(picture);
    try {
      await this.#restorer.openOnServer(picture, signal);
      this.#restorer.forgetLost();
      this.#select(null);
      this.store.say(t("picture.ready", { name: picture.name }));
    } catch (error) {
      if (signal.aborted) return null;
      this.store.giveUp();
      this.store.report(error);
      void this.#restorer.restore();
      if (error instanceof Refused) return error;
    }
    return null;
  }

  /**
   * Show a picture of the album with what was done on it, at once, and have the server make it again.
   * @param {Picture} picture @param {Work} work
   */
  async comeBack(picture, work) {
    this.leave();
    this.#exchange.requests.drop(new Superseded("another picture is being opened"));
    await this.#restorer.comeBack(picture, { ...work, recipe: withClasses(work.recipe, this.state.classes) });
  }

  /** Send a picture that is likely to be the next one. @param {Blob} file @param {string} name */
  sendAhead(file, name) {
    return this.#restorer.sendAhead(file, name);
  }

  /** Take up the work of this tab before it was loaded again. @param {Saved} saved */
  adopt(saved) {
    this.#restorer.adopt(saved);
  }

  /** The page's own copy of the work, or null where there is none to keep. @returns {KeptWork | null} */
  work() {
    const { picture, pending, model, active, clip } = this.state;
    if (picture === null || pending || this.#restorer.isBusy) return null;
    const where = { ...(picture.key ? { key: picture.key } : {}), ...(clip ? { frame: clip.shown } : {}) };
    return { ...where, recipe: this.#history.recipe(picture, model), active };
  }

  /** Let another model look at the picture; the one that runs goes on until it is there. @param {string} name */
  async switchModel(name) {
    if (name === this.state.model || this.state.connection !== "ready") return;
    const isOurs = () => this.state.switching?.name === name; // another may have been chosen meanwhile
    this.store.switchTo(name);
    try {
      const reply = await this.#exchange.request({ t: "model", name });
      this.store.use(reply.t === "image" ? reply.model : name);
      this.store.say(t("models.used", { name }));
    } catch (error) {
      if (isOurs()) this.store.report(error);
    }
    if (isOurs()) this.store.switchTo(null);
  }

  /** Ask what the models run on: a compiled engine may have taken over since. */
  async learnEngines() {
    const engines = await this.#engines();
    if (engines) this.store.knowEngines(engines);
  }

  // ---- the pointer

  /** The pointer is at a place: note what a click gives there, and ask for what shows it. @param {Place} place */
  hover(place) {
    if (!isArmed(this.state) || !isThere(this.state)) return;
    const aim = aimAt(this.state, place);
    const question = questionOf(aim);
    this.store.aim(aim, place.point);
    if (question) this.#exchange.hover(place.point, question.label, question.object);
    else if (aim.does !== "nothing") this.#exchange.leave(); // over nothing to remove, the wheel may still want what was shown
  }

  /** Send the newest hover if there is room for it. */
  pump() {
    this.#exchange.pump();
  }

  /** The pointer left the picture: nothing is under it any more. */
  leave() {
    this.store.aim(null);
    this.#choosing.stop();
    this.#exchange.leave();
  }

  /** A preview is on the screen. @param {number} seq */
  painted(seq) {
    this.#exchange.painted(seq);
  }

  /**
   * Take up a tool.
   * @param {Tool} tool @param {boolean} [onTop] the next click of New makes an object, also where there is one
   */
  takeUp(tool, onTop = false) {
    this.store.takeUp(tool, onTop);
    this.store.say(t(onTop ? "tool.onTop" : `tool.${tool}`));
  }

  // ---- prompts

  /**
   * Do what a click at a place gives. It is decided when the clicks before it are answered: the second one on a new
   * thing finds the object that the first one made.
   * @param {Place} place
   */
  click(place) {
    if (isBrush(place.tool) && this.state.combining === null) return this.shaping.paint([place.point], place.tool === "brush" ? 1 : 0);
    const lit = litAt(this.state, place);
    this.store.putDownOnTop();
    this.#choosing.stop();
    return this.actions.do(async () => {
      const aim = aimAt(this.state, place);
      switch (aim.does) {
        case "nothing": throw new Error(t(this.state.combining === null ? "remove.nothing" : "combine.another"));
        case "select": return this.#choose(aim.object);
        case "point": return this.#selectPoint(aim.point);
        default: return this.#click(place.point, aim, lit);
      }
    });
  }

  /** @param {XY} point @param {Aim} aim @param {Lit | null} lit what was shown when it was clicked */
  async #click({ x, y }, aim, lit) {
    const question = /** @type {{ label: 0 | 1, object: number | undefined }} */ (questionOf(aim));
    const candidate = lit?.of === promptOf(this.state, aim) ? lit.candidate : undefined;
    if (question.object !== undefined) this.#select(question.object);
    const name = question.object === undefined ? newName(this.state) : {};
    const where = sharpAt(this.state, { x, y });
    await this.#prompt({ t: "click", x, y, ...question, ...(candidate === undefined ? {} : { candidate }), ...name, ...where });
  }

  /** Prompt with a box: of the selected object with Add, else of a new one. @param {Box} box @param {Tool} tool */
  box(box, tool) {
    this.store.putDownOnTop();
    return this.actions.do(() => {
      const object = tool === "add" ? (this.state.active ?? undefined) : undefined;
      const [x0, y0, x1, y1] = box;
      const where = sharpAt(this.state, { x: x0, y: y0 }, { x: x1, y: y1 });
      return this.#prompt({ t: "box", box, object, ...(object === undefined ? newName(this.state) : {}), ...where });
    });
  }

  /** @param {number | null} id none if null */
  select(id) {
    return this.actions.do(async () => this.#choose(id !== null && this.state.objects.has(id) ? id : null));
  }

  /**
   * Show another candidate of what lies under the pointer, else of the selected object, at once.
   * @param {1 | -1} step 1 for larger
   */
  cycle(step) {
    return this.#choosing.cycle(step);
  }

  /** Move a point of the selected object. @param {number} point index @param {XY} to */
  movePoint(point, to) {
    return this.actions.do(async () => {
      const object = activeObject(this.state);
      if (object?.points[point]) await this.#exchange.request({ t: "move", object: object.id, point, ...to });
    });
  }

  /**
   * Delete the newest point of the selected object; an object without one is gone. Like a click, it is decided when
   * what was done before is answered.
   */
  deleteLastPoint() {
    return this.actions.do(async () => {
      const object = activeObject(this.state);
      if (object) await this.#deletePoint(object, object.points.length - 1);
    });
  }

  /**
   * Delete an object; if null, what is selected once what was done before is answered: a point, else an object.
   * @param {number | null} id
   */
  delete(id) {
    const given = id ?? this.state.walked;
    return this.actions.do(async () => {
      const object = activeObject(this.state);
      if (given !== null) await this.#remove(this.state.objects.get(given));
      else if (object && this.state.point !== null) await this.#deletePoint(object, this.state.point);
      else await this.#remove(currentObject(this.state));
    });
  }

  /** @param {ObjectState} object @param {number} point index; beyond the points, the object is deleted */
  async #deletePoint(object, point) {
    if (!object.points[point]) return this.#remove(object);
    const reply = await this.#exchange.request({ t: "unpoint", object: object.id, point });
    this.store.selectPoint(null);
    this.store.tell(t(reply.t === "gone" ? "object.deleted" : "object.pointDeleted", { name: shortName(object.name) }), { undo: true });
  }

  /** @param {ObjectState | undefined} object */
  async #remove(object) {
    if (!object) return;
    await this.#exchange.request({ t: "delete", object: object.id });
    this.store.tell(t("object.deleted", { name: shortName(object.name) }), { undo: true });
  }

  /** @param {number} id @param {string} name */
  rename(id, name) {
    return this.actions.do(async () => {
      const object = this.state.objects.get(id);
      const wanted = clipName(name.trim());
      if (!object || wanted === "" || wanted === object.name) return;
      await this.#exchange.request({ t: "label", object: id, name: wanted });
      this.store.say(t("object.renamed", { name: wanted }));
    });
  }

  clear() {
    return this.actions.do(async () => {
      const { size } = this.state.objects;
      if (size === 0) return;
      await this.#exchange.request({ t: "clear" });
      this.store.tell(t("object.allDeleted", { count: size }), { undo: true });
    });
  }

  undo() {
    return this.actions.do(() => this.#travel("undo", this.state.canUndo));
  }

  redo() {
    return this.actions.do(() => this.#travel("redo", this.state.canRedo));
  }

  /** @param {"undo" | "redo"} direction @param {boolean} isPossible */
  async #travel(direction, isPossible) {
    if (!isPossible) return;
    const before = this.state.objects;
    const reply = this.#exchange.request({ t: direction });
    this.#exchange.travelling = this.#exchange.requests.lastSeq;
    await reply;
    await this.clips?.follow(before);
    this.store.say(t(direction === "undo" ? "history.undone" : "history.redone"));
  }

  /**
   * Have the server make a file.
   * @param {ExportFormat} format @param {number[]} [objects] all if absent @param {ExportOptions} [options]
   * @returns {Promise<FileMessage>}
   * @throws {Error} with the reason, in words
   */
  async export(format, objects, options) {
    if (this.clips && this.state.clip) return this.clips.save(format, objects, options);
    /** @type {ServerMessage | undefined} */
    let reply;
    /** @type {unknown} */
    let reason = new Error(t("save.nothingYet"));
    await this.actions.do(async () => {
      try {
        reply = await this.#exchange.request({ t: "export", format, objects, options });
      } catch (error) {
        reason = error;
      }
    });
    if (reply?.t !== "file") throw reason;
    return reply;
  }

  // ---- what is selected

  /** @param {number | null} id */
  #select(id) {
    this.store.select(id);
    this.store.showRank(null);
  }

  /** An object is chosen: to make one with the selected one, or to be selected. @param {number | null} id */
  #choose(id) {
    if (this.state.combining !== null && id !== null) return this.shaping.gather(id);
    this.store.stopCombining();
    this.#selectAndSay(id);
  }

  /** @param {number | null} id */
  #selectAndSay(id) {
    if (id === this.state.active) this.store.selectPoint(null);
    this.#select(id);
    const object = activeObject(this.state);
    this.store.say(object ? t("object.selected", { name: object.name }) : t("object.noneSelected"));
  }

  /** @param {number} point index */
  #selectPoint(point) {
    this.store.pointAt(null);
    this.store.selectPoint(point);
    this.store.say(t("object.pointSelected", { point: point + 1, name: activeObject(this.state)?.name ?? "" }));
  }

  /** @param {Click | BoxPrompt} prompt */
  async #prompt(prompt) {
    const reply = await this.#exchange.request(prompt);
    if (reply.t !== "object") return;
    this.store.reveal(reply.id);
    this.#select(reply.id);
    this.store.say(t("object.made", { name: reply.name, px: reply.masks[reply.chosen]?.area ?? 0 }));
  }
}
