/**
 * What a person can do with a picture: turns intents into requests and replies into state. Touches no page element.
 *
 * Prompts wait for one another, because a click on a new object must know the id that the click before it was given.
 */

import { Actions } from "./actions.js";
import { atRank, bySize, nextInSize, rankOf } from "./candidates.js";
import { Exchange } from "./exchange.js";
import { History } from "./history.js";
import { clipName } from "./protocol.js";
import { Inbox } from "./inbox.js";
import { recipeOf } from "./recipe.js";
import { Superseded } from "./requests.js";
import { Restorer } from "./restorer.js";
import { Sight } from "./sight.js";
import { Steps } from "./steps.js";
import { applyChoice, isArmed, objectAt, previewMask } from "./state.js";

/** @import { Outside, XY } from "./exchange.js" */
/** @import { Box, BoxPrompt, Click, ExportFormat, FileMessage, Label, Request, ServerMessage } from "./protocol.js" */
/** @import { ObjectState, Picture, State } from "./state.js" */
/** @import { Saved } from "./restorer.js" */

export class Studio {
  #exchange;
  #restorer;
  #history = new History();
  #steps = new Steps();
  #actions;
  #inbox;
  /** Whether the active object was made since the tool was armed, and in how many steps it changed since; Esc takes them back. */
  #since = { isNew: true, steps: 0 };

  /** @param {State} state @param {Outside} outside */
  constructor(state, outside) {
    this.state = state;
    this.outside = outside;
    this.#actions = new Actions(state, outside.changed);
    this.#exchange = new Exchange(state, outside);
    /** @param {unknown} error */
    const report = (error) => this.#actions.report(error);
    const sight = new Sight(state, outside, report);
    this.#restorer = new Restorer(state, outside, this.#exchange, this.#history, this.#steps, sight, report);
    this.#inbox = new Inbox(state, this.#exchange, this.#restorer, this.#history, this.#steps, sight, report);
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
    this.state.pending = { ...picture, stage: "uploading", fraction: 0, position: null };
    this.outside.changed();
    try {
      await this.#restorer.openOnServer(picture, signal, false);
      this.#restorer.forgetLost();
      this.#activate(null);
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

  /** The page's own copy of the work, or null where there is none to keep. */
  recipe() {
    return this.#restorer.isBusy || this.state.pending ? null : recipeOf(this.state, this.#history, this.#steps);
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

  /** Ask what lies under a point. @param {XY} point @param {Label} label */
  hover(point, label) {
    if (!isArmed(this.state)) return;
    const object = this.state.active ?? (label === 0 ? objectAt(this.state, point) : undefined) ?? undefined;
    if (label === 0 && object === undefined) return this.leave();
    this.#exchange.hover(point, label, object);
  }

  /** Send the newest hover if there is room for it. */
  pump() {
    this.#exchange.pump();
  }

  /** The pointer left the picture: nothing is under it any more. */
  leave() {
    this.#exchange.leave();
  }

  /** A preview is on the screen. @param {number} seq */
  painted(seq) {
    this.#exchange.painted(seq);
  }

  // ---- prompts

  /** Place a point on the active object, or on a new one. @param {XY} point @param {Label} label */
  click(point, label) {
    const { rank } = this.state;
    return this.#actions.do(async () => {
      if (label === 0 && this.state.active === null) {
        const found = objectAt(this.state, point);
        if (found === null) throw new Error("Nothing to take away from here: click an object first.");
        this.#activate(found);
      }
      await this.#prompt({ t: "click", ...point, label });
      await this.#chooseRank(rank);
    });
  }

  /** Prompt with a box. @param {Box} box */
  box(box) {
    return this.#actions.do(() => this.#prompt({ t: "box", box }));
  }

  /** Keep the active object as it is; the next click starts a new one. */
  commit() {
    return this.#actions.do(async () => {
      const object = this.#active();
      if (object) this.#say(`${object.name} kept.`);
      this.#activate(null);
    });
  }

  /** Take back what was done to the active object since the tool was armed; the next click starts a new one. */
  cancel() {
    return this.#actions.do(async () => {
      const object = this.#active();
      const { isNew, steps } = this.#since;
      if (object && isNew) await this.#exchange.request({ t: "delete", object: object.id });
      for (let step = 0; object && !isNew && step < steps && this.state.canUndo; step += 1) await this.#travel("undo");
      if (object && (isNew || steps > 0)) this.#say(`${object.name}: ${isNew ? "cancelled; undo brings it back" : "as it was before"}.`);
      this.#activate(null);
    });
  }

  /** Make an object the one that clicks refine. @param {number} id */
  select(id) {
    return this.#actions.do(async () => this.#activate(this.state.objects.has(id) ? id : null));
  }

  /** Show another candidate of what lies under the pointer, else of the active object, at once. @param {1 | -1} step 1 for larger */
  cycle(step) {
    const { state } = this;
    const shown = previewMask(state);
    if (state.preview && shown && state.preview.masks.length > 1) {
      const { masks } = state.preview;
      state.rank = rankOf(masks, nextInSize(masks, masks.indexOf(shown), step));
      this.#say(`Candidate ${state.rank + 1} of ${masks.length}.`);
      this.outside.changed();
      return Promise.resolve();
    }
    const object = this.#active();
    if (!object || object.masks.length < 2) return Promise.resolve();
    return this.choose(nextInSize(object.masks, object.chosen, step));
  }

  /** Take a candidate of the active object; shown before the server knows. @param {number} candidate index */
  choose(candidate) {
    const object = this.#active();
    if (!object || !isArmed(this.state)) return Promise.resolve();
    this.#showChoice(object, candidate);
    return this.#actions.do(async () => {
      await this.#choose(object, candidate);
      this.#since.steps += 1;
    });
  }

  /** @param {ObjectState} object @param {number} candidate */
  #showChoice(object, candidate) {
    applyChoice(this.state, object.id, candidate);
    const after = this.state.objects.get(object.id);
    if (after) this.#history.note(object, { t: "choose", object: object.id, candidate }, after);
    this.#say(`Candidate ${bySize(object.masks).indexOf(candidate) + 1} of ${object.masks.length}.`);
    this.outside.changed();
  }

  /** @param {ObjectState} before as the server has it @param {number} candidate */
  async #choose(before, candidate) {
    try {
      await this.#exchange.request({ t: "choose", object: before.id, candidate });
    } catch (error) {
      if (this.state.objects.has(before.id)) applyChoice(this.state, before.id, before.chosen);
      throw error;
    }
  }

  /** What was shown while hovering is what a click gives. @param {number | null} rank */
  async #chooseRank(rank) {
    this.state.rank = null;
    const object = this.#active();
    if (!object || object.masks.length < 2) return;
    const candidate = atRank(object.masks, rank, object.chosen);
    if (candidate === object.chosen) return;
    this.#showChoice(object, candidate);
    await this.#choose(object, candidate);
    this.#steps.tie();
  }

  /** Move a point of the active object. @param {number} point index @param {XY} to */
  movePoint(point, to) {
    return this.#change((object) => (point < object.points.length ? { t: "move", object: object.id, point, ...to } : null));
  }

  /** Take a point of the active object back. @param {number} point index */
  removePoint(point) {
    return this.#change((object) => (point < object.points.length ? { t: "unpoint", object: object.id, point } : null));
  }

  /** Take the newest prompt of the active object back; an object without one is gone. */
  removeLastPoint() {
    return this.#change((object) => {
      if (object.points.length === 0) return { t: "delete", object: object.id };
      return { t: "unpoint", object: object.id, point: object.points.length - 1 };
    });
  }

  // ---- objects

  /** @param {number} id */
  remove(id) {
    return this.#actions.do(async () => {
      const object = this.state.objects.get(id);
      if (!object) return;
      await this.#exchange.request({ t: "delete", object: id });
      this.#othersChanged(id);
      this.#say(`${object.name} deleted.`);
    });
  }

  /** @param {number} id @param {string} name */
  rename(id, name) {
    return this.#actions.do(async () => {
      const object = this.state.objects.get(id);
      const wanted = clipName(name.trim());
      if (!object || wanted === "" || wanted === object.name) return;
      await this.#exchange.request({ t: "label", object: id, name: wanted });
      this.#othersChanged(id);
    });
  }

  clear() {
    return this.#actions.do(async () => {
      if (this.state.objects.size === 0) return;
      await this.#exchange.request({ t: "clear" });
      this.#say("All objects deleted.");
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

  /** Change the active object, if there is one. @param {(object: ObjectState) => Request | null} change */
  #change(change) {
    return this.#actions.do(async () => {
      const object = this.#active();
      const request = object ? change(object) : null;
      if (!request) return;
      await this.#exchange.request(request);
      this.#since.steps += 1;
    });
  }

  #active() {
    return this.state.active === null ? undefined : this.state.objects.get(this.state.active);
  }

  /** Steps that don't concern the active object lie between it and what Esc would take back. @param {number} id */
  #othersChanged(id) {
    if (id !== this.state.active) this.#since.steps = 0;
    else this.#since.steps += 1;
  }

  /** @param {number | null} id */
  #activate(id) {
    this.state.active = id;
    this.state.preview = null;
    this.state.rank = null;
    this.#since = { isNew: id === null, steps: 0 };
    this.#exchange.forget();
  }

  /** @param {Click | BoxPrompt} prompt */
  async #prompt(prompt) {
    const object = this.state.active ?? undefined;
    const reply = await this.#exchange.request({ ...prompt, object });
    if (reply.t !== "object") return;
    this.state.active = reply.id;
    this.#since.steps += 1;
    this.#say(`${reply.name}, ${reply.masks[reply.chosen]?.area ?? 0} pixels.`);
  }

  /** @param {"undo" | "redo"} direction */
  async #travel(direction) {
    const { active } = this.state;
    const count = direction === "undo" ? this.#steps.back() : this.#steps.forth();
    const replies = Array.from({ length: count }, () => this.#exchange.request({ t: direction }));
    this.#exchange.travelling = this.#exchange.requests.lastSeq;
    try {
      await Promise.all(replies);
    } catch (error) {
      this.#steps.clear(); // how far it went is not known
      throw error;
    }
    if (this.state.active !== active) this.#since = { isNew: this.state.active === null, steps: 0 };
    else this.#since.steps = Math.max(0, this.#since.steps + (direction === "undo" ? -1 : 1));
    this.#say(direction === "undo" ? "Undone." : "Done again.");
  }

  /** @param {string} text */
  #say(text) {
    this.state.said = text;
  }

  /** Take in a message of the server. @param {ServerMessage} message */
  receive(message) {
    this.#inbox.receive(message);
    this.pump();
    this.outside.changed();
  }
}
