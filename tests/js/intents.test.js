import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { mask, Play, THREE } from "./play.js";

/** @type {Play} */
let play;
beforeEach(async () => {
  play = new Play();
  await play.welcome(false);
  await play.open();
});

// ---- candidates

test("candidates of a hover are gone through without a message, and the next hover shows the same rank", () => {
  play.hover(1);
  play.preview(play.last.seq, { best: 2, masks: THREE });
  const sent = play.sent.length;
  void play.studio.cycle(1);
  assert.equal(play.state.rank, 2);
  void play.studio.cycle(1);
  assert.equal(play.state.rank, 0);
  assert.equal(play.sent.length, sent);
});

test("a click carries the candidate that was shown", async () => {
  play.hover(1);
  play.preview(play.last.seq, { best: 2, masks: THREE });
  void play.studio.cycle(-1);
  await play.click(1);
  assert.deepEqual([play.last.t, play.last.candidate], ["click", 1]);
  await play.object(play.last, 1, { masks: THREE, chosen: 1, points: [[1, 1, 1]] });
  assert.equal(play.state.rank, null);
  assert.deepEqual(play.studio.recipe()?.objects[0]?.steps, [{ t: "click", x: 1, y: 1, label: 1, candidate: 1 }]);
});

test("a click far from what is shown leaves the candidate to the server, unless it was chosen by hand", async () => {
  play.hover(1);
  play.preview(play.last.seq, { best: 2, masks: THREE });
  await play.click(30);
  assert.equal(play.last.candidate, undefined);
  await play.object(play.last, 1, { points: [[30, 1, 1]] });
  play.hover(1);
  play.preview(play.last.seq, { best: 2, masks: THREE });
  void play.studio.cycle(1);
  await play.click(40);
  assert.equal(play.last.candidate, 0);
});

test("a step through candidates that aren't there yet is made when they come", () => {
  play.hover(1);
  void play.studio.cycle(1);
  play.preview(play.last.seq, { best: 2, masks: THREE });
  assert.equal(play.state.rank, 2);
});

test("a candidate of the last click is shown before the server knows, and taken back where it refuses", async () => {
  await play.click(1);
  await play.object(play.last, 1, { masks: THREE, chosen: 2, points: [[1, 1, 1]] });
  void play.studio.cycle(1);
  assert.equal(play.state.objects.get(1)?.chosen, 0);
  await settled();
  await play.reply({ t: "error", seq: play.last.seq, code: "unknown_object", message: "no", fatal: false });
  assert.equal(play.state.objects.get(1)?.chosen, 2);
});

test("a candidate that was shown ahead of the server is one step of the object, not two", async () => {
  await play.click(1);
  await play.object(play.last, 1, { masks: THREE, chosen: 2, points: [[1, 1, 1]] });
  void play.studio.cycle(1);
  await settled();
  await play.object(play.last, 1, { masks: THREE, chosen: 0, points: [[1, 1, 1]] });
  assert.deepEqual(play.studio.recipe()?.objects[0]?.steps.map(({ t }) => t), ["click", "choose"]);
});

test("a preview that was asked for before the pointer left isn't painted when it is back", () => {
  play.hover(1);
  const { seq } = play.last;
  play.studio.leave();
  play.hover(9);
  play.preview(seq);
  assert.equal(play.state.preview, null);
  play.preview(play.last.seq);
  assert.notEqual(play.state.preview, null);
});

// ---- taking back

test("closing the selection undoes nothing", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  void play.studio.select(null);
  await settled();
  assert.deepEqual([play.of("undo").length, play.of("delete").length, play.state.active, play.state.objects.size], [0, 0, null, 1]);
});

test("Delete deletes the point that is selected, and what is deleted is said with its undo", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1], [2, 1, 0]] });
  await play.click(2);
  assert.equal(play.state.point, 1);
  void play.studio.delete(null);
  await settled();
  assert.deepEqual([play.last.t, play.last.point], ["unpoint", 1]);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  assert.deepEqual([play.state.point, play.state.toast], [null, { text: "Point of Object 1 deleted.", undo: true }]);
  void play.studio.delete(null);
  await settled();
  assert.deepEqual([play.last.t, play.last.object, play.state.toast], ["delete", 1, null]);
  await play.reply({ t: "gone", seq: play.last.seq, objects: [1], can_undo: true, can_redo: false });
  assert.deepEqual([play.state.active, play.state.toast?.text], [null, "Object 1 deleted."]);
});

test("Backspace deletes the last point, and the object where there is no point", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1], [2, 2, 0]] });
  void play.studio.deleteLastPoint();
  await settled();
  assert.deepEqual([play.last.t, play.last.point], ["unpoint", 1]);
  await play.object(play.last, 1, { points: [], box: [0, 0, 9, 9] });
  void play.studio.deleteLastPoint();
  await settled();
  assert.deepEqual([play.last.t, play.last.object], ["delete", 1]);
});

// ---- objects

test("a name is trimmed and sent, and nothing is where it is the same", async () => {
  await play.click(1);
  await play.object(play.last, 1);
  void play.studio.rename(1, "  cup ");
  await settled();
  assert.deepEqual([play.last.t, play.last.name], ["label", "cup"]);
  await play.object(play.last, 1, { name: "cup" });
  const sent = play.sent.length;
  await play.studio.rename(1, "cup");
  await play.studio.rename(1, "  ");
  assert.equal(play.sent.length, sent);
});

test("an export waits for the click before it and brings the server's file", async () => {
  await play.click(1);
  const file = play.studio.export("cutout", [1]);
  await settled();
  assert.equal(play.of("export").length, 0);
  await play.object(play.last, 1);
  assert.deepEqual([play.last.t, play.last.format, play.last.objects], ["export", "cutout", [1]]);
  await play.reply({ t: "file", seq: play.last.seq, name: "a.png", media_type: "image/png", data: Uint8Array.of(1) });
  assert.equal((await file).name, "a.png");
});

test("an export that is refused says why", async () => {
  await play.click(1);
  await play.object(play.last, 1);
  const refused = assert.rejects(play.studio.export("coco"), /no exports here/);
  await settled();
  await play.reply({ t: "error", seq: play.last.seq, code: "bad_message", message: "no exports here", fatal: false });
  await refused;
});

// ---- models

test("work goes on while another model is fetched, and its objects come back when it is there", async () => {
  await play.click(1);
  await play.object(play.last, 1);
  void play.studio.switchModel("tiny");
  const model = play.last;
  assert.equal(model.t, "model");
  await play.reply({ t: "progress", seq: model.seq, stage: "downloading", fraction: 0.25 });
  assert.equal(play.state.switching?.fraction, 0.25);
  await play.click(2);
  assert.equal(play.last.t, "click");
  await play.object(play.last, 1);
  await play.reply({ t: "image", seq: model.seq, image_id: "picture-1", width: 100, height: 80, model: "tiny", cached: false, encode_ms: 1 });
  await play.object(model, 1, { masks: [{ ...mask, area: 120 }] });
  assert.equal(play.state.switching, null);
  assert.equal(play.state.model, "tiny");
  assert.equal(play.state.objects.get(1)?.masks[0]?.area, 120);
});

test("a model that can't be had leaves the one before", async () => {
  void play.studio.switchModel("large");
  await play.reply({ t: "error", seq: play.last.seq, code: "model_unavailable", message: "offline", fatal: false });
  assert.deepEqual([play.state.model, play.state.switching, play.state.notice], ["nano", null, "offline"]);
});

// ---- after the page was loaded again

const RECIPE = {
  imageId: "old", model: "nano", active: 2, nextColor: 7, ties: "001|",
  objects: [
    { id: 1, name: "cup", color: 0, points: /** @type {any} */ ([[1, 1, 1]]), box: null, chosen: 0, steps: /** @type {any} */ ([{ t: "click", x: 1, y: 1, label: 1 }]) },
    { id: 2, name: "Object 2", color: 5, points: /** @type {any} */ ([[5, 1, 1]]), box: null, chosen: 1,
      steps: /** @type {any} */ ([{ t: "click", x: 5, y: 1, label: 1 }, { t: "choose", candidate: 1 }]) },
  ],
};

/** A page that was loaded again with this work. */
function again() {
  const fresh = new Play();
  fresh.studio.adopt({ picture: { name: "a.png", file: new Blob(["a"]), bitmap: null, width: 100, height: 80 }, recipe: RECIPE });
  return fresh;
}

test("a session that is resumed after a reload shows its objects, with the active one and the colours", async () => {
  const page = again();
  await page.welcome(true);
  await page.image({ seq: 0, image_id: "old" });
  await page.object({ seq: 0 }, 1, { name: "cup", points: [[1, 1, 1]] });
  await page.object({ seq: 0 }, 2, { points: [[5, 1, 1]], chosen: 1, masks: THREE, color: 5 });
  assert.equal(page.studio.recipe(), null, "nothing is kept until all is said");
  await page.reply({ t: "pong", at: 0, queue_ms: 0, decode_ms: 0 });
  assert.deepEqual([...page.state.objects.values()].map(({ color }) => color), [0, 5]);
  assert.deepEqual([page.state.active, page.state.restoring, page.uploads, page.state.nextColor], [2, false, 0, 7]);
  void page.studio.undo(); // the choice and its click are one, as before the reload
  await settled();
  assert.equal(page.of("undo").length, 2);
  assert.deepEqual(page.studio.recipe()?.objects.map(({ steps }) => steps.length), [1, 2]);
});

test("a session that is gone after a reload is made anew, step by step", async () => {
  const page = again();
  await page.welcome(false);
  await settled();
  await page.image(page.last);
  assert.deepEqual([page.last.t, page.last.x], ["click", 1]);
  await page.object(page.last, 1, { points: [[1, 1, 1]], name: "Object 1" });
  assert.deepEqual([page.last.t, page.last.name], ["label", "cup"]);
  await page.object(page.last, 1, { points: [[1, 1, 1]], name: "cup" });
  for (const id of [2, 3, 4, 5]) {
    assert.deepEqual([page.last.t, page.last.x], ["click", 5]);
    await page.object(page.last, id, { points: [[5, 1, 1]], masks: THREE });
    assert.deepEqual([page.last.t, page.last.object], ["delete", id], "it hasn't its colour");
    await page.reply({ t: "gone", seq: page.last.seq, objects: [id], can_undo: true, can_redo: false });
  }
  await page.object(page.last, 6, { points: [[5, 1, 1]], masks: THREE });
  assert.deepEqual([page.last.t, page.last.candidate], ["choose", 1]);
  await page.object(page.last, 6, { points: [[5, 1, 1]], masks: THREE, chosen: 1, name: "Object 2" });
  await settled();
  assert.deepEqual([...page.state.objects.values()].map(({ id, color }) => [id, color]), [[1, 0], [6, 5]]);
  assert.deepEqual([page.state.active, page.state.restoring], [6, false]);
  void page.studio.undo();
  await settled();
  assert.equal(page.of("undo").length, 1, "the choice");
  await page.object(page.last, 6, { points: [[5, 1, 1]], masks: THREE, name: "Object 2" });
  void page.studio.undo();
  await settled();
  assert.equal(page.of("undo").length, 1 + 9, "the object, with those that were made for its colour");
});

test("a session that holds another picture is no use: ours is opened in it", async () => {
  const page = again();
  await page.welcome(true);
  await page.image({ seq: 0, image_id: "other" });
  await page.object({ seq: 0 }, 9);
  assert.equal(page.state.objects.size, 0);
  await page.reply({ t: "pong", at: 0, queue_ms: 0, decode_ms: 0 });
  await settled();
  assert.deepEqual([page.last.t, page.last.image_id], ["open", "picture-1"]);
});

test("a resumed session that dies before all is said again is made anew whole", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  await play.click(2);
  await play.object(play.last, 2, { points: [[2, 1, 1]] });
  await play.welcome(true);
  await play.image({ seq: 0, image_id: "picture-1" });
  await play.object({ seq: 0 }, 1, { points: [[1, 1, 1]] });
  play.sent.length = 0;
  await play.welcome(false);
  await settled();
  await play.image(play.last);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  assert.deepEqual([play.last.t, play.last.x], ["click", 2]);
});

test("an object that was hidden is hidden under its new id", async () => {
  await play.click(1);
  await play.object(play.last, 4, { points: [[1, 1, 1]] });
  play.state.hidden.add(4);
  await play.welcome(false);
  await settled();
  await play.image(play.last);
  await play.object(play.last, 1, { points: [[1, 1, 1]], name: "Object 4", color: 3 });
  assert.deepEqual([...play.state.hidden], [1]);
});

test("a new session begins with the model that the lost one had", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]] });
  play.state.model = "small";
  await play.reply({ t: "welcome", version: 1, session: "s", token: "t", resumed: false, model: "nano", models: [{ name: "small", params_m: 1, available: true, bundled: false }] });
  assert.deepEqual([play.last.t, play.last.name], ["model", "small"]);
  await play.reply({ t: "gone", seq: play.last.seq, objects: [], can_undo: false, can_redo: false });
  await settled();
  assert.equal(play.last.t, "open");
  assert.equal(play.state.model, "small");
});
