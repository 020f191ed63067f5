/**
 * Wires the page: makes the parts and joins them. Decides nothing.
 */

import { Frame } from "./canvas/frame.js";
import { Renderer } from "./canvas/render.js";
import { Stage } from "./canvas/stage.js";
import { openKeeper, pathOf } from "./files/keeper.js";
import { hashOf, readPicture, viewOf } from "./files/pictures.js";
import { openStorage } from "./files/album-storage.js";
import { Latency } from "./model/latency.js";
import { snapshot } from "./model/snapshot.js";
import { shownPicture } from "./model/state.js";
import { Store } from "./model/store.js";
import { toScreen } from "./model/viewport.js";
import { troubleText } from "./model/words.js";
import { bindCommands } from "./panels/commands.js";
import { find } from "./panels/dom.js";
import { FileOptions } from "./panels/file-options.js";
import { bindLook, bindTimes, SaveMenu, showLook, showModels, showTimes } from "./panels/menus.js";
import { bindFound, showFound } from "./panels/found.js";
import { ObjectsList } from "./panels/objects.js";
import { Importing } from "./panels/importing.js";
import { Opening } from "./panels/opening.js";
import { applyPreferences, loadPreferences } from "./panels/preferences.js";
import { showCombining } from "./panels/combining.js";
import { ClassesList, loadClasses } from "./panels/classes.js";
import { Saving } from "./panels/saving.js";
import { showStatus, showZoom } from "./panels/status.js";
import { ToastLine } from "./panels/toast.js";
import { Studio } from "./session/studio.js";
import { Connection, retryDelayMs } from "./wire/connection.js";
import { askForAdmission, fetchEngines } from "./wire/http.js";
import { t } from "./words/translate.js";

/** @import { XY } from "./model/types.ts" */
/** @import { Pictures } from "./panels/pictures.js" */
/** @import { ClipsPage } from "./panels/clips.js" */
/** @import { ClassPicker } from "./panels/class-picker.js" */
/** @import { Preferences } from "./panels/preferences.js" */

// What the server says in the page's markup, and what this browser kept.
const { model = "", engine = "", host, socketPath = "", ticketUrl = "", uploadUrl = "", picturesUrl = "", enginesUrl = "", classesUrl = "", clipsUrl = "", masksUrl = "", importUrl = "", maxUploadBytes, maxClipBytes } = document.body.dataset;
const socketUrl = new URL(socketPath, location.href.replace(/^http/, "ws")).href;
const storage = await openStorage(pathOf());
const { keeper, loaded, others } = await openKeeper(storage);
const preferences = loadPreferences();

// What the page knows, and the two who change it: the server and the person.
const frame = new Frame();
const latency = new Latency();
const store = new Store({ model, engines: { [model]: engine }, byTouch: matchMedia("(pointer: coarse)").matches, ...loadClasses() }, () => frame.ask());
const { state } = store;
const line = new Connection(socketUrl, {
  onMessage: (message) => studio.receive(message),
  onState: (next) => store.connected(next),
  onCredentials: (credentials) => keeper.keepCredentials(credentials),
  onTrouble: (text) => store.warnOfLine(text),
  ask: () => askForAdmission(ticketUrl),
}, keeper.kept.credentials, { asksFirst: host !== location.host });
const studio = new Studio(store, {
  line,
  upload: async (picture, onFraction, signal) => {
    if (picture.clip) return (await clips()).upload(picture, onFraction, signal);
    const { upload } = await import("./files/upload.js");
    return upload(uploadUrl, picture.file, picture.name, { onFraction, signal });
  },
  view: async (file, facts, bitmap) => {
    if (facts.clip) return (await clips()).view(facts);
    return viewOf(picturesUrl, file, facts, bitmap);
  },
  engines: () => fetchEngines(enginesUrl),
  now: () => performance.now(),
  pause: (attempt) => new Promise((done) => { setTimeout(done, retryDelayMs(attempt, Math.random())); }),
  lastSeq: keeper.kept.seq,
  reserve: (seq) => keeper.keepSeq(seq),
  latency,
});
// The picture, and what lies around it.
const [below, between, canvas] = ["picture-layer", "objects-layer", "canvas"].map((id) => /** @type {HTMLCanvasElement} */ (find(id)));
const ask = () => frame.ask();
const stage = new Stage(canvas, store, studio, ask);
const renderer = new Renderer({ picture: below, objects: between, top: canvas }, ask);
const fileOptions = new FileOptions(store, studio);
const saving = new Saving(store, studio, fileOptions);
const saveMenu = new SaveMenu(
  state, (format, objects) => void saving.take(format, () => objects), (objects) => fileOptions.show(objects),
);
const list = new ObjectsList(store, studio, { classify: (id) => void pickClass(id), copy: (id) => void saving.take("copy", () => [id]), save: (id) => saveMenu.openFor(id) });
const classes = new ClassesList(store, studio, classesUrl);
const importing = new Importing(store, studio, importUrl);
const opening = new Opening(store, pictures, clips, importing);
const toast = new ToastLine(store);

/** @type {Pictures | null} */
let album = null;

/** The album: fetched when the first picture comes. @returns {Promise<Pictures>} */
async function pictures() {
  const { gather } = await import("./panels/pictures.js").catch(() => {
    throw new Error(t("error.unreached"));
  });
  album ??= gather(store, studio, {
    storage,
    read: async (file, name, clip, work = null) => {
      if (clip) return (await clips()).read(file, name, clip, work);
      return readPicture(file, name);
    },
    hash: hashOf,
    persist: () => void navigator.storage?.persist?.(),
    askFor: () => opening.choose(),
    maxBytes: { picture: Number(maxUploadBytes), clip: Number(maxClipBytes) },
  }, {
    choose: () => opening.choose(),
    chooseFolder: () => opening.chooseFolder(),
    chooseFrames: () => opening.chooseFrames(),
    forget,
    masksUrl,
  });
  return album;
}

/** @type {ClipsPage | null} */
let clipsPage = null;

/** What clips need: fetched when the first one comes. @returns {Promise<ClipsPage>} */
async function clips() {
  const { gatherClips } = await import("./panels/clips.js").catch(() => {
    throw new Error(t("error.unreached"));
  });
  clipsPage ??= gatherClips(store, studio, { url: clipsUrl, storage, thumbed: (key) => album?.thumbed(key) });
  return clipsPage;
}

/** Have this browser forget all that it keeps of this page, and begin anew. */
async function forget() {
  keeper.forget();
  await storage.forget();
  location.reload();
}

/** @param {Partial<Preferences>} change */
function prefer(change) {
  applyPreferences(Object.assign(preferences, change));
  showLook(preferences);
  ask();
}

/** @param {XY} point image pixels @returns {XY} CSS pixels of the page */
function onPage(point) {
  const rect = canvas.getBoundingClientRect();
  const at = toScreen(stage.scene.viewport, point);
  return { x: rect.left + at.x, y: rect.top + at.y };
}

/** @type {ClassPicker | null} fetched when it is first wanted */
let picker = null;

/** Open the picker of classes for an object. @param {number | null} object */
async function pickClass(object) {
  try {
    const { ClassPicker } = await import("./panels/class-picker.js");
    picker ??= new ClassPicker(store, studio);
    const { cursor, badge } = stage.scene;
    const rect = canvas.getBoundingClientRect();
    const pointer = badge && { x: rect.left + badge.x, y: rect.top + badge.y };
    picker.open(object, cursor ? onPage(cursor) : (pointer ?? onPage({ x: 0, y: 0 })));
  } catch {
    store.warn(t("error.unreached"));
  }
}

function keep() {
  const work = studio.work();
  keeper.keepWork(work);
  album?.browsing.note(work);
}

bindCommands({
  store, studio, browsing: () => album?.browsing ?? null, stage, saving, opening, importing, list, pickClass,
  trackOrStop: () => clipsPage?.trackOrStop(), preferences, prefer,
});
bindLook(prefer);
bindFound(() => store.toggleRegions(), () => void studio.found.all());
showLook(preferences);
bindTimes(latency, () => void studio.learnEngines(), () => line.ping());
addEventListener("online", () => line.hurry());
addEventListener("pagehide", keep);
document.addEventListener("visibilitychange", () => { if (!document.hidden) line.hurry(); });

/** A view from outside, for tests and the curious: plain copies, nothing to turn. */
Object.defineProperty(globalThis, "hoversam", {
  value: Object.freeze({
    state: () => snapshot(state, stage.scene),
    latency: () => latency.rows(),
    /**
     * @param {number} x image pixels
     * @param {number} y image pixels
     * @returns {{ x: number, y: number }} CSS pixels of the page
     */
    toScreen: (x, y) => onPage({ x, y }),
  }),
});

frame.begin({
  store, studio, stage, renderer, look: preferences, latency, keep,
  panels: [
    // The strip measures itself: first, while nothing else is to be laid out anew.
    { of: () => [state.album, state.picture, state.pending], show: () => album?.update() },
    {
      of: () => [
        state.objects, state.active, state.pointed, state.walked, state.hidden, state.isolated, state.combining,
      ],
      show: () => list.update(),
    },
    { of: () => [state.combining, state.objects, state.active], show: () => showCombining(state) },
    {
      of: () => [state.regions, state.objects, state.hidden, state.isolated, state.showsRegions],
      show: () => showFound(state),
    },
    { of: () => [state.objects, state.classes, state.sticky], show: () => classes.update() },
    {
      of: () => [state.clip, state.objects, state.active, state.picture],
      show: () => clipsPage?.update(),
    },
    { of: () => [state.toast], show: () => toast.update() },
    { of: () => [store.version, preferences.hinted], show: () => showStatus(state, preferences.hinted) },
    {
      of: () => [stage.scene.viewport.scale, shownPicture(state)],
      show: () => showZoom(state, stage.scene.viewport.scale),
    },
    {
      of: () => [state.models, state.model, state.switching],
      show: () => showModels(state, (name) => void studio.switchModel(name)),
    },
    { of: () => [store.version], show: () => showTimes(latency) },
  ],
});

// The work of this tab before it was loaded again is shown while the server is asked for it.
if (loaded.album.size > 0 || keeper.kept.work?.key) {
  const gathered = await pictures().catch((error) => store.report(error));
  await gathered?.browsing.begin(loaded.album, loaded.here, keeper.kept.work);
}
if (storage.trouble !== null) store.warn(troubleText(storage.trouble));
else if (!storage.isLasting) store.warn(t("start.passing"));
else if (others > 0 && loaded.album.size === 0) store.tell(t("start.otherTab"), { undo: false });
line.open();
