import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { isArmed } from "../../static/js/model/state.js";
import { describe } from "../../static/js/model/words.js";
import { mask, Play, THREE } from "./play.js";
import { ENGLISH } from "./english.js";

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

test("a candidate that was shown ahead of the server is one step", async () => {
  await play.click(1);
  await play.object(play.last, 1, { masks: THREE, chosen: 2, points: [[1, 1, 1]], trail: [{ t: "point", x: 1, y: 1 }] });
  void play.studio.cycle(1);
  await settled();
  await play.object(play.last, 1, { masks: THREE, chosen: 0, points: [[1, 1, 1]], trail: [{ t: "point", x: 1, y: 1, pick: 0 }] });
  assert.equal(play.studio.work()?.recipe.past?.length, 2);
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
  const refused = assert.rejects(play.studio.export("coco"), { message: ENGLISH["code.bad_message"] });
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
  await play.object(model, 1, { masks: [{ ...mask, area: 120 }], last: true });
  assert.equal(play.state.switching, null);
  assert.equal(play.state.model, "tiny");
  assert.equal(play.state.objects.get(1)?.masks[0]?.area, 120);
});

/** Open a picture that a smaller model answers for, and make two objects. @returns {Promise<any>} the open */
async function provisional() {
  play = new Play();
  await play.welcome(false);
  void play.studio.open({ name: "a.png", file: new Blob(["a"]), bitmap: /** @type {any} */ ({}), width: 100, height: 80 });
  await settled();
  const open = play.last;
  await play.reply({ t: "image", seq: open.seq, image_id: open.image_id, width: 100, height: 80, model: "large", cached: false, encode_ms: 9, provisional: true, last: true });
  for (const id of [1, 2]) {
    await play.click(id);
    await play.object(play.last, id, { provisional: true, last: true });
  }
  return open;
}

test("a picture takes prompts while the model studies it, and says that better masks are on their way", async () => {
  const open = await provisional();
  assert.equal(open.provisional, true);
  assert.deepEqual([play.state.picture?.provisional, isArmed(play.state), play.state.objects.size], [true, true, 2]);
  assert.match(describe({ ...play.state, active: null }), /large studies the picture/);
});

test("all objects change at once when the model has studied the picture, and no moment lacks one", async () => {
  const open = await provisional();
  const areas = () => [...play.state.objects.values()].map(({ masks }) => masks[0]?.area);
  await play.reply({ t: "progress", seq: open.seq, stage: "encoding" });
  const { ground } = play.state;
  await play.reply({ t: "image", seq: open.seq, image_id: open.image_id, width: 100, height: 80, model: "large", cached: false, encode_ms: 9000, last: false });
  assert.deepEqual(areas(), [100, 100]);
  await play.object(open, 1, { masks: [{ ...mask, area: 120 }], last: false });
  assert.deepEqual([...areas(), play.state.picture?.provisional, play.state.ground], [100, 100, true, ground]);
  await play.object(open, 2, { masks: [{ ...mask, area: 130 }], last: true });
  assert.deepEqual([...areas(), play.state.picture?.provisional], [120, 130, false]);
  assert.ok(play.state.ground > ground); // what lies under the pointer is asked of the model
  assert.equal(play.state.canUndo, true);
});

test("a model that can't be had leaves the one before", async () => {
  void play.studio.switchModel("large");
  await play.reply({ t: "error", seq: play.last.seq, code: "model_unavailable", message: "offline", fatal: false });
  assert.deepEqual([play.state.model, play.state.switching, play.state.notice], ["nano", null, ENGLISH["code.model_unavailable"]]);
});

// ---- after the page was loaded again

/** @param {number} x @param {number} [pick] @returns {import("../../static/js/wire/messages.ts").TrailStep[]} */
const trail = (x, pick) => [{ t: "point", x, y: 1, ...(pick === undefined ? {} : { pick }) }];

/** @type {import("../../static/js/wire/messages.ts").Recipe} */
const RECIPE = {
  format: "hoversam-recipe", version: 1, image_id: "old", name: "a.png", width: 100, height: 80, model: "nano",
  objects: [{ id: 1, name: "cup", color: 0, trail: trail(1) }, { id: 2, name: "Object 2", color: 5, trail: trail(5, 1) }],
  past: [{ objects: [], gone: [2] }],
  future: [{ objects: [{ id: 7, name: "Object 7", color: 6, trail: trail(9) }], gone: [] }],
};

/** A page that was loaded again with this work. */
function again() {
  const fresh = new Play();
  fresh.studio.adopt({ picture: { name: "a.png", file: new Blob(["a"]), bitmap: null, width: 100, height: 80 }, recipe: RECIPE, active: 2 });
  return fresh;
}

test("a session that is resumed after a reload shows its objects, with the active one and the colours", async () => {
  const page = again();
  await page.welcome(true);
  await page.image({ seq: 0, image_id: "old" }, false);
  await page.object({ seq: 0 }, 1, { name: "cup", points: [[1, 1, 1]], trail: trail(1), can_redo: true, last: false });
  assert.equal(page.studio.work(), null, "nothing is kept until all is said");
  await page.object({ seq: 0 }, 2, { points: [[5, 1, 1]], chosen: 1, masks: THREE, color: 5, trail: trail(5, 1), can_redo: true });
  assert.deepEqual([...page.state.objects.values()].map(({ color }) => color), [0, 5]);
  assert.deepEqual([page.state.active, page.state.restoring, page.uploads, page.state.nextColor], [2, false, 0, 7]);
  assert.deepEqual(page.studio.work(), { recipe: RECIPE, active: 2 }, "undo steps too");
});

test("a session that is gone after a reload is made again by the server", async () => {
  const page = again();
  await page.welcome(false);
  await settled();
  assert.deepEqual([page.last.t, page.last.recipe], ["open", RECIPE]);
  const open = page.last;
  await page.image(open, false);
  await page.object(open, 1, { points: [[1, 1, 1]], name: "cup", trail: trail(1), last: false });
  await page.object(open, 2, { points: [[5, 1, 1]], masks: THREE, chosen: 1, color: 5, trail: trail(5, 1) });
  assert.deepEqual([...page.state.objects.values()].map(({ id, color }) => [id, color]), [[1, 0], [2, 5]]);
  assert.deepEqual([page.state.active, page.state.restoring, page.state.nextColor], [2, false, 7]);
  void page.studio.undo();
  await settled();
  assert.equal(page.of("undo").length, 1);
});

test("a session that holds another picture is no use: ours is opened in it", async () => {
  const page = again();
  await page.welcome(true);
  await page.image({ seq: 0, image_id: "other" }, false);
  await page.object({ seq: 0 }, 9);
  await settled();
  assert.equal(page.state.objects.size, 0);
  assert.deepEqual([page.last.t, page.last.image_id, page.last.recipe.objects.length], ["open", "old", 2]);
});

test("a resumed session that dies before all is said again is made anew whole", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]], trail: trail(1) });
  await play.click(2);
  await play.object(play.last, 2, { points: [[2, 1, 1]], trail: trail(2) });
  await play.welcome(true);
  await play.image({ seq: 0, image_id: "picture-1" }, false);
  await play.object({ seq: 0 }, 1, { points: [[1, 1, 1]], trail: trail(1), last: false });
  await play.welcome(false);
  await settled();
  assert.deepEqual(play.last.recipe.objects.map((/** @type {{ id: number }} */ { id }) => id), [1, 2]);
});

test("an object that was hidden stays hidden", async () => {
  await play.click(1);
  await play.object(play.last, 4, { points: [[1, 1, 1]], trail: trail(1) });
  play.store.hide(4);
  await play.welcome(false);
  await settled();
  const open = play.last;
  await play.image(open, false);
  await play.object(open, 4, { points: [[1, 1, 1]], name: "Object 4", color: 3, trail: trail(1) });
  assert.deepEqual([...play.state.hidden], [4]);
});

test("a new session begins with the model that the lost one had, where it can be had", async () => {
  await play.click(1);
  await play.object(play.last, 1, { points: [[1, 1, 1]], trail: trail(1) });
  play.store.use("small");
  await play.welcome(false);
  await settled();
  assert.deepEqual([play.last.t, play.last.recipe.model], ["open", "small"]);
  const open = play.last;
  await play.image(open, false);
  await play.object(open, 1, { trail: trail(1) });
  assert.equal(play.state.model, "nano"); // as the server said
});
