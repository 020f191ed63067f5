/**
 * Wires the page: finds its elements, starts the parts, draws once a frame when something changed. Decides nothing.
 */

import { askForAdmission } from "./admission.js";
import { mayLeave } from "./ask.js";
import { bindCommands } from "./commands.js";
import { Connection } from "./connection.js";
import { openKeeper } from "./keeper.js";
import { Latency } from "./latency.js";
import { bindLook, SaveMenu, showLook, showModels, showTimes } from "./menus.js";
import { ObjectsList } from "./objects-list.js";
import { bindDrop, bindPaste, fetchSample, readPicture, viewOf } from "./pictures.js";
import { applyPreferences, loadPreferences } from "./preferences.js";
import { Renderer } from "./render.js";
import { snapshot } from "./snapshot.js";
import { Stage } from "./stage.js";
import { initialState, pointAt, shownPicture } from "./state.js";
import { showStatus } from "./status.js";
import { Studio } from "./studio.js";
import { Takeaway } from "./takeaway.js";
import { ToastLine } from "./toast.js";
import { upload } from "./upload.js";
import { toScreen } from "./viewport.js";
import { shortName } from "./words.js";

/** @import { Preferences } from "./preferences.js" */
/** @import { Picture } from "./state.js" */

/** @param {string} id @returns {HTMLElement} */
function find(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** @param {string} path @returns {string} the address of the socket on the server that the page came from */
function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

const config = document.body.dataset;
const canvas = /** @type {HTMLCanvasElement} */ (find("canvas"));
const maxUploadBytes = Number(config.maxUploadBytes);
/** How often the times are taken while they are looked at, ms. */
const LOOK_EVERY_MS = 1000;

const preferences = loadPreferences();
const latency = new Latency();
const state = initialState(config.model ?? "", matchMedia("(pointer: coarse)").matches);
state.engines = { [state.model]: config.engine ?? "" };
const keeper = await openKeeper();
const studio = new Studio(state, {
  send: (message) => connection.send(message),
  upload: (file, name, onFraction, signal) => upload(config.uploadUrl ?? "", file, name, { onFraction, signal }),
  view: (file, word, bitmap) => viewOf(config.picturesUrl ?? "", file, word, bitmap),
  changed,
  now: () => performance.now(),
  lastSeq: keeper.kept.seq,
  reserve: (seq) => keeper.keepSeq(seq),
  latency,
});
/** @type {string | null} */
let lineTrouble = null;
const connection = new Connection(socketUrl(config.socketPath ?? ""), {
  onMessage: receive,
  onState: (next) => {
    state.connection = next;
    if (next === "ready" && state.notice === lineTrouble) state.notice = null; // it is over
    changed();
  },
  onRoundTrip: (ms) => { state.roundTripMs = ms; latency.add("network", ms); changed(); },
  onCredentials: (credentials) => keeper.keepCredentials(credentials),
  onTrouble: (text) => tell((lineTrouble = text)),
  ask: () => askForAdmission(config.ticketUrl ?? ""),
}, keeper.kept.credentials, { asksFirst: config.host !== location.host });
const stage = new Stage(canvas, state, studio, changed);
const renderer = new Renderer({
  picture: /** @type {HTMLCanvasElement} */ (find("picture-layer")),
  objects: /** @type {HTMLCanvasElement} */ (find("objects-layer")),
  top: canvas,
}, changed);
const takeaway = new Takeaway(state, studio, changed);
const saveMenu = new SaveMenu(state, find, (format, objects) => void (format === "copy" ? takeaway.copy(objects) : takeaway.save(format, objects)));
const list = new ObjectsList(find("objects"), /** @type {HTMLTemplateElement} */ (find("object-entry")), {
  select: (id) => void studio.select(id),
  remove: (id) => void studio.remove(id),
  rename: (id, name) => void studio.rename(id, name),
  cycle: (step) => void studio.cycle(step),
  copy: (id) => void takeaway.copy([id]),
  save: (id) => saveMenu.openFor(id),
  hide: (id) => { if (!state.hidden.delete(id)) state.hidden.add(id); changed(); },
  isolate: (id) => { state.isolated = state.isolated === id ? null : id; changed(); },
  point: (id) => { pointAt(state, id); changed(); },
});
const toast = new ToastLine(find, changed);

/** After these the pointer may rest on something else than before, and there is new work to keep. */
let groundChanged = false;
/** @type {number | null} */
let keptActive = null;
const GROUND = new Set(["image", "object", "gone"]);

/** @param {import("./protocol.js").ServerMessage} message */
function receive(message) {
  studio.receive(message);
  if (message.t === "welcome" || (message.t === "image" && !(message.model in state.engines))) void learnEngines();
  if (message.t === "pong") {
    latency.add("queue", message.queue_ms);
    latency.add("decode", message.decode_ms);
  }
  groundChanged ||= GROUND.has(message.t);
}

/** Ask what the models run on: a compiled engine may have taken over since. */
async function learnEngines() {
  try {
    const response = await fetch(config.enginesUrl ?? "");
    if (response.ok) state.engines = await response.json();
    changed();
  } catch {
    // The server has gone; its welcome asks again.
  }
}

// ---- one frame for all that changed

let framePending = false;
/** @type {{ file: Picture["file"] | undefined, size: string }} */
let shown = { file: undefined, size: "" };

function changed() {
  if (framePending) return;
  framePending = true;
  requestAnimationFrame(frame);
}

function frame() {
  framePending = false;
  const picture = shownPicture(state);
  const size = picture ? `${picture.width} x ${picture.height}` : "";
  if (picture?.file !== shown.file || size !== shown.size) {
    shown = { file: picture?.file, size };
    stage.scene.cursor = null;
    stage.fit();
  }
  if (groundChanged || state.active !== keptActive) {
    groundChanged = false;
    keptActive = state.active;
    keeper.keepWork(studio.work(), state.picture);
    stage.rehover();
  }
  const began = performance.now();
  renderer.draw(state, stage.scene, preferences);
  if (state.preview) {
    latency.add("paint", performance.now() - began);
    studio.painted(state.preview.seq);
  }
  list.update(state);
  toast.update(state);
  showStatus(state, stage.scene.viewport.scale, find);
  showModels(state, find, (name) => void studio.switchModel(name));
  if (find("times-menu").matches(":popover-open")) showTimes(latency, find);
  find("coach").hidden = preferences.hinted || picture === null || state.objects.size > 0;
  studio.pump();
}

/** @param {string} text */
function tell(text) {
  state.notice = text;
  changed();
}

// ---- pictures

/** How many pictures were asked for: while one is fetched or read, the next may be, and the newest is meant. */
let asked = 0;

/** @param {Blob | Promise<Blob>} wanted @param {string} name */
async function openFile(wanted, name) {
  const own = (asked += 1);
  const file = await wanted;
  if (own !== asked) return;
  if (file.size > maxUploadBytes) {
    tell(`“${shortName(name)}” has ${(file.size / 2 ** 20).toFixed(1)} MiB; this server takes pictures up to ${(maxUploadBytes / 2 ** 20).toFixed(0)} MiB.`);
    return;
  }
  if (!(await mayLeave(studio, find, name)) || own !== asked) return;
  find("stage").scrollIntoView({ block: "nearest" }); // on a phone, a sample may lie far below it
  canvas.focus({ preventScroll: true });
  const picture = await readPicture(file, name);
  if (own === asked) await studio.open(picture);
}

/** @param {File} file */
function openGiven(file) {
  void openFile(file, file.name || "pasted picture");
}

const chooser = /** @type {HTMLInputElement} */ (find("file"));
bindDrop((over) => { find("drop").hidden = !over; }, openGiven);
bindPaste(openGiven);
chooser.addEventListener("change", () => {
  const file = chooser.files?.[0];
  if (file) openGiven(file);
  chooser.value = "";
});
for (const sample of document.querySelectorAll("[data-sample]")) {
  sample.addEventListener("click", async () => {
    const { sample: url = "", name = "sample" } = /** @type {HTMLElement} */ (sample).dataset;
    try {
      await openFile(fetchSample(url), name);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  });
}

// ---- commands and menus

/** @param {Partial<Preferences>} change */
function prefer(change) {
  Object.assign(preferences, change);
  applyPreferences(preferences);
  showLook(preferences, find);
  changed();
}

bindCommands({ state, studio, stage, takeaway, preferences, prefer, changed, find, choose: () => chooser.click(), list });
bindLook(preferences, find, prefer);
find("coach-close").addEventListener("click", () => prefer({ hinted: true }));
find("model-better").addEventListener("click", () => void studio.switchModel(find("model-better").dataset.model ?? ""));

/** @type {ReturnType<typeof setInterval> | undefined} */
let looking;
find("times-menu").addEventListener("toggle", (event) => {
  clearInterval(looking);
  if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
  connection.ping();
  void learnEngines();
  looking = setInterval(() => connection.ping(), LOOK_EVERY_MS);
  changed();
});

addEventListener("online", () => connection.hurry());
addEventListener("pagehide", () => keeper.keepWork(studio.work(), state.picture));
document.addEventListener("visibilitychange", () => { if (!document.hidden) connection.hurry(); });

/** A view from outside, for tests and the curious: plain copies, nothing to turn. */
Object.defineProperty(globalThis, "hoversam", {
  value: Object.freeze({
    state: () => snapshot(state, stage.scene),
    latency: () => latency.rows(),
    /** @param {number} x image pixels @param {number} y image pixels @returns {{ x: number, y: number }} CSS pixels of the page */
    toScreen: (x, y) => {
      const rect = canvas.getBoundingClientRect();
      const at = toScreen(stage.scene.viewport, { x, y });
      return { x: rect.left + at.x, y: rect.top + at.y };
    },
  }),
});

const kept = await keeper.picture();
const before = kept && (await readPicture(kept.file, kept.name));
if (before && keeper.kept.work && asked === 0) studio.adopt({ picture: before, ...keeper.kept.work });
connection.open();
changed();
