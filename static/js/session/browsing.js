/**
 * Going from picture to picture: the album takes pictures in, remembers what was done on each, and brings it back.
 * Touches no page element.
 */

import {
  keyOf, kindOf, MAX_FILES, MAX_PICTURES, merged, missingClasses, neighbour, newEntry, parted, remainder, renamedIn,
  tally, withEntry, without,
} from "../model/album.js";
import { intakeText, newIntake } from "../model/album-words.js";
import { ownPart } from "../model/history.js";
import { maskOf } from "../model/state.js";
import { shortName, tooLarge } from "../model/words.js";
import { t } from "../words/translate.js";

/** @import { Given } from "../model/album.js" */
/** @import { Intake, Merging } from "../model/album-words.js" */
/** @import { Store } from "../model/store.js" */
/** @import { Album, Entry, KeptWork, Picture, State, Trouble } from "../model/types.ts" */
/** @import { ObjectId, Mask } from "../wire/messages.ts" */
/** @import { Studio } from "./studio.js" */
/** @import { AlbumOutside } from "./types.ts" */

/**
 * @typedef {object} Renaming of a class, on the picture that was open and on others
 * @property {string} name
 * @property {string} to
 * @property {string} before the list of classes
 * @property {string} after
 * @property {ReadonlyMap<string, ReadonlySet<ObjectId>>} touched objects of other pictures
 */

/** Pictures whose pixels are held: the one that is shown, and one on each side. */
const MAX_NEAR = 3;

export class Browsing {
  /** How many pictures were asked for: while one is read, the next may be, and the newest is meant. */
  #asked = 0;
  /** Pictures that were read, the last one last. @type {Map<string, Picture>} */
  #near = new Map();
  /** Which way the person goes. @type {1 | -1} */
  #way = 1;

  /** What was renamed while the picture was open, the last one last. @type {Renaming[]} */
  #renamed = [];
  /** What was undone of it, the next redo's last. @type {Renaming[]} */
  #undone = [];
  /** The classes as they were looked at last. */
  #names = "[]";

  /** @param {Store} store @param {Studio} studio @param {AlbumOutside} outside */
  constructor(store, studio, outside) {
    this.store = store;
    this.state = store.state;
    this.studio = studio;
    this.outside = outside;
    this.#names = namesOf(store.state);
    studio.classes.missing = (classes) => missingClasses(this.state.album, classes);
    studio.classes.onRenamed = (name, to) => this.#renameClass(name, to);
  }

  /** Nobody has asked for a picture yet. */
  get isUntouched() {
    return this.#asked === 0;
  }

  /** The picture that is looked at, or on its way. @returns {string | null} its key */
  get here() {
    return (this.state.pending ?? this.state.picture)?.key ?? null;
  }

  // ---- pictures come

  /**
   * Take files into the album and open the first. One alone is meant as a picture whatever it is; of many, those that
   * are none are named and left out.
   * @param {readonly Given[]} given
   */
  async take(given) {
    const alone = given.length === 1;
    const { pictures, others } = alone ? { pictures: given, others: [] } : parted(given.slice(0, MAX_FILES));
    const told = newIntake(others.map(({ name }) => name), given.length > MAX_FILES);
    const turn = (this.#asked += 1);
    /** @type {Promise<void> | null} */
    let opening = null;
    if (pictures.length > 1) this.outside.persist();
    for (const one of pictures) {
      const key = await this.#add(one, told, alone);
      if (key !== null && opening === null && turn === this.#asked) opening = this.#open(key, turn, alone);
    }
    await opening; // what is said of a picture that begins would take the place of this
    if (alone) told.doubled = []; // one that is here is shown
    const text = intakeText(told, MAX_PICTURES, this.outside.storage);
    const [{ name, file }] = given;
    const kind = kindOf(given[0]);
    if (alone && told.large.length > 0) this.store.warn(tooLarge(name, file.size, this.outside.maxBytes[kind], kind));
    else if (text !== "") this.store.warn(text);
    if (pictures.length > 1) this.store.say(t("intake.here", { count: this.state.album.size }));
  }

  /** @param {Given} given @param {Intake} told @param {boolean} alone @returns {Promise<string | null>} its key */
  async #add(given, told, alone) {
    const { file, name } = given;
    if (file.size > this.outside.maxBytes[kindOf(given)]) {
      told.large.push(name);
      return null;
    }
    const hash = await this.outside.hash(file).catch(() => null);
    const key = hash && keyOf(hash, given, alone ? this.state.album : null);
    if (key === null) {
      told.others.push(name); // a folder, or a file that is gone by now
      return null;
    }
    const known = this.state.album.get(key);
    if (known?.here) {
      told.doubled.push(name);
      return key;
    }
    if (!known && this.state.album.size >= MAX_PICTURES) {
      told.over += 1;
      return null;
    }
    const kind = kindOf(given) === "clip" ? { clip: { part: null } } : {};
    this.#put({ ...(known ?? { ...newEntry(key, name), ...kind }), here: true });
    tally(told, await this.outside.storage.putFile(key, file));
    return key;
  }

  /**
   * Take another work into this one: on a picture that both have, the objects of both.
   * @param {Iterable<Readonly<Entry>>} entries
   * @param {(key: string) => Promise<Blob | null>} file of a picture that comes with them
   * @param {(place: number, total: number) => void} onProgress @returns {Promise<Merging>}
   */
  async merge(entries, file, onProgress) {
    await this.studio.actions.atRest();
    this.noteNow();
    const before = this.state.album;
    const { album, changed, left, over } = merged(before, entries);
    this.store.list(album);
    for (const key of changed) this.#put(/** @type {Entry} */ (album.get(key)));
    const { picture } = this.state;
    const here = this.#entry(this.here);
    // What is open is shown anew at once: noted as it was, it would be without what has come.
    if (here?.work && picture && changed.includes(here.key)) void this.studio.comeBack(picture, here.work);
    const told = { unkept: 0, trouble: /** @type {Trouble | null} */ (null) };
    for (const [place, key] of changed.entries()) {
      onProgress(place + 1, changed.length);
      const entry = this.#entry(key);
      const blob = entry && !entry.here ? await file(key) : null;
      if (!entry || blob === null) continue;
      this.#put({ ...entry, here: true });
      tally(told, await this.outside.storage.putFile(key, blob));
    }
    if (picture === null && changed.length > 0) await this.go(changed[0]);
    const both = changed.filter((key) => before.has(key)).length;
    return { pictures: changed.length, both, left, over, ...told };
  }

  // ---- from picture to picture

  /** Open a picture of the album. @param {string} key */
  go(key) {
    const turn = (this.#asked += 1);
    const keys = [...this.state.album.keys()];
    this.#way = this.here !== null && keys.indexOf(key) < keys.indexOf(this.here) ? -1 : 1;
    return this.#open(key, turn, false);
  }

  /** Open the picture after this one, or before it. @param {1 | -1} step */
  async step(step) {
    const key = neighbour(this.state.album, this.#wanted ?? this.here, step, canBeOpened);
    if (key !== null) return this.go(key);
    if (this.state.album.size > 1) this.store.tell(t(step === 1 ? "album.last" : "album.first"), { undo: false });
  }

  /** The picture is done, or isn't any more; where it is, go on to the next that isn't. */
  async toggleDone() {
    const entry = this.#entry(this.here);
    if (!entry) return;
    this.#put({ ...entry, done: !entry.done });
    if (entry.done) return this.store.tell(t("album.undone", { name: shortName(entry.name) }), { undo: false });
    const isLeft = (/** @type {Readonly<Entry>} */ other) => !other.done && canBeOpened(other);
    const { album } = this.state;
    const next = neighbour(album, entry.key, 1, isLeft) ?? neighbour(album, null, 1, isLeft);
    if (next !== null) await this.go(next);
    else this.store.tell(album.size > 1 ? t("album.allDone") : t("album.isDone", { name: shortName(entry.name) }), { undo: false });
  }

  /** Take a picture out of the album, with what was done on it, and go to its neighbour. @param {string} key */
  async remove(key) {
    const { album } = this.state;
    const next = neighbour(album, key, 1) ?? neighbour(album, key, -1);
    const entry = album.get(key);
    if (!entry || next === null) return;
    if (key === this.here) await this.go(next);
    this.store.list(without(this.state.album, key));
    this.#near.delete(key);
    await this.outside.storage.remove(key);
    this.store.tell(t("album.removed", { name: shortName(entry.name) }), { undo: false });
  }

  /** The one that is being read, before it is shown. @type {string | null} */
  #wanted = null;

  /** @param {string} key @param {number} turn when it was asked for @param {boolean} alone it came by itself */
  async #open(key, turn, alone) {
    const isMeant = () => turn === this.#asked;
    this.#wanted = key === this.here ? null : key;
    if (this.#wanted === null) return;
    try {
      if (!(await this.#leave()) || !isMeant()) return;
      const picture = await this.#picture(key);
      const entry = this.#entry(key);
      if (!isMeant() || !entry) return;
      if (picture === null) return this.#askFor(entry);
      this.outside.storage.stand(key);
      [this.#renamed, this.#undone] = [[], []]; // the undo steps of the picture before that were of classes end here
      if (entry.work) await this.studio.comeBack(picture, entry.work);
      else await this.#judge(entry, await this.studio.open(picture), alone);
      if (isMeant()) void this.#prepare();
    } catch (error) {
      this.store.report(error);
    } finally {
      if (isMeant()) this.#wanted = null;
    }
  }

  /** What was done here is answered and noted. @returns {Promise<boolean>} false where that can't be */
  async #leave() {
    if (this.studio.actions.areWaiting && this.state.connection !== "ready") {
      this.store.warn(t("album.stay"));
      return false;
    }
    await this.studio.actions.atRest();
    this.noteNow();
    return true;
  }

  /**
   * A picture that the server refuses is marked, or goes again where it came by itself.
   * @param {Readonly<Entry>} entry @param {Error | null} refusal @param {boolean} alone
   */
  async #judge({ key }, refusal, alone) {
    const entry = this.#entry(key);
    if (!entry || !refusal) return;
    if (!alone) {
      this.#put({ ...entry, trouble: refusal.message });
      if (this.state.picture === null) await this.step(1);
      return;
    }
    this.store.list(without(this.state.album, key));
    void this.outside.storage.remove(key);
  }

  /** @param {Readonly<Entry>} entry */
  #askFor(entry) {
    if (entry.here) this.#put({ ...entry, here: false });
    this.store.warn(t("album.askFor", { name: shortName(entry.name) }));
    this.outside.askFor();
  }

  /** @param {string} key @returns {Promise<Picture | null>} null where its file isn't here */
  async #picture(key) {
    const { picture: shown } = this.state;
    if (shown?.key && !shown.clip) this.#hold({ ...shown, key: shown.key }); // a clip's frames are held elsewhere
    const near = this.#near.get(key);
    if (near) return near;
    const file = await this.outside.storage.file(key);
    const entry = this.#entry(key);
    if (file === null || !entry) return null;
    const picture = { ...(await this.outside.read(file, entry.name, entry.clip, entry.work)), key };
    if (picture.file !== file) void this.outside.storage.putFile(key, picture.file); // the copy that the server takes
    if (!picture.clip) this.#hold(picture);
    return picture;
  }

  /** @param {Picture & { key: string }} picture */
  #hold({ key, name, file, bitmap, orientation, width, height }) {
    this.#near.delete(key);
    this.#near.set(key, { key, name, file, bitmap, orientation, width, height });
    for (const old of [...this.#near.keys()].slice(0, -MAX_NEAR)) this.#near.delete(old);
  }

  /** Read the picture that is likely to come next, and let the server study it. */
  async #prepare() {
    const canBeRead = (/** @type {Readonly<Entry>} */ entry) => entry.here && !entry.clip && canBeOpened(entry);
    const key = neighbour(this.state.album, this.here, this.#way, canBeRead);
    if (key === null || this.state.connection !== "ready") return;
    const picture = await this.#picture(key);
    if (picture !== null && this.#asked > 0) await this.studio.sendAhead(picture.file, picture.name);
  }

  // ---- the work

  /** Take note of the work on the picture that is open. @param {KeptWork | null} work */
  note(work) {
    this.#followClasses();
    const { picture, objects } = this.state;
    const entry = this.#entry(picture?.key ?? null);
    if (work === null || picture === null || !entry) return;
    /** @type {[ObjectId, Mask][]} */
    const masks = [...objects.values()].flatMap((object) => {
      const mask = maskOf(object);
      return mask ? [[object.id, mask]] : [];
    });
    const { provisional = false, clip } = picture;
    const kept = { ...work, recipe: ownPart(work.recipe), masks, provisional };
    this.#put({ ...entry, trouble: null, ...(clip ? { clip } : {}), work: kept });
  }

  /** Take note of what is there now. */
  noteNow() {
    this.note(this.studio.work());
  }

  /**
   * Take up an album that was kept, and show the picture that was looked at last.
   * @param {Album} album @param {string | null} here the key of that picture
   * @param {KeptWork | null} work that this tab kept before it was loaded again
   */
  async begin(album, here, work) {
    this.store.list(album);
    if (work?.key && !album.has(work.key)) this.#put(remainder(work, work.key));
    const key = work?.key ?? here ?? [...album.keys()][0] ?? null;
    const entry = this.#entry(key);
    if (!entry) return;
    const picture = await this.#picture(entry.key);
    if (!this.isUntouched) return;
    if (picture === null) return this.store.warn(t("album.askFor", { name: shortName(entry.name) }));
    this.#asked += 1;
    if (work) this.studio.adopt({ picture, ...work });
    else if (entry.work) await this.studio.comeBack(picture, entry.work);
    else void this.studio.open(picture);
  }

  /** @param {string | null} key @returns {Readonly<Entry> | undefined} */
  #entry(key) {
    return key === null ? undefined : this.state.album.get(key);
  }

  /** @param {Readonly<Entry>} entry */
  #put(entry) {
    this.store.list(withEntry(this.state.album, entry));
    this.outside.storage.put(entry);
  }

  /** A class has another name on the picture that is open: it has it on all. @param {string} name @param {string} to */
  #renameClass(name, to) {
    const [before, after] = [this.#names, namesOf(this.state)];
    this.#renamed.push({ name, to, before, after, touched: this.#renameElsewhere(name, to) });
    this.#undone = [];
    this.#names = after;
  }

  /**
   * @param {string} name @param {string} to
   * @param {ReadonlyMap<string, ReadonlySet<ObjectId>>} [only] these objects of these pictures
   * @returns {Map<string, Set<ObjectId>>} what has another name now
   */
  #renameElsewhere(name, to, only) {
    /** @type {Map<string, Set<ObjectId>>} */
    const touched = new Map();
    for (const entry of this.state.album.values()) {
      if (!entry.work || entry.key === this.state.picture?.key || (only && !only.has(entry.key))) continue;
      const { work, ids } = renamedIn(entry.work, name, to, only?.get(entry.key));
      if (ids.size === 0) continue;
      touched.set(entry.key, ids);
      this.#put({ ...entry, work });
    }
    return touched;
  }

  /** Undo and redo of a renaming reach all pictures, too. */
  #followClasses() {
    const names = namesOf(this.state);
    const [last, next] = [this.#renamed.at(-1), this.#undone.at(-1)];
    if (last && names === last.before && this.#names === last.after) {
      this.#renameElsewhere(last.to, last.name, last.touched);
      this.#undone.push(...this.#renamed.splice(-1));
    } else if (next && names === next.after && this.#names === next.before) {
      this.#renameElsewhere(next.name, next.to, next.touched);
      this.#renamed.push(...this.#undone.splice(-1));
    }
    this.#names = names;
  }
}

/** The server has not refused it. @param {Readonly<Entry>} entry */
function canBeOpened({ trouble }) {
  return trouble === null;
}

/** The list of classes, to be compared. @param {State} state */
function namesOf({ classes }) {
  return JSON.stringify(classes.map(({ name }) => name));
}
