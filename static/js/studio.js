/**
 * What a person can do with a picture: turns intents into requests and replies into state. Touches no page element.
 *
 * Prompts wait for one another, because a click on a new object must know the id that the click before it was given.
 */

import { Actions } from "./actions.js";
import { aimAt, litAt, promptOf, questionOf } from "./aim.js";
import { Choosing } from "./choosing.js";
import { Exchange } from "./exchange.js";
import { clipName } from "./protocol.js";
import { Inbox } from "./inbox.js";
import { Superseded } from "./requests.js";
import { Restorer } from "./restorer.js";
import { Sight } from "./sight.js";
import { currentObject, isArmed, isVisible, pointAt, select } from "./state.js";
import { Work } from "./work.js";
import { plural, shortName } from "./words.js";

/** @import { Aim, Lit, Place } from "./aim.js" */
/** @import { Outside, XY } from "./exchange.js" */
/** @import { Box, BoxPrompt, Click, ExportFormat, FileMessage, Request, ServerMessage } from "./protocol.js" */
/** @import { ObjectState, Picture, State, Tool } from "./state.js" */
/** @import { KeptWork, Saved } from "./restorer.js" */

export class Studio {
  #exchange;
  #restorer;
  #work = new Work();
  #actions;
  #inbox;
  #choosing;
  /** Where the pointer is, as long as it is on the picture. @type {Place | null} */
  #pointedAt = null;

  /** @param {State} state @param {Outside} outside */
  constructor(state, outside) {
    this.state = state;
    this.outside = outside;
    this.#actions = new Actions(state, outside.changed);
    this.#exchange = new Exchange(state, outside);
    /** @param {unknown} error */
    const report = (error) => this.#actions.report(error);
    const sight = new Sight(state, outside, report);
    this.#restorer = new Restorer(state, outside, this.#exchange, this.#work, sight, report);
    this.#choosing = new Choosing(state, outside, this.#exchange, this.#actions);
    this.#inbox = new Inbox(state, this.#exchange, this.#restorer, this.#work, sight, report);
  }

  // ---- pictures

  /**
   * Open a picture: show it at once, upload it, wait until the model has seen it. On failure the one before stays.
   * @param {Picture} picture
   */
  async open(picture) {
    this.leave();
    const signal = this.#restorer.begin();
    this.#exchange.requests.dropAll(new Superseded("another picture is being opened"));
    this.state.notice = null;
    this.state.toast = null; // nothing of another picture can be undone here
    this.state.pending = { ...picture, stage: "uploading", fraction: 0, position: null };
    this.outside.changed();
    try {
      await this.#restorer.openOnServer(picture, signal);
      this.#restorer.forgetLost();
      this.#select(null);
      this.#say(`${picture.name} is ready.`);
    } catch (error) {
      if (signal.aborted) return;
      this.state.pending = null;
      this.#actions.report(error);
      void this.#restorer.restore();
    }
    this.outside.changed();
  }

  /** Take up the work of this tab before it was loaded again. @param {Saved} saved */
  adopt(saved) {
    this.#restorer.adopt(saved);
  }

  /** The page's own copy of the work, or null where there is none to keep. @returns {KeptWork | null} */
  work() {
    const { picture, pending, model, active } = this.state;
    if (picture === null || pending || this.#restorer.isBusy) return null;
    return { recipe: this.#work.recipe(picture, model), active };
  }

  /** How many objects would go with the picture: those that are there, on their way back, or just being made. */
  get atStake() {
    return Math.max(this.state.objects.size, this.#work.size) + this.#exchange.requests.awaited;
  }

  /** Let another model look at the picture; the one that runs goes on until it is there. @param {string} name */
  async switchModel(name) {
    if (name === this.state.model || this.state.connection !== "ready") return;
    /** @type {State["switching"]} */
    const own = { name, stage: "queued", fraction: null, position: null };
    this.state.switching = own;
    this.outside.changed();
    try {
      const reply = await this.#exchange.request({ t: "model", name });
      this.state.model = reply.t === "image" ? reply.model : name;
      this.#say(`${name} is in use.`);
    } catch (error) {
      if (this.state.switching === own) this.#actions.report(error);
    }
    if (this.state.switching === own) this.state.switching = null;
    this.outside.changed();
  }

  // ---- the pointer

  /** The pointer is at a place: note what a click gives there, and ask for what shows it. @param {Place} place */
  hover(place) {
    if (!isArmed(this.state)) return;
    this.#pointedAt = place;
    const aim = aimAt(this.state, place);
    this.state.aim = aim;
    const question = questionOf(aim);
    if (question) this.#exchange.hover(place.point, question.label, question.object);
    else if (aim.does !== "nothing") this.#exchange.leave(); // over nothing to remove, the wheel may still want what was shown
    this.outside.changed();
  }

  /** Send the newest hover if there is room for it. */
  pump() {
    this.#exchange.pump();
  }

  /** The pointer left the picture: nothing is under it any more. */
  leave() {
    this.#pointedAt = null;
    this.state.aim = null;
    this.#choosing.stop();
    this.#exchange.leave();
  }

  /** A preview is on the screen. @param {number} seq */
  painted(seq) {
    this.#exchange.painted(seq);
  }

  /** Take up a tool. @param {Tool} tool @param {boolean} [onTop] the next click of New makes an object, also where there is one */
  takeUp(tool, onTop = false) {
    const { state } = this;
    state.tool = tool;
    state.onTop = onTop;
    state.rank = null;
    if (onTop) this.#say("New on top: the next click makes an object, also on one that is there.");
    else this.#say({ new: "New: a click makes an object.", add: "Add: a click adds to the selected object.", remove: "Remove: a click removes from the selected object." }[tool]);
    this.outside.changed();
  }

  // ---- prompts

  /**
   * Do what a click at a place gives. It is decided when the clicks before it are answered: the second one on a new thing
   * finds the object that the first one made.
   * @param {Place} place
   */
  click(place) {
    const lit = litAt(this.state, place);
    this.state.onTop = false;
    this.#choosing.stop();
    return this.#actions.do(async () => {
      const aim = aimAt(this.state, place);
      switch (aim.does) {
        case "nothing": throw new Error("There is nothing to remove from here: select an object first.");
        case "select": return this.#selectAndSay(aim.object);
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
    await this.#prompt({ t: "click", x, y, ...question, ...(candidate === undefined ? {} : { candidate }) });
  }

  /** Prompt with a box: of the selected object with the tool Add, else of a new one. @param {Box} box @param {Tool} tool */
  box(box, tool) {
    this.state.onTop = false;
    return this.#actions.do(() => this.#prompt({ t: "box", box, object: tool === "add" ? (this.state.active ?? undefined) : undefined }));
  }

  /** @param {number | null} id none if null */
  select(id) {
    return this.#actions.do(async () => this.#selectAndSay(id !== null && this.state.objects.has(id) ? id : null));
  }

  /** Show another candidate of what lies under the pointer, else of the selected object, at once. @param {1 | -1} step 1 for larger */
  cycle(step) {
    return this.#choosing.cycle(step);
  }

  /** Move a point of the selected object. @param {number} point index @param {XY} to */
  movePoint(point, to) {
    return this.#change((object) => (point < object.points.length ? { t: "move", object: object.id, point, ...to } : null));
  }

  /** Delete the newest point of the selected object; an object without one is gone. Like a click, it is decided when what was done before is answered. */
  deleteLastPoint() {
    return this.#actions.do(async () => {
      const object = this.#active();
      if (object) await this.#deletePoint(object, object.points.length - 1);
    });
  }

  /** Delete an object; if null, what is selected once what was done before is answered: a point, else an object. @param {number | null} id */
  delete(id) {
    const given = id ?? this.state.walked;
    if (given !== null) return this.remove(given);
    return this.#actions.do(async () => {
      const object = this.#active();
      if (object && this.state.point !== null) await this.#deletePoint(object, this.state.point);
      else await this.#remove(currentObject(this.state));
    });
  }

  /** @param {ObjectState} object @param {number} point index; beyond the points, the object is deleted */
  async #deletePoint(object, point) {
    if (!object.points[point]) return this.#remove(object);
    const reply = await this.#exchange.request({ t: "unpoint", object: object.id, point });
    this.state.point = null;
    this.#tell(reply.t === "gone" ? `${shortName(object.name)} deleted.` : `Point of ${shortName(object.name)} deleted.`);
  }

  // ---- objects

  /** @param {number} id */
  remove(id) {
    return this.#actions.do(() => this.#remove(this.state.objects.get(id)));
  }

  /** @param {ObjectState | undefined} object */
  async #remove(object) {
    if (!object) return;
    await this.#exchange.request({ t: "delete", object: object.id });
    this.#tell(`${shortName(object.name)} deleted.`);
  }

  /** @param {number} id @param {string} name */
  rename(id, name) {
    return this.#actions.do(async () => {
      const object = this.state.objects.get(id);
      const wanted = clipName(name.trim());
      if (!object || wanted === "" || wanted === object.name) return;
      await this.#exchange.request({ t: "label", object: id, name: wanted });
      this.#say(`Renamed to ${wanted}.`);
    });
  }

  clear() {
    return this.#actions.do(async () => {
      const { size } = this.state.objects;
      if (size === 0) return;
      await this.#exchange.request({ t: "clear" });
      this.#tell(`${plural(size, "object")} deleted.`);
    });
  }

  undo() {
    return this.#actions.do(async () => {
      if (this.state.canUndo) await this.#travel("undo");
    });
  }

  redo() {
    return this.#actions.do(async () => {
      if (this.state.canRedo) await this.#travel("redo");
    });
  }

  /**
   * Have the server make a file.
   * @param {ExportFormat} format @param {number[]} [objects] all if absent
   * @returns {Promise<FileMessage>}
   * @throws {Error} with the reason, in words
   */
  async export(format, objects) {
    /** @type {ServerMessage | undefined} */
    let reply;
    /** @type {unknown} */
    let reason = new Error("There is nothing to save yet.");
    await this.#actions.do(async () => {
      try {
        reply = await this.#exchange.request({ t: "export", format, objects });
      } catch (error) {
        reason = error;
      }
    });
    if (reply?.t !== "file") throw reason;
    return reply;
  }

  /** Change the selected object, if there is one. @param {(object: ObjectState) => Request | null} change */
  #change(change) {
    return this.#actions.do(async () => {
      const object = this.#active();
      const request = object ? change(object) : null;
      if (request) await this.#exchange.request(request);
    });
  }

  #active() {
    return this.state.active === null ? undefined : this.state.objects.get(this.state.active);
  }

  /** @param {number | null} id */
  #select(id) {
    select(this.state, id);
    this.state.rank = null;
  }

  /** @param {number | null} id */
  #selectAndSay(id) {
    const { state } = this;
    if (id === state.active) state.point = null;
    this.#select(id);
    const object = this.#active();
    this.#say(object ? `${object.name} selected.` : "Nothing selected.");
  }

  /** @param {number} point index */
  #selectPoint(point) {
    pointAt(this.state, null);
    this.state.point = point;
    this.#say(`Point ${point + 1} of ${this.#active()?.name ?? ""} selected. Delete deletes it.`);
  }

  /** @param {Click | BoxPrompt} prompt */
  async #prompt(prompt) {
    const reply = await this.#exchange.request(prompt);
    if (reply.t !== "object") return;
    if (!isVisible(this.state, reply.id)) this.state.isolated = null; // what was just made or changed is to be seen
    this.state.hidden.delete(reply.id);
    this.#select(reply.id);
    this.#say(`${reply.name}, ${reply.masks[reply.chosen]?.area ?? 0} pixels.`);
  }

  /** @param {"undo" | "redo"} direction */
  async #travel(direction) {
    const reply = this.#exchange.request({ t: direction });
    this.#exchange.travelling = this.#exchange.requests.lastSeq;
    await reply;
    this.#say(direction === "undo" ? "Undone." : "Redone.");
  }

  /** Say to those who listen. @param {string} text */
  #say(text) {
    this.state.said = text;
  }

  /** Say and show what was done and what one undo takes back. @param {string} text */
  #tell(text) {
    this.state.said = text;
    this.state.toast = { text, undo: true };
  }

  /** Take in a message of the server. @param {ServerMessage} message */
  receive(message) {
    const retold = this.#inbox.receive(message);
    if (retold && this.#pointedAt) this.hover(this.#pointedAt);
    this.#choosing.goOn();
    this.pump();
    this.outside.changed();
  }
}
