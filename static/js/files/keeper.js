/**
 * What outlives a reload of this tab: the session and its token, the work, the picture.
 *
 * Decision: the picture lies in IndexedDB under the tab's own name, the rest in sessionStorage. Context: the server may
 * have forgotten everything, and sessionStorage holds text of a few MB at most. Choice: both are the tab's, so that two
 * tabs don't mix. Price: a tab that is closed leaves its picture behind; the oldest beyond the bound go.
 */

import { readRecipe } from "../model/history.js";

/** @import { KeptWork, Picture } from "../model/types.ts" */

/** @typedef {{ session: string, token: string }} Credentials */
/** @typedef {{ tab: string, seq: number, credentials: Credentials | null, work: KeptWork | null }} Kept */
/** @typedef {{ tab: string, imageId: string, name: string, file: Blob, at: number }} KeptPicture */

const STORE = "pictures";
const MAX_PICTURES = 8;
/** Another page that holds this tab's lock is a copy of it, unless it is just being unloaded. */
const LOCK_WAIT_MS = 1500;

/** Servers under several paths of one host keep apart. @returns {string} */
function key() {
  return `hoversam.tab${new URL(".", location.href).pathname}`;
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransactionMode} mode @returns {Promise<IDBObjectStore>} */
async function pictures(mode) {
  const opening = indexedDB.open("hoversam", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "tab" });
  return (await done(opening)).transaction(STORE, mode).objectStore(STORE);
}

/**
 * @param {string} tab
 * @returns {Promise<boolean>} false where another page has the name: this one is a copy of that tab
 */
function isOurs(tab) {
  if (!navigator.locks) return Promise.resolve(true); // not a secure context: the last to come has the session
  return new Promise((resolve) => {
    const wait = AbortSignal.timeout(LOCK_WAIT_MS);
    navigator.locks.request(`hoversam.${tab}`, { signal: wait }, () => {
      resolve(true);
      return new Promise(() => {}); // held as long as the page lives
    }).catch(() => resolve(false));
  });
}

export class Keeper {
  /** @type {Kept} */
  kept;
  /** @type {string | null} the picture that was put away */
  #pictureId = null;
  #busy = Promise.resolve();

  /** @param {Kept} kept */
  constructor(kept) {
    this.kept = kept;
  }

  /** Keep the session that the tab is in. @param {Credentials | null} credentials */
  keepCredentials(credentials) {
    this.#write({ credentials });
  }

  /** @param {number} seq numbers up to it may have been used */
  keepSeq(seq) {
    this.#write({ seq });
  }

  /** Keep how the work can be done again. @param {KeptWork | null} work @param {Picture | null} picture */
  keepWork(work, picture) {
    if (work === null || picture === null) return;
    this.#write({ work });
    const { image_id: imageId } = work.recipe;
    if (this.#pictureId === imageId) return;
    this.#pictureId = imageId;
    const kept = { tab: this.kept.tab, imageId, name: picture.name, file: picture.file, at: Date.now() };
    this.#busy = this.#busy.then(() => putPicture(kept)).catch(() => { this.#pictureId = null; });
  }

  /** The picture of the work, if it is still there. @returns {Promise<KeptPicture | null>} */
  async picture() {
    const { work, tab } = this.kept;
    if (work === null) return null;
    try {
      /** @type {KeptPicture | undefined} */
      const found = await done(/** @type {IDBRequest<any>} */ ((await pictures("readonly")).get(tab)));
      return found?.imageId === work.recipe.image_id && found.file instanceof Blob ? found : null;
    } catch {
      return null;
    }
  }

  /** @param {Partial<Kept>} change */
  #write(change) {
    this.kept = { ...this.kept, ...change };
    try {
      sessionStorage.setItem(key(), JSON.stringify(this.kept));
    } catch {
      // Storage is switched off or full: the work doesn't outlive a reload, and goes on.
    }
  }
}

/** @param {KeptPicture} picture */
async function putPicture(picture) {
  const store = await pictures("readwrite");
  await done(store.put(picture));
  const all = /** @type {KeptPicture[]} */ (await done(store.getAll()));
  for (const old of all.sort((a, b) => b.at - a.at).slice(MAX_PICTURES)) store.delete(old.tab);
}

/** @param {string | null} text @returns {Kept | null} null where it isn't what was kept here */
export function readKept(text) {
  try {
    const { tab, seq, credentials, work } = JSON.parse(text ?? "");
    if (typeof tab !== "string") return null;
    const known = typeof credentials?.session === "string" && typeof credentials.token === "string";
    return {
      tab, seq: Number.isSafeInteger(seq) ? seq : 0, credentials: known ? credentials : null, work: readWork(work),
    };
  } catch {
    return null;
  }
}

/** @param {any} value parsed JSON @returns {KeptWork | null} null where it isn't what was kept here */
function readWork(value) {
  const recipe = readRecipe(value?.recipe);
  return recipe && { recipe, active: typeof value.active === "number" ? value.active : null };
}

/**
 * What this tab kept before it was loaded again; a copy of a living tab begins a session of its own with the same work.
 * @returns {Promise<Keeper>}
 */
export async function openKeeper() {
  /** @type {string | null} */
  let text = null;
  try {
    text = sessionStorage.getItem(key());
  } catch {
    // Storage is switched off.
  }
  const kept = readKept(text) ?? { tab: newName(), seq: 0, credentials: null, work: null };
  if (await isOurs(kept.tab)) return new Keeper(kept);
  const copy = new Keeper({ ...kept, credentials: null });
  const picture = await copy.picture();
  copy.kept = { ...copy.kept, tab: newName(), work: picture ? copy.kept.work : null };
  if (picture) await putPicture({ ...picture, tab: copy.kept.tab }).catch(() => {});
  void isOurs(copy.kept.tab);
  return copy;
}

function newName() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
