/**
 * The one door to the state: every change of it has a name here. Others read `store.state`, which is typed read-only;
 * a lint rule finds whoever writes to it all the same. Touches no page element.
 *
 * A method is named after what has happened or what is to be seen from now on. Each ends in a call of `changed`, and
 * the page draws once a frame, however many there were.
 */

import { Superseded } from "../wire/requests.js";
import { objectsOf } from "./history.js";
import { isSameRegion, regionAt } from "./regions.js";
import { initialState, isVisible, openClip, sourceOf, workedOn } from "./state.js";

/** @import { Classes, Gone, ImageReady, Label, LineState, ModelInfo } from "../wire/messages.ts" */
/** @import { ObjectId, ObjectMessage, PreviewMessage, Recipe, Region, Window } from "../wire/messages.ts" */
/** @import { Aim, Album, Brush, Combining, Fields, OpenClip, Picture, PictureFacts } from "./types.ts" */
/** @import { Progress, SeenFrame, State, Tool, View, Work, XY } from "./types.ts" */

/** Nothing of how the objects of one picture were looked at goes for the next. */
const UNSEEN = Object.freeze({
  hidden: new Set(), isolated: null, pointed: null, walked: null, rank: null, point: null, onTop: false,
  combining: null, showsRegions: false,
});

export class Store {
  #fields;
  #changed;
  /** What was said of the socket last, while it isn't ready. @type {string | null} */
  #trouble = null;
  /** What the page knows now; always the same object. @type {State} */
  state;
  /** How often it has changed. */
  version = 0;

  /** @param {Partial<Fields>} known at the beginning @param {() => void} changed the state is not what was drawn */
  constructor(known, changed) {
    this.#fields = initialState(known);
    this.#changed = changed;
    this.state = this.#fields;
  }

  /** @param {Partial<Fields>} fields */
  #set(fields) {
    Object.assign(this.#fields, fields);
    this.version += 1;
    this.#changed();
  }

  /** Set, where what lies under the pointer may be another thing from now on. @param {Partial<Fields>} fields */
  #ground(fields) {
    this.#set({ ...fields, ground: this.state.ground + 1 });
  }

  // ---- the server

  /** @param {LineState} connection */
  connected(connection) {
    const { notice } = this.state;
    this.#set({ connection, notice: connection === "ready" && notice === this.#trouble ? null : notice }); // it is over
  }

  /** Say what is wrong with the socket, until it is ready. @param {string} trouble */
  warnOfLine(trouble) {
    this.#trouble = trouble;
    this.warn(trouble);
  }

  /** @param {number} roundTripMs of a ping */
  measured(roundTripMs) {
    this.#set({ roundTripMs });
  }

  /** @param {readonly ModelInfo[]} models that the server knows @param {number} [maxObjects] that a picture may have */
  knowServer(models, maxObjects = Infinity) {
    this.#set({ models, maxObjects });
  }

  /** @param {Record<string, string>} engines what each loaded model runs on */
  knowEngines(engines) {
    this.#set({ engines });
  }

  /** @param {string} model that runs */
  use(model) {
    this.#set({ model });
  }

  /** @param {string} model that has looked at what is open */
  answeredBy(model) {
    const models = this.state.models.map((one) => (one.name === model ? { ...one, available: true } : one));
    this.#ground({ model, models });
  }

  /** @param {string | null} name of the model that is being changed to, null where that is over */
  switchTo(name) {
    this.#set({ switching: name === null ? null : { name, stage: "queued", fraction: null, position: null } });
  }

  /**
   * The picture that is being opened, else the model that is being changed to, has come so far.
   * @param {Progress} progress
   */
  progress(progress) {
    const { pending, switching } = this.state;
    if (pending) this.#set({ pending: { ...pending, ...progress } });
    else if (switching) this.#set({ switching: { ...switching, ...progress } });
  }

  // ---- pictures

  /** A picture is on its way to the server, and shown in the place of the one that is open. @param {Picture} picture */
  begin(picture) {
    const pending = { ...picture, stage: /** @type {const} */ ("uploading"), fraction: 0, position: null };
    this.#set({ pending, notice: null, toast: null }); // nothing of another picture can be undone here
  }

  /** The picture on its way isn't taken: the one before is shown again. */
  giveUp() {
    this.#set({ pending: null });
  }

  /**
   * Show a picture, the one that is open or on its way, as the server sees it.
   * @param {Blob} file @param {View} view @param {PictureFacts} facts
   */
  see(file, view, { width, height, clip }) {
    const { pending, picture } = this.state;
    const seen = { ...view, width, height, ...(clip ? { clip } : {}) };
    if (pending?.file === file) this.#set({ pending: { ...pending, ...seen } });
    if (picture?.file === file) this.#set({ picture: { ...picture, ...seen } });
  }

  /**
   * A picture is open on the server: the one that was asked for, or the same one again (resumed, another model).
   * What answers neither is late news of a picture that was given up.
   * @param {ImageReady} message @param {boolean} expected it answers a request of ours
   * @returns {boolean} it is the picture that the page shows
   */
  opened(message, expected) {
    const { picture, pending } = this.state;
    const { model, width, height, image_id: imageId, encode_ms: encodeMs, cached, provisional = false } = message;
    this.answeredBy(model);
    const known = picture && sourceOf(picture.imageId) === sourceOf(imageId) ? picture : null;
    const source = expected ? (pending ?? picture) : known;
    if (source === null) return false;
    const { key, name, file, bitmap, orientation, clip } = source;
    if (source === pending) this.#set({ pending: null, ...UNSEEN, brush: { ...this.state.brush, radius: null } });
    this.#set({
      picture: { key, name, file, bitmap, orientation, width, height, imageId, encodeMs, cached, provisional, clip },
      clip: null, objects: new Map(), preview: null, canUndo: false, canRedo: false,
      sharp: null, regions: [], underPointer: null, walkedRegion: null,
    });
    return true;
  }

  /**
   * Show the picture of before the page was loaded again, until the server has said what it remembers.
   * @param {Picture} picture @param {Recipe} recipe @param {ObjectId | null} active @param {number} frame of a clip
   */
  adopt(picture, recipe, active, frame) {
    const { model, classes = this.state.classes } = recipe;
    const open = { picture: workedOn(picture, recipe), clip: openClip(picture.clip, frame) };
    this.#set({ ...open, model, classes, active, restoring: true });
  }

  /**
   * Show a picture of the album with what was done on it, until the server has made it again.
   * @param {Picture} picture @param {Work} work
   */
  comeBack(picture, { recipe, active, masks, frame = 0 }) {
    const { past = [], future = [] } = recipe;
    this.#ground({
      clip: openClip(picture.clip, frame, masks),
      picture: workedOn(picture, recipe), pending: null, restoring: true,
      objects: objectsOf(recipe, masks, picture.clip ? frame : null),
      notice: null, toast: null, ...UNSEEN, active, preview: null,
      canUndo: past.length > 0, canRedo: future.length > 0,
      sharp: null, regions: [], underPointer: null, walkedRegion: null,
    });
  }

  /** The pictures of this work are these. @param {Album} album */
  list(album) {
    this.#set({ album });
  }

  /** @param {boolean} restoring the picture and its prompts are being brought back */
  restore(restoring) {
    this.#set({ restoring });
  }

  // ---- clips

  /** Another frame is shown, or another thing known of it. @param {OpenClip} clip @param {SeenFrame} [seen] */
  stand(clip, seen) {
    const fields = { clip, ...seen, ...(seen?.picture ? { preview: null, point: null } : {}) };
    if (seen && !clip.playing) this.#ground(fields);
    else this.#set(fields); // nothing is asked of a frame that passes by
  }

  // ---- objects

  /** An object is as the server says. @param {ObjectMessage} message */
  put(message) {
    const { id, name, color, points, box = null, trail = [], chosen, masks } = message;
    const { objects, active, point, preview, nextColor } = this.state;
    const another = id === active && objects.get(id)?.points.length !== points.length;
    const all = new Map(objects).set(id, { id, name, color, points, box, trail, chosen, masks });
    this.#ground({
      objects: new Map([...all].sort(([one], [other]) => one - other)), // one that is back has its old place
      nextColor: Math.max(nextColor, color + 1),
      point: another ? null : point,
      preview: preview?.object === id || preview?.object === null ? null : preview,
      canUndo: message.can_undo,
      canRedo: message.can_redo,
    });
  }

  /** Objects are no longer there. @param {Gone} message */
  remove({ objects: gone, can_undo: canUndo, can_redo: canRedo }) {
    const { objects, active, point, pointed, walked, isolated, preview } = this.state;
    /** @template {number | null | undefined} T @param {T} id */
    const goes = (id) => typeof id === "number" && gone.includes(id);
    this.#ground({
      objects: new Map([...objects].filter(([id]) => !goes(id))),
      active: goes(active) ? null : active,
      point: goes(active) ? null : point,
      pointed: goes(pointed) ? null : pointed,
      walked: goes(pointed) ? null : walked,
      isolated: goes(isolated) ? null : isolated,
      preview: goes(preview?.object) ? null : preview,
      canUndo, canRedo,
    });
  }

  /** The classes are as the server says. @param {Pick<Classes, "classes" | "can_undo" | "can_redo">} message */
  classify({ classes, can_undo: canUndo, can_redo: canRedo }) {
    const { sticky } = this.state;
    this.#ground({ classes, canUndo, canRedo, sticky: classes.some(({ name }) => name === sticky) ? sticky : null });
  }

  /** New objects get a class from now on, or none. @param {string | null} sticky name of a class */
  stick(sticky) {
    this.#set({ sticky });
  }

  /** Show another candidate of an object, ahead of the server. @param {ObjectId} id @param {number} candidate index */
  choose(id, candidate) {
    const { objects } = this.state;
    const object = objects.get(id);
    if (object?.masks[candidate]) this.#set({ objects: new Map(objects).set(id, { ...object, chosen: candidate }) });
  }

  /** @param {number} color palette index that the next new object is likely to get */
  expectColor(color) {
    this.#set({ nextColor: color });
  }

  /** Select an object, or none. @param {ObjectId | null} id */
  select(id) {
    const { active, pointed } = this.state;
    this.#set({ walked: null, walkedRegion: null, pointed: id !== null && pointed !== id ? null : pointed });
    if (active !== id) this.#ground({ active: id, point: null });
  }

  /** Select a point of the active object, or none. @param {number | null} point index */
  selectPoint(point) {
    this.#set({ point });
  }

  /** @param {Aim | null} aim what a click would give where the pointer is @param {XY | null} [at] image pixels */
  aim(aim, at = null) {
    this.#set({ aim, at, underPointer: at && regionAt(this.state, at) });
  }

  /** The server has seen a part of the picture by itself, or none any more. @param {Window | null} sharp */
  sharpen(sharp) {
    if (String(sharp) !== String(this.state.sharp)) this.#ground({ sharp }); // what the pointer rests on is asked again
  }

  /** The server has found more of the picture's things. @param {readonly Region[]} regions */
  find(regions) {
    const { at, walkedRegion: walked } = this.state;
    const walkedRegion = regions.find((region) => walked !== null && isSameRegion(region, walked)) ?? null;
    this.#set({ regions, walkedRegion, underPointer: at && regionAt({ ...this.state, regions }, at) });
  }

  /** The Tab key has come to a region. @param {Region} region */
  walkTo(region) {
    this.#set({ walkedRegion: region, pointed: null, walked: null });
  }

  /** Show all regions, or none. */
  toggleRegions() {
    this.#set({ showsRegions: !this.state.showsRegions });
  }

  /** @param {PreviewMessage} message newer than the one shown @param {Label} label of the hover */
  preview({ seq, x, y, masks, best, object = null }, label) {
    this.#set({ preview: masks[best] ? { seq, x, y, masks, best, label, object } : null });
  }

  /** Nothing is lit up any more. */
  dropPreview() {
    this.#set({ preview: null });
  }

  /** @param {number | null} rank of the candidate that hovers show from now on; null for the best */
  showRank(rank) {
    this.#set({ rank });
  }

  /** @param {Tool} tool @param {boolean} [onTop] the next click of New makes an object, also where there is one */
  takeUp(tool, onTop = false) {
    this.#set({ tool, onTop, rank: null, combining: null });
  }

  /** Change the brush. @param {Partial<Brush>} change */
  reshapeBrush(change) {
    this.#set({ brush: { ...this.state.brush, ...change } });
  }

  /**
   * Objects that are chosen are to make one with the selected one, or none are.
   * @param {Combining | null} combining
   */
  combine(combining) {
    this.#ground({ combining, tool: combining === null ? this.state.tool : "new", onTop: false, point: null });
  }

  /** Nothing is to be made of several objects any more. */
  stopCombining() {
    if (this.state.combining !== null) this.combine(null);
  }

  /** The click that was to make an object on top has come. */
  putDownOnTop() {
    this.#set({ onTop: false });
  }

  /**
   * Point at an object, or at none.
   * @param {ObjectId | null} id @param {boolean} [walked] by the Tab key: keys are meant for it
   */
  pointAt(id, walked = false) {
    this.#set({ pointed: id, walked: walked ? id : null, walkedRegion: null });
  }

  /** Hide an object, or show it again. @param {ObjectId} id */
  hide(id) {
    const hidden = new Set(this.state.hidden);
    if (!hidden.delete(id)) hidden.add(id);
    this.#set({ hidden });
  }

  /** Show an object alone, or all again. @param {ObjectId} id */
  isolate(id) {
    this.#set({ isolated: this.state.isolated === id ? null : id });
  }

  /** What was just made or changed is to be seen. @param {ObjectId} id */
  reveal(id) {
    const { isolated, hidden } = this.state;
    const others = new Set([...hidden].filter((one) => one !== id));
    this.#set({ isolated: isVisible(this.state, id) ? isolated : null, hidden: others });
  }

  // ---- words

  /** Say to those who listen. @param {string} said */
  say(said) {
    this.#set({ said });
  }

  /** Say and show what was done. @param {string} text @param {{ undo: boolean }} options one undo takes it back */
  tell(text, { undo }) {
    this.#set({ said: text, toast: { text, undo } });
  }

  /** What was done last is shown no longer. */
  dropToast() {
    this.#set({ toast: null });
  }

  /** @param {string | null} notice what went wrong, null where all is well again */
  warn(notice) {
    this.#set({ notice });
  }

  /** Say what went wrong. @param {unknown} error */
  report(error) {
    if (!(error instanceof Superseded)) this.warn(error instanceof Error ? error.message : String(error));
  }

  /** @param {string | null} making the file that the server is making */
  make(making) {
    this.#set({ making });
  }
}
