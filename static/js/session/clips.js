/**
 * What a person does with a clip: goes from frame to frame, and has objects followed; and what the server says of it.
 * Fetched when the first clip comes. Touches no page element.
 *
 * Decision: the page is ahead of the server. Context: a person scrubs over a hundred frames in a second, and each that
 * the server opens is studied by the model. Choice: frames are shown at once, with the masks that are known of them,
 * and the server is told where the time line rests. Price: what is done on a frame waits until the server has it.
 */

import { allOnFrame, changedFrame, followable, frameId, onFrame, within, withMasks, withoutObjects } from "../model/clip.js";
import { isThere, openClip, sourceOf } from "../model/state.js";
import { Superseded } from "../wire/requests.js";
import { Player } from "./player.js";
import { t } from "../words/translate.js";

/** @import { Store } from "../model/store.js" */
/** @import { ObjectState, OpenClip } from "../model/types.ts" */
/** @import { ClipReady, Direction, Gone, ImageReady, MasksMessage } from "../wire/messages.ts" */
/** @import { ObjectId, ObjectMessage, Tracked } from "../wire/messages.ts" */
/** @import { ExportFormat, ExportOptions, FileMessage } from "../wire/messages.ts" */
/** @import { ClipOutside, ClipParts } from "./types.ts" */

/** So long a frame is shown before the server is asked to open it, ms. */
export const REST_MS = 150;
/** How many frames are read before they are shown. */
const AHEAD = 6;

export class Clips {
  /** The clip whose frame comes next. @type {ClipReady | null} */
  #coming = null;
  /** How often a frame was asked for, and which of these is shown. */
  #asked = 0;
  #shown = 0;
  /** The frame that was asked for last, before it is shown. @type {number | null} */
  #wanted = null;
  /** The frame that the server was asked to open. @type {{ index: number, reply: Promise<unknown> } | null} */
  #sent = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** The newest file that was given up, by the number of its request. @type {number | null} */
  #given = null;

  /** @param {ClipParts} parts @param {ClipOutside} outside */
  constructor({ store, exchange, actions }, outside) {
    /** @type {Store} */
    this.store = store;
    this.state = store.state;
    this.exchange = exchange;
    this.actions = actions;
    this.outside = outside;
    this.player = new Player(outside, {
      held: (index) => this.#held(index) !== null,
      read: (index) => void this.#read(index),
      show: (index) => this.#stand(index),
    });
  }

  // ---- what the server says

  /** A clip is open; its frame follows. @param {ClipReady} message */
  opens(message) {
    this.#coming = message;
  }

  /**
   * A frame is open on the server.
   * @param {ImageReady} message @param {boolean} expected it answers a request of ours
   * @returns {boolean} it is of the clip that the page shows
   */
  opened(message, expected) {
    const coming = this.#coming?.seq === message.seq ? this.#coming : null;
    const { clip } = this.state;
    const frame = message.frame ?? 0;
    if (coming) return this.#begins(coming, message, expected);
    if (clip === null || sourceOf(message.image_id) !== clip.id) return false;
    const { picture } = this.state;
    const { encode_ms: encodeMs, cached } = message;
    this.store.answeredBy(message.model);
    if (picture) this.store.stand({ ...clip, ready: frame }, { picture: { ...picture, encodeMs, cached } });
    this.#rest();
    return true;
  }

  /** @param {ClipReady} coming @param {ImageReady} message @param {boolean} expected */
  #begins({ clip_id: id, times, duration, seq }, message, expected) {
    const before = this.state.clip?.id === id && this.state.pending === null ? this.state.clip : null;
    this.#coming = null;
    if (!this.store.opened(message, expected)) return false;
    const { picture } = this.state;
    const frame = message.frame ?? 0;
    const facts = { part: picture?.clip?.part ?? null, id, times, duration };
    const fresh = openClip(facts, frame);
    if (picture === null || fresh === null) return false;
    const shown = before && before.shown < times.length ? before.shown : frame;
    const { masks, tracking, saving } = before ?? fresh;
    const clip = { ...fresh, shown, ready: frame, masks, tracking, saving };
    this.#sent = null;
    this.player.stop();
    this.store.stand(clip, { picture: { ...picture, imageId: frameId(id, shown), clip: facts } });
    if (!expected || picture.bitmap === null || seq === 0) void this.show(shown);
    this.#rest();
    return true;
  }

  /**
   * An object is another; the masks that are known of it are, too.
   * @param {ObjectMessage} message of the frame that the server has open
   * @returns {ObjectMessage} of the frame that is shown
   */
  object(message) {
    const { clip } = this.state;
    if (clip === null) return message;
    const frame = message.frame ?? clip.ready ?? clip.shown;
    const mask = message.masks[message.chosen] ?? null;
    const masks = withMasks(clip.masks, frame, [{ id: message.id, mask }]);
    this.store.stand({ ...clip, masks });
    return frame === clip.shown ? message : onFrame(message, masks, clip.shown);
  }

  /** Objects are no longer there. @param {Gone} message */
  gone({ objects }) {
    const { clip } = this.state;
    if (clip) this.store.stand({ ...clip, masks: withoutObjects(clip.masks, objects) });
  }

  /** Masks of one frame. @param {MasksMessage} message */
  masks({ frame, objects: told }) {
    const { clip, objects } = this.state;
    if (clip === null) return;
    const masks = withMasks(clip.masks, frame, told);
    if (frame !== clip.shown) return this.store.stand({ ...clip, masks });
    const all = new Map(objects);
    for (const { id, mask } of told) {
      const object = all.get(id);
      // One that was prompted here has its candidates, and comes by itself.
      if (object && !(mask && object.masks.length > 1)) all.set(id, onFrame(object, masks, frame));
    }
    this.store.stand({ ...clip, masks }, { objects: all });
  }

  /** How far objects are followed. @param {Tracked} message */
  tracked({ done, frames, last = false }) {
    const { clip } = this.state;
    if (clip === null) return;
    this.store.stand({ ...clip, tracking: last ? null : { done, frames } });
    if (last && done > 0) this.store.say(t("track.done", { count: done }));
  }

  // ---- from frame to frame

  /**
   * Show a frame as soon as its picture is here. Of several that are asked for, each is shown that comes before a later
   * one.
   * @param {number} index
   */
  async show(index) {
    const { clip } = this.state;
    if (clip === null) return;
    this.player.stop();
    const wanted = within(clip, index);
    this.#wanted = wanted;
    const turn = (this.#asked += 1);
    this.#playing(false);
    if (this.#held(wanted) === null && !(await this.#read(wanted))) return;
    if (turn < this.#shown || this.state.clip?.id !== clip.id || this.state.clip.playing) return;
    this.#shown = turn;
    this.#stand(wanted);
    if (turn === this.#asked) this.#wanted = null;
    this.#rest();
  }

  /** @param {number} frames forward; backward if negative */
  step(frames) {
    const { clip } = this.state;
    return clip ? this.show((this.#wanted ?? clip.shown) + frames) : Promise.resolve();
  }

  /** Play from here, or from the beginning where this is the end; or pause. */
  toggle() {
    const { clip } = this.state;
    if (clip === null) return;
    if (clip.playing) return void this.show(clip.shown);
    const from = clip.shown === clip.times.length - 1 ? 0 : clip.shown;
    this.#playing(true);
    this.player.play(clip, from, () => {
      const now = this.state.clip;
      if (now) void this.show(now.shown);
    });
  }

  /** What is shown has been there for a while: the server opens it. */
  #rest() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { clip, connection, restoring } = this.state;
      const isWanted = clip !== null && !clip.playing && !isThere(this.state);
      if (isWanted && connection === "ready" && !restoring) void this.#open(clip.shown).catch(() => {}); // told below
    }, REST_MS);
  }

  /** Have the server open the frame that is shown, before anything is done on it. @throws {Error} where it can't */
  async arrive() {
    for (let { clip } = this.state; clip && (clip.playing || !isThere(this.state)); { clip } = this.state) {
      if (clip.playing) await this.show(clip.shown);
      else await this.#open(clip.shown);
    }
  }

  /** @param {number} index @returns {Promise<unknown>} */
  #open(index) {
    if (this.#sent?.index === index) return this.#sent.reply;
    this.exchange.requests.dropKind("frame", new Superseded("another frame is shown"));
    const sent = { index, reply: this.exchange.request({ t: "frame", index }) };
    this.#sent = sent;
    sent.reply.catch((error) => this.store.report(error)).finally(() => {
      if (this.#sent === sent) this.#sent = null;
    });
    return sent.reply;
  }

  /** @param {number} index @returns {ImageBitmap | null} */
  #held(index) {
    const { clip } = this.state;
    return clip && this.outside.held(clip.id, index);
  }

  /** @param {number} index @returns {Promise<boolean>} the frame is here; false where others were wanted more */
  async #read(index) {
    const { clip } = this.state;
    if (clip === null) return false;
    try {
      return await this.outside.read(clip.id, index) !== null;
    } catch (error) {
      this.player.stop();
      this.#playing(false);
      this.store.report(error);
      return false;
    }
  }

  /** The frame's picture is here: show it. @param {number} index */
  #stand(index) {
    const { clip, picture, objects } = this.state;
    const bitmap = this.#held(index);
    if (clip === null || picture === null || bitmap === null) return;
    const seen = { ...picture, bitmap, imageId: frameId(clip.id, index) };
    const same = index === clip.shown;
    const here = same ? {} : { objects: allOnFrame(objects, clip.masks, index) };
    this.store.stand({ ...clip, shown: index }, { picture: seen, ...here });
    const ahead = clip.playing ? 1 : Math.sign(index - clip.shown) || 1;
    for (let n = 1; n <= AHEAD; n += 1) this.outside.ahead(clip.id, within(clip, index + ahead * n));
  }

  /** @param {boolean} playing */
  #playing(playing) {
    const { clip } = this.state;
    if (clip && clip.playing !== playing) this.store.stand({ ...clip, playing });
  }

  // ---- following

  /**
   * Have objects followed from the frame that is shown.
   * @param {Direction | "both"} direction @param {boolean} fast @param {ObjectId | null} only all that are here if null
   */
  track(direction, fast, only = null) {
    return this.actions.do(async () => {
      const here = followable(this.state.objects);
      if (here.length === 0) throw new Error(t("track.nothing"));
      const objects = only === null ? {} : { objects: [only] };
      this.#track({ done: 0, frames: 0 });
      try {
        await this.exchange.request({ t: "track", direction, ...objects, ...(fast ? { fast } : {}) });
        this.store.tell(t("track.begun", { direction }), { undo: true });
      } catch (error) {
        this.#track(null);
        throw error;
      }
    });
  }

  /** Follow no further; what is done stays. */
  async stop() {
    if (!this.state.clip?.tracking) return;
    try {
      await this.exchange.request({ t: "stop" });
      this.store.tell(t("track.stopped"), { undo: true });
    } catch (error) {
      this.store.report(error);
    }
    this.#track(null);
  }

  // ---- files

  /**
   * Have the server make a file of all frames; what is done meanwhile doesn't wait for it.
   * @param {ExportFormat} format @param {ObjectId[]} [objects] all if absent @param {ExportOptions} [options]
   * @returns {Promise<FileMessage>}
   * @throws {Error} with the reason, in words; {Superseded} where it was given up
   */
  async save(format, objects, options) {
    await this.actions.atRest();
    const reply = this.exchange.request({ t: "export", format, objects, options });
    const saving = { seq: this.exchange.requests.lastSeq, fraction: 0 };
    this.#save(saving);
    try {
      return /** @type {FileMessage} */ (await reply);
    } catch (error) {
      throw this.#given === saving.seq ? new Superseded("the file was given up") : error;
    } finally {
      this.#save(null);
    }
  }

  /** Give up the file that is being made. */
  async giveUpFile() {
    const { saving } = this.state.clip ?? {};
    if (!saving) return;
    this.#given = saving.seq;
    await this.exchange.request({ t: "stop", of: saving.seq }).catch((error) => this.store.report(error));
  }

  /** A file has come so far. @param {number} seq @param {number} fraction 0 to 1 */
  saved(seq, fraction) {
    if (this.state.clip?.saving?.seq === seq) this.#save({ seq, fraction });
  }

  /** @param {OpenClip["saving"]} saving */
  #save(saving) {
    const { clip } = this.state;
    if (clip) this.store.stand({ ...clip, saving });
  }

  /** @param {OpenClip["tracking"]} tracking */
  #track(tracking) {
    const { clip } = this.state;
    if (clip) this.store.stand({ ...clip, tracking });
  }

  /**
   * What an undo or a redo has changed is shown, wherever it is.
   * @param {ReadonlyMap<ObjectId, ObjectState>} before the objects
   */
  async follow(before) {
    const { clip, objects } = this.state;
    const frame = clip && changedFrame(before, objects);
    if (frame !== null && frame !== clip?.shown) await this.show(frame);
  }
}
