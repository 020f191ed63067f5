/**
 * Where this browser keeps albums: IndexedDB, or the page's own memory where there is none.
 *
 * Decision: an album is the rows that bear its name; files and thumbnails lie under the hash of the file. Context: each
 * tab works on an album of its own, two may hold the same picture, and a tab that was closed leaves its album behind
 * for the next. Choice: a file is stored once, and goes with the last row that needs it. Price: whoever removes a
 * picture has to look whether another album has it.
 */

/** @import { Album, Entry, Trouble } from "../model/types.ts" */

/** @typedef {{ album: string, key: string, place: number, entry: Readonly<Entry> }} Row */
/** @typedef {{ album: string, at: number, here: string | null }} Standing */
/** @typedef {{ album: Album, here: string | null }} Loaded */

/** @type {readonly ["rows", "albums", "files", "thumbs"]} */
const STORES = ["rows", "albums", "files", "thumbs"];

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} once it is on the disk */
function written(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Why something isn't kept. @param {unknown} error @returns {Trouble} */
function troubleOf(error) {
  return error instanceof DOMException && error.name === "QuotaExceededError" ? "full" : "failed";
}

/** The rows of one album. @param {string} album */
function rowsOf(album) {
  return IDBKeyRange.bound([album], [album, []]);
}

/**
 * Open the storage of the server under this path.
 * @param {string} path
 * @returns {Promise<AlbumStorage>}
 */
export async function openStorage(path) {
  try {
    const opening = indexedDB.open(`hoversam${path}`, 2);
    opening.onupgradeneeded = () => {
      const db = opening.result;
      for (const name of db.objectStoreNames) db.deleteObjectStore(name);
      db.createObjectStore("rows", { keyPath: ["album", "key"] }).createIndex("key", "key");
      db.createObjectStore("albums", { keyPath: "album" });
      db.createObjectStore("files");
      db.createObjectStore("thumbs");
    };
    const db = await done(opening);
    db.onversionchange = () => db.close(); // a newer page in another tab
    return new AlbumStorage(db);
  } catch {
    return new AlbumStorage(null); // private browsing, or storage is switched off
  }
}

export class AlbumStorage {
  #db;
  /** Name of the album that is worked on. */
  #album = "";
  /** Places of the entries in it. @type {Map<string, number>} */
  #places = new Map();
  /**
   * Entries that are to be written: while one write is on its way, the newest of each waits.
   * @type {Map<string, Readonly<Entry>>}
   */
  #waiting = new Map();
  #busy = false;
  /** Why the last write failed: what waits is tried again with the next change. @type {Trouble | null} */
  trouble = null;
  /** Called when writing fails, and when it works again. */
  onTrouble = () => {};
  /** Files and thumbnails of this visit. @type {Map<string, Blob>} */
  #files = new Map();
  /** @type {Map<string, Blob>} */
  #thumbs = new Map();

  /** @param {IDBDatabase | null} db null keeps everything for this visit alone */
  constructor(db) {
    this.#db = db;
  }

  /** What is put here outlives the page. */
  get isLasting() {
    return this.#db !== null && this.trouble === null;
  }

  /** @param {Trouble | null} trouble */
  #found(trouble) {
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    this.onTrouble();
  }

  /** @param {IDBTransactionMode} mode @param {(typeof STORES)[number]} name @returns {IDBObjectStore} */
  #store(mode, name) {
    if (this.#db === null) throw new ReferenceError("this browser keeps nothing");
    return this.#db.transaction(name, mode).objectStore(name);
  }

  // ---- albums

  /** Work on an album from now on. @param {string} album its name @returns {Promise<Loaded>} */
  async load(album) {
    this.#album = album;
    const loaded = await this.read(album);
    for (const [place, key] of [...loaded.album.keys()].entries()) this.#places.set(key, place);
    return loaded;
  }

  /** Return what is in an album. @param {string} album its name @returns {Promise<Loaded>} */
  async read(album) {
    try {
      const rows = /** @type {Row[]} */ (await done(this.#store("readonly", "rows").getAll(rowsOf(album))));
      const standing = /** @type {Standing | undefined} */ (await done(this.#store("readonly", "albums").get(album)));
      const files = new Set(await done(this.#store("readonly", "files").getAllKeys()));
      const entries = rows.sort((a, b) => a.place - b.place)
        .map(({ key, entry }) => /** @type {const} */ ([key, { ...entry, here: files.has(key) }]));
      return { album: new Map(entries), here: standing?.here ?? null };
    } catch {
      return { album: new Map(), here: null };
    }
  }

  /** Return the names of all albums, the one that was worked on last first. @returns {Promise<string[]>} */
  async albums() {
    try {
      const standings = /** @type {Standing[]} */ (await done(this.#store("readonly", "albums").getAll()));
      return standings.sort((a, b) => b.at - a.at).map(({ album }) => album);
    } catch {
      return [];
    }
  }

  /**
   * Take entries of other albums into this one, and put those albums away: both, or neither where that fails.
   * @param {readonly Readonly<Entry>[]} entries as they are in this album @param {readonly string[]} others names
   */
  async adopt(entries, others) {
    if (this.#db === null) return;
    for (const entry of entries) this.#place(entry);
    try {
      const transaction = this.#db.transaction(["rows", "albums"], "readwrite");
      const rows = transaction.objectStore("rows");
      for (const entry of entries) rows.put(this.#row(entry));
      for (const other of others) {
        rows.delete(rowsOf(other));
        transaction.objectStore("albums").delete(other);
      }
      await written(transaction);
    } catch (error) {
      for (const entry of entries) this.#waiting.set(entry.key, entry);
      this.#found(troubleOf(error));
    }
  }

  // ---- entries

  /** Keep an entry as it is now. @param {Readonly<Entry>} entry */
  put(entry) {
    this.#place(entry);
    this.#waiting.set(entry.key, entry);
    void this.#write();
  }

  /** An entry that is new comes last. @param {Readonly<Entry>} entry */
  #place({ key }) {
    if (!this.#places.has(key)) this.#places.set(key, Math.max(-1, ...this.#places.values()) + 1);
  }

  /** @param {Readonly<Entry>} entry @returns {Row} */
  #row(entry) {
    return { album: this.#album, key: entry.key, place: this.#places.get(entry.key) ?? 0, entry };
  }

  async #write() {
    if (this.#busy || this.#db === null) return;
    this.#busy = true;
    let { trouble } = this;
    while (this.#waiting.size > 0) {
      const entries = [...this.#waiting.values()];
      this.#waiting.clear();
      try {
        const store = this.#store("readwrite", "rows");
        for (const entry of entries) store.put(this.#row(entry));
        await written(store.transaction);
        trouble = null;
      } catch (error) { // the next change tries again
        for (const entry of entries) if (!this.#waiting.has(entry.key)) this.#waiting.set(entry.key, entry);
        trouble = troubleOf(error);
        break;
      }
    }
    this.#busy = false;
    this.#found(trouble);
  }

  /** Keep which picture is looked at. @param {string} key */
  stand(key) {
    try {
      this.#store("readwrite", "albums").put({ album: this.#album, at: Date.now(), here: key });
    } catch {
      // Nothing is kept here.
    }
  }

  /** Forget a picture. @param {string} key */
  async remove(key) {
    this.#files.delete(key);
    this.#thumbs.delete(key);
    this.#waiting.delete(key);
    try {
      const rows = this.#store("readwrite", "rows");
      rows.delete([this.#album, key]);
      if ((await done(rows.index("key").count(key))) > 0) return;
      this.#store("readwrite", "files").delete(key);
      this.#store("readwrite", "thumbs").delete(key);
    } catch {
      // Nothing is kept here.
    }
  }

  /** Forget all albums, those of other tabs too. */
  async forget() {
    this.#files.clear();
    this.#thumbs.clear();
    this.#waiting.clear();
    if (this.#db === null) return;
    const transaction = this.#db.transaction(STORES, "readwrite");
    for (const name of STORES) transaction.objectStore(name).clear();
    this.#db = null; // nothing of this page comes after it
    await written(transaction);
  }

  // ---- files

  /**
   * Keep a picture's file.
   * @param {string} key
   * @param {Blob} file
   * @returns {Promise<Trouble | null>} why it isn't kept, null where it is
   */
  async putFile(key, file) {
    this.#files.set(key, file);
    return this.#putBlob("files", key, file);
  }

  /** Return a picture's file, null where it isn't kept. @param {string} key @returns {Promise<Blob | null>} */
  async file(key) {
    const file = this.#files.get(key) ?? await this.#blob("files", key);
    if (file) this.#files.set(key, file);
    return file;
  }

  /** Keep a small picture of it. @param {string} key @param {Blob} thumb */
  async putThumb(key, thumb) {
    this.#thumbs.set(key, thumb);
    await this.#putBlob("thumbs", key, thumb);
  }

  /** Return the small picture, null where there is none yet. @param {string} key @returns {Promise<Blob | null>} */
  async thumb(key) {
    return this.#thumbs.get(key) ?? this.#blob("thumbs", key);
  }

  /**
   * @param {"files" | "thumbs"} name
   * @param {string} key
   * @param {Blob} blob
   * @returns {Promise<Trouble | null>} null once it is on the disk
   */
  async #putBlob(name, key, blob) {
    try {
      const store = this.#store("readwrite", name);
      store.put(blob, key);
      await written(store.transaction);
      return null;
    } catch (error) {
      return troubleOf(error);
    }
  }

  /** @param {"files" | "thumbs"} name @param {string} key @returns {Promise<Blob | null>} */
  async #blob(name, key) {
    try {
      const found = await done(this.#store("readonly", name).get(key));
      return found instanceof Blob ? found : null;
    } catch {
      return null;
    }
  }
}
