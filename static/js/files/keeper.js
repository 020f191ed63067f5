/**
 * What outlives a reload of this tab: the session and its token, the work on the open picture, and the tab's own name,
 * which is that of its album.
 *
 * Decision: a tab has an album of its own. Context: two tabs may be open at once, and sessionStorage ends with its tab.
 * Choice: the album of a tab that lives is left alone, and a new tab takes over those of all that were closed, as one.
 * Price: a second tab begins without the pictures of the first, and is told so.
 */

import { readRecipe } from "../model/history.js";

/** @import { KeptWork } from "../model/types.ts" */
/** @import { Loaded, AlbumStorage } from "./album-storage.js" */

/** @typedef {{ session: string, token: string }} Credentials */
/** @typedef {{ tab: string, seq: number, credentials: Credentials | null, work: KeptWork | null }} Kept */

/** Another page that holds this tab's lock is a copy of it, unless it is just being unloaded. */
const LOCK_WAIT_MS = 1500;

/** How long other pages of a browser without locks have to say that they are there. */
const ANSWER_MS = 200;

/** Servers under several paths of one host keep apart. @returns {string} */
export function pathOf() {
  return new URL(".", location.href).pathname;
}

/** @returns {string} */
function key() {
  return `hoversam.tab${pathOf()}`;
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
    }).catch(({ name }) => resolve(name !== "TimeoutError")); // without storage there are no locks, and no other tab
  });
}

export class Keeper {
  /** @type {Kept} */
  kept;
  #isForgotten = false;

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

  /** Keep how the work can be done again. @param {KeptWork | null} work */
  keepWork(work) {
    if (work !== null) this.#write({ work });
  }

  /** Keep nothing any more, of this tab and of how the page looks. */
  forget() {
    try {
      sessionStorage.removeItem(key());
      for (const name of Object.keys(localStorage)) if (name.startsWith("hoversam.")) localStorage.removeItem(name);
    } catch {
      // Nothing was kept.
    }
    this.#isForgotten = true;
  }

  /** @param {Partial<Kept>} change */
  #write(change) {
    if (this.#isForgotten) return;
    this.kept = { ...this.kept, ...change };
    try {
      sessionStorage.setItem(key(), JSON.stringify(this.kept));
    } catch {
      // Storage is switched off or full: the work doesn't outlive a reload, and goes on.
    }
  }
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
  const place = typeof value?.key === "string" ? { key: value.key } : {};
  const where = Number.isSafeInteger(value?.frame) ? { frame: value.frame } : {};
  return recipe && { ...place, ...where, recipe, active: typeof value.active === "number" ? value.active : null };
}

/**
 * What this tab kept before it was loaded again, and its album. A copy of a living tab begins a session of its own with
 * the same pictures; a new tab goes on where those that were closed left off.
 * @param {AlbumStorage} storage
 * @returns {Promise<{ keeper: Keeper, loaded: Loaded, others: number }>} and how many other pages are at work
 */
export async function openKeeper(storage) {
  /** @type {string | null} */
  let text = null;
  try {
    text = sessionStorage.getItem(key());
  } catch {
    // Storage is switched off.
  }
  const before = readKept(text);
  const kept = before ?? { tab: newName(), seq: 0, credentials: null, work: null };
  const ours = await isOurs(kept.tab);
  const keeper = new Keeper(ours ? kept : { ...kept, tab: newName(), credentials: null });
  const { tab } = keeper.kept;
  if (!ours) void isOurs(tab);
  const living = await livingTabs(tab);
  const loaded = await storage.load(tab);
  if (!ours) return { keeper, loaded: await taken(storage, [kept.tab], loaded, false), others: living.size };
  const left = before ? [] : (await storage.albums()).filter((album) => album !== tab && !living.has(album));
  return { keeper, loaded: await taken(storage, left, loaded, true), others: living.size };
}

/**
 * Take other albums into this tab's own.
 * @param {AlbumStorage} storage @param {readonly string[]} albums their names, the newest first
 * @param {Loaded} loaded this tab's own @param {boolean} drop they are nobody else's
 * @returns {Promise<Loaded>}
 */
async function taken(storage, albums, loaded, drop) {
  if (albums.length === 0) return loaded;
  const { merged } = await import("../model/album.js");
  let { album, here } = loaded;
  for (const name of albums) {
    const other = await storage.read(name);
    const both = merged(album, other.album.values());
    album = both.album;
    here ??= other.here;
    const changed = both.changed.flatMap((one) => album.get(one) ?? []);
    await storage.adopt(changed, drop && both.over === 0 ? [name] : []);
    if (here !== null) storage.stand(here);
  }
  return { album, here };
}

/**
 * The albums that other pages are at work on.
 * @param {string} own the name of this page's
 * @returns {Promise<Set<string>>}
 */
async function livingTabs(own) {
  if (navigator.locks) {
    const locks = await navigator.locks.query().catch(() => null); // refused where storage is
    const held = locks?.held ?? [];
    const names = held.map(({ name = "" }) => name.replace("hoversam.", ""));
    return new Set(names.filter((name) => name !== own));
  }
  const channel = new BroadcastChannel(key());
  const found = new Set();
  channel.addEventListener("message", ({ data }) => {
    if (data === "who") channel.postMessage(own);
    else found.add(data);
  });
  channel.postMessage("who");
  await new Promise((resolve) => { setTimeout(resolve, ANSWER_MS); });
  return found;
}

function newName() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
