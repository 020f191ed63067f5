import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { mask, place, Play } from "./play.js";
import { ENGLISH } from "./english.js";

/** @type {Play} */
let play;
beforeEach(async () => {
  play = new Play();
  await play.welcome(false);
  await play.open();
});

test("two clicks on two things make two objects, one after the other", async () => {
  await play.click(1);
  await play.click(2);
  assert.equal(play.of("click").length, 1);
  await play.object(play.last, 7, { points: [[1, 1, 1]] });
  assert.equal(play.of("click").length, 2);
  assert.equal(play.last.object, undefined);
});

test("the second click of two on a new thing finds the object that the first one made", async () => {
  await play.click(1);
  await play.click(1);
  await play.click(2);
  await play.object(play.last, 7, { points: [[1, 1, 1]], masks: [{ ...mask, box: [0, 0, 100, 1], runs: Uint8Array.of(0, 100) }] });
  assert.equal(play.of("click").length, 1);
  assert.deepEqual([play.state.active, play.state.point], [7, null]);
});

test("a line with Undo goes with its picture: nothing of another can be undone", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  void play.studio.delete(null);
  await settled();
  await play.reply({ t: "gone", seq: play.last.seq, objects: [1], can_undo: true, can_redo: false, last: true });
  assert.equal(play.state.toast?.undo, true);
  await play.open();
  assert.equal(play.state.toast, null);
});

test("a hidden object that is added to is shown again", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  play.store.hide(1);
  await play.click(5, "add");
  await play.object(play.last, 1, { points: [[1, 1, 1], [5, 1, 1]] });
  assert.equal(play.state.hidden.size, 0);
});

test("Delete right after a click deletes what the click made, and no object that was selected before", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  await play.click(2);
  void play.studio.delete(null);
  await play.object(play.last, 2, { points: [[2, 1, 1]] });
  assert.deepEqual([play.last.t, play.last.object], ["delete", 2]);
});

test("two quick Backspaces delete two points, and not the object", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1], [2, 1, 1], [3, 1, 1]] });
  for (let i = 0; i < 2; i += 1) void play.studio.deleteLastPoint();
  await settled();
  await play.object(play.last, 1, { points: [[1, 1, 1], [2, 1, 1]] });
  assert.deepEqual([play.last.t, play.last.point], ["unpoint", 1]);
});

test("Delete deletes the object that Tab has come to, and no selected point or object", async () => {
  for (const x of [1, 2]) {
    await play.click(x);
    await play.object(play.last, x, { points: [[x, 1, 1]] });
  }
  play.store.selectPoint(0);
  play.store.pointAt(1, true);
  void play.studio.delete(null);
  await settled();
  assert.deepEqual([play.last.t, play.last.object], ["delete", 1]);
});

test("at most two hovers are on the way, and the newest goes next", () => {
  for (let x = 1; x <= 9; x += 1) play.hover(x);
  assert.deepEqual(play.of("hover").map((hover) => hover.x), [1, 2]);
  const first = play.of("hover")[0];
  play.studio.receive({ t: "preview", seq: first.seq, x: 1, y: 1, best: 0, masks: [mask] });
  assert.deepEqual(play.of("hover").map((hover) => hover.x), [1, 2, 9]);
});

test("a preview that was asked for before the pointer left isn't painted", () => {
  play.hover(1);
  const { seq } = play.last;
  play.studio.leave();
  assert.equal(play.last.t, "leave");
  play.studio.receive({ t: "preview", seq, x: 1, y: 1, best: 0, masks: [mask] });
  assert.equal(play.state.preview, null);
});

test("a preview that was asked for before a click isn't painted", async () => {
  play.hover(1);
  const { seq } = play.last;
  await play.click(1);
  play.studio.receive({ t: "preview", seq, x: 1, y: 1, best: 0, masks: [mask] });
  assert.equal(play.state.preview, null);
});

test("every number is above the one before", async () => {
  play.hover(1);
  play.studio.leave();
  await play.click(1);
  const numbers = play.sent.map((message) => message.seq);
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
});

test("an unanswered click is sent again with its number when the session is resumed", async () => {
  await play.click(1);
  const click = play.last;
  play.sent.length = 0;
  await play.welcome(true);
  assert.deepEqual(play.sent, [click]);
});

test("a click made offline is sent on return", async () => {
  play.online = false;
  await play.click(1);
  assert.equal(play.of("click").length, 0);
  play.online = true;
  await play.welcome(true);
  assert.equal(play.of("click").length, 1);
});

/** @param {...number} xs @returns {import("../../static/js/wire/messages.ts").TrailStep[]} */
function trailOf(...xs) {
  return xs.map((x) => ({ t: "point", x, y: 1 }));
}

test("a lost session is made again from its recipe: objects, undo steps, active object, waiting click", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]], trail: trailOf(1) });
  await play.click(5);
  await play.object(play.last, 2, { points: [[5, 1, 1]], trail: trailOf(5) });
  await play.click(8, "add");
  assert.equal(play.last.object, 2);
  const waiting = play.last;
  play.sent.length = 0;

  await play.welcome(false);
  await settled();
  const { t, image_id, recipe } = play.last;
  assert.deepEqual([t, image_id, recipe.image_id, recipe.model], ["open", "picture-1", "picture-1", "nano"]);
  assert.deepEqual(recipe.objects, [{ id: 1, name: "Object 1", color: 0, trail: trailOf(1) }, { id: 2, name: "Object 2", color: 1, trail: trailOf(5) }]);
  assert.deepEqual(recipe.past, [{ objects: [], gone: [1] }, { objects: [], gone: [2] }]);
  const open = play.last;
  await play.image(open, false);
  await play.object(open, 1, { trail: trailOf(1), last: false });
  assert.equal(play.state.restoring, true);
  assert.deepEqual(play.of("click"), []);
  await play.object(open, 2, { trail: trailOf(5) });
  assert.equal(play.state.restoring, false);
  assert.equal(play.state.active, 2);
  assert.deepEqual([play.last.t, play.last.x, play.last.object, play.last.seq > waiting.seq], ["click", 8, 2, true]);
});

test("a second loss while restoring begins again from the same copy", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]], trail: trailOf(1) });
  await play.welcome(false);
  await settled();
  await play.image(play.last, false);
  await play.welcome(false);
  await settled();
  assert.deepEqual(play.last.recipe.objects, [{ id: 1, name: "Object 1", color: 0, trail: trailOf(1) }]);
  const open = play.last;
  await play.image(open, false);
  await play.object(open, 1, { trail: trailOf(1) });
  assert.deepEqual([...play.state.objects.keys()], [1]);
  assert.equal(play.state.restoring, false);
});

test("what a page knew before it was loaded again is taken up, and given to a server that has forgotten it", async () => {
  const loaded = new Play();
  const recipe = { format: /** @type {const} */ ("hoversam-recipe"), version: /** @type {const} */ (1), image_id: "picture-1", name: "a.png", width: 100, height: 80, model: "nano", objects: [{ id: 3, name: "cup", color: 2, trail: trailOf(4) }], past: [{ gone: [3] }] };
  loaded.studio.adopt({ picture: { name: "a.png", file: new Blob(["a"]), bitmap: null, orientation: 1, width: 100, height: 80 }, recipe, active: 3 });
  assert.equal(loaded.state.nextColor, 3);
  await loaded.welcome(true);
  await loaded.reply({ t: "gone", seq: 0, objects: [], can_undo: false, can_redo: false }); // it has no picture: another server
  await settled();
  assert.deepEqual(loaded.last.recipe, { ...recipe, past: [{ objects: [], gone: [3] }], future: [] });
  const open = loaded.last;
  await loaded.image(open, false);
  await loaded.object(open, 3, { name: "cup", color: 2, trail: trailOf(4) });
  assert.deepEqual([loaded.state.restoring, loaded.state.active], [false, 3]);
});

test("a picture that is refused leaves the one before as it was", async () => {
  await play.click(1);
  await play.object(play.last, 1);
  void play.studio.open({ name: "b.png", file: new Blob(["b"]), bitmap: null, width: 0, height: 0 });
  await settled();
  await play.reply({ t: "error", seq: play.last.seq, code: "corrupt_image", message: "the picture is damaged", fatal: false });
  assert.equal(play.state.picture?.name, "a.png");
  assert.equal(play.state.objects.size, 1);
  assert.equal(play.state.notice, ENGLISH["code.corrupt_image"]);
});

test("a picture that the server forgot is uploaded once more", async () => {
  void play.studio.open({ name: "b.png", file: new Blob(["b"]), bitmap: /** @type {any} */ ({}), width: 5, height: 5 });
  await settled();
  await play.reply({ t: "error", seq: play.last.seq, code: "unknown_image", message: "gone", fatal: false });
  assert.equal(play.last.t, "open");
  await play.image(play.last);
  assert.equal(play.state.picture?.name, "b.png");
});

/** @param {string} code */
async function refuse(code) {
  await play.reply({ t: "error", seq: play.last.seq, code, message: "not now", fatal: false });
}

test("what is made again is uploaded only where the server hasn't the picture", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]], trail: trailOf(1) });
  await play.welcome(false);
  await settled();
  assert.deepEqual([play.last.image_id, play.uploads], ["picture-1", 1]);
  await refuse("unknown_image");
  assert.deepEqual([play.last.image_id, play.last.recipe.image_id, play.uploads], ["picture-2", "picture-2", 2]);
  assert.deepEqual([play.state.restoring, play.pauses], [true, []]);
});

test("a server that takes over from another has its time: what it can't take yet is asked again, and nobody is told", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]], trail: trailOf(1) });
  await play.welcome(false);
  await settled();
  for (const code of ["busy", "busy"]) await refuse(code);
  const open = play.last;
  assert.deepEqual([play.of("open").length, open.recipe.objects.length, play.pauses], [4, 1, [0, 1]]);
  await play.image(open, false);
  await play.object(open, 1, { trail: trailOf(1) });
  assert.deepEqual([play.state.restoring, play.state.notice], [false, null]);
});

test("a picture whose upload a proxy breaks off is sent again, and one that is refused is not", async () => {
  play.refusals.push("502", "unreached");
  void play.studio.open({ name: "b.png", file: new Blob(["b"]), bitmap: null, width: 5, height: 5 });
  await settled();
  assert.deepEqual([play.last.t, play.last.name, play.pauses], ["open", "b.png", [0, 1]]);
  play.refusals.push("FILE_TOO_LARGE");
  void play.studio.open({ name: "c.png", file: new Blob(["c"]), bitmap: null, width: 5, height: 5 });
  await settled();
  assert.deepEqual([play.pauses.length, play.state.notice], [2, "refused: FILE_TOO_LARGE"]);
});

test("a server that never has room is told in the end, and another picture ends the attempts at once", async () => {
  play.refusals.push(...Array(99).fill("503"));
  void play.studio.open({ name: "b.png", file: new Blob(["b"]), bitmap: null, width: 5, height: 5 });
  await settled();
  assert.deepEqual([play.state.notice, play.pauses.length, play.state.picture?.name], ["refused: 503", 7, "a.png"]);
  const sent = play.sent.length;
  play.pauses.length = 0;
  void play.studio.open({ name: "c.png", file: new Blob(["c"]), bitmap: null, width: 5, height: 5 });
  play.refusals.length = 0;
  void play.studio.open({ name: "d.png", file: new Blob(["d"]), bitmap: null, width: 5, height: 5 });
  await settled();
  assert.deepEqual(play.sent.slice(sent).map(({ name }) => name), ["d.png"]);
});

test("late news of a picture that was given up is ignored", async () => {
  void play.studio.open({ name: "b.png", file: new Blob(["b"]), bitmap: null, width: 5, height: 5 });
  await settled();
  const given_up = play.last;
  void play.studio.open({ name: "c.png", file: new Blob(["c"]), bitmap: null, width: 6, height: 6 });
  await settled();
  await play.image(given_up);
  assert.equal(play.state.pending?.name, "c.png");
  await play.image(play.last);
  assert.equal(play.state.picture?.name, "c.png");
});

test("an error is told in the page's words and the next prompt goes on", async () => {
  await play.click(1);
  await play.reply({ t: "error", seq: play.last.seq, code: "engine_failed", message: "the model failed", fatal: false });
  assert.equal(play.state.notice, ENGLISH["code.engine_failed"]);
  await play.click(2);
  await play.object(play.last, 3);
  assert.equal(play.state.notice, null);
  assert.equal(play.state.active, 3);
});

test("undo that takes the active object away arms a new one", async () => {
  await play.click(1);
  await play.object(play.last, 1);
  void play.studio.undo();
  await settled();
  await play.reply({ t: "gone", seq: play.last.seq, objects: [1], can_undo: false, can_redo: true });
  assert.equal(play.state.active, null);
  assert.equal(play.state.canRedo, true);
});

test("redo makes the object that comes back the active one", async () => {
  play.store.remove({ t: "gone", seq: 0, objects: [], can_undo: false, can_redo: true });
  void play.studio.redo();
  await settled();
  await play.object(play.last, 4);
  assert.equal(play.state.active, 4);
});

test("removing with nothing under the pointer says so", async () => {
  await play.studio.click(place(1, "remove"));
  assert.match(play.state.notice ?? "", /nothing to remove/);
  assert.equal(play.of("click").length, 0);
});

test("removing with nothing selected removes from the object that is there", async () => {
  await play.click(1);
  await play.object(play.last, 5);
  void play.studio.select(null);
  await play.click(99.5, "remove");
  assert.deepEqual([play.last.label, play.last.object], [0, 5]);
});

test("more than sixteen prompts don't wait", async () => {
  for (let i = 0; i < 17; i += 1) void play.studio.click(place(1));
  await settled();
  assert.match(play.state.notice ?? "", /behind/);
});
