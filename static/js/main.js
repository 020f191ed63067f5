/**
 * Wires the page: finds its elements, starts the parts, draws once a frame when something changed. Decides nothing.
 */

import { Connection } from "./connection.js";
import { bindKeyboard } from "./keyboard.js";
import { ObjectsList } from "./objects-list.js";
import { bindDrop, bindPaste, fetchSample, readPicture } from "./pictures.js";
import { Renderer } from "./render.js";
import { snapshot } from "./snapshot.js";
import { Stage } from "./stage.js";
import { initialState, shownPicture } from "./state.js";
import { showStatus } from "./status.js";
import { Studio } from "./studio.js";
import { upload } from "./upload.js";
import { toScreen } from "./viewport.js";

/** @import { Command } from "./keyboard.js" */
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
const chooser = /** @type {HTMLInputElement} */ (find("file"));
const help = /** @type {HTMLDialogElement} */ (find("help"));
const maxUploadBytes = Number(config.maxUploadBytes);

const state = initialState(config.model ?? "", matchMedia("(pointer: coarse)").matches);
const studio = new Studio(state, {
  send: (message) => connection.send(message),
  upload: (file, name, onFraction, signal) => upload(config.uploadUrl ?? "", file, name, { onFraction, signal }),
  changed,
  now: () => performance.now(),
});
const connection = new Connection(socketUrl(config.socketPath ?? ""), {
  onMessage: (message) => {
    studio.receive(message);
    if (message.t === "image") stage.rehover(); // the pointer may rest on it already
  },
  onState: (next) => { state.connection = next; changed(); },
  onRoundTrip: (ms) => { state.roundTripMs = ms; changed(); },
  onTrouble: tell,
});
const stage = new Stage(canvas, state, studio, changed);
const renderer = new Renderer(canvas);
const list = new ObjectsList(find("objects"), /** @type {HTMLTemplateElement} */ (find("object-entry")), {
  select: (id) => void studio.select(id),
  remove: (id) => void studio.remove(id),
  cycle: (step) => void studio.cycle(step),
  point: (id) => { stage.scene.pointed = id; changed(); },
});

// ---- one frame for all that changed

let framePending = false;
/** @type {Picture["file"] | undefined} */
let shownFile;

function changed() {
  if (framePending) return;
  framePending = true;
  requestAnimationFrame(frame);
}

function frame() {
  framePending = false;
  const picture = shownPicture(state);
  if (picture?.file !== shownFile) {
    shownFile = picture?.file;
    stage.scene.cursor = null;
    stage.fit();
  }
  renderer.draw(state, stage.scene);
  if (state.preview) studio.painted(state.preview.seq);
  list.update(state);
  showStatus(state, stage.scene.viewport.scale, find);
  studio.pump();
}

/** @param {string} text */
function tell(text) {
  state.notice = text;
  changed();
}

// ---- pictures

/** @param {Blob} file @param {string} name */
async function openFile(file, name) {
  if (file.size > maxUploadBytes) {
    tell(`“${name}” has ${(file.size / 2 ** 20).toFixed(1)} MiB; this server takes pictures up to ${(maxUploadBytes / 2 ** 20).toFixed(0)} MiB.`);
    return;
  }
  await studio.open(await readPicture(file, name));
  canvas.focus({ preventScroll: true });
}

/** @param {File} file */
function openGiven(file) {
  void openFile(file, file.name || "pasted picture");
}

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
      await openFile(await fetchSample(url), name);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  });
}

// ---- commands

/** @param {boolean} removing */
function setTool(removing) {
  state.removing = removing;
  stage.rehover();
  changed();
}

/** @type {Record<Command, () => void>} */
const commands = {
  commit: () => void studio.commit(),
  deselect: () => { if (!stage.cancel()) void studio.commit(); },
  undo: () => void studio.undo(),
  redo: () => void studio.redo(),
  delete: () => void studio.removeActive(),
  flip: () => setTool(!state.removing),
  fit: () => stage.fit(),
  zoomIn: () => stage.zoom(1.3),
  zoomOut: () => stage.zoom(1 / 1.3),
  larger: () => void studio.cycle(1),
  smaller: () => void studio.cycle(-1),
  help: () => help.showModal(),
  open: () => chooser.click(),
  place: () => stage.place(false),
  placeRemove: () => stage.place(true),
};

bindKeyboard({
  run: (command) => commands[command](),
  step: (dx, dy) => stage.step(dx, dy),
  pan: (down) => stage.setPanKey(down),
  hide: (down) => stage.setHidden(down),
  modify: (down) => stage.setModified(down),
  isCursorShown: () => stage.scene.cursor !== null,
  isCanvasFocused: () => document.activeElement === canvas,
});

/** @type {[id: string, run: () => void][]} */
const buttons = [
  ["add", () => setTool(false)], ["remove", () => setTool(true)],
  ["undo", commands.undo], ["redo", commands.redo], ["delete", commands.delete], ["commit", commands.commit],
  ["fit", commands.fit], ["zoom-in", commands.zoomIn], ["zoom-out", commands.zoomOut],
  ["clear", () => void studio.clear()], ["open", commands.open], ["choose", commands.open],
  ["show-help", commands.help], ["close-help", () => help.close()],
  ["notice-close", () => { state.notice = null; changed(); }],
];
for (const [id, run] of buttons) find(id).addEventListener("click", run);

// After a click by pointer the keys go on working on the picture; a keyboard keeps its place.
document.addEventListener("click", (event) => {
  const onButton = event.target instanceof Element && event.target.closest("button") !== null;
  if (onButton && event.detail > 0 && !help.open) canvas.focus({ preventScroll: true });
});

addEventListener("online", () => connection.hurry());
document.addEventListener("visibilitychange", () => { if (!document.hidden) connection.hurry(); });

/** A view from outside, for tests and the curious: plain copies, nothing to turn. */
Object.defineProperty(globalThis, "hoversam", {
  value: Object.freeze({
    state: () => snapshot(state, stage.scene.viewport),
    /** @param {number} x image pixels @param {number} y image pixels @returns {{ x: number, y: number }} CSS pixels of the page */
    toScreen: (x, y) => {
      const rect = canvas.getBoundingClientRect();
      const at = toScreen(stage.scene.viewport, { x, y });
      return { x: rect.left + at.x, y: rect.top + at.y };
    },
  }),
});

connection.open();
changed();
