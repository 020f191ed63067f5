import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { Saving } from "../../static/js/panels/saving.js";
import { isLabels } from "../../static/js/panels/importing.js";
import { firstRadius, resized, thinned } from "../../static/js/model/strokes.js";
import { mask, place, Play } from "./play.js";

/** @type {Play} */
let play;
beforeEach(async () => {
  play = new Play();
  await play.welcome(false);
  await play.open();
});

const wide = { ...mask, box: [0, 0, 10, 1], runs: Uint8Array.of(0, 10) };

test("a stroke keeps its ends, has no more points than it needs, and never more than the server takes", () => {
  const path = Array.from({ length: 100 }, (_, x) => ({ x: x / 2, y: 7.01 }));
  const sent = thinned(path, 10);
  assert.deepEqual([sent[0], sent.at(-1)], [[0, 7], [49.5, 7]]);
  assert.ok(sent.length < 30);
  const wild = Array.from({ length: 100_000 }, (_, x) => ({ x: (x % 2) * 1000, y: x }));
  assert.ok(thinned(wild, 0.5).length <= 2048);
  assert.deepEqual(thinned([{ x: 3.3, y: 4 }], 5), [[3.25, 4]]);
});

test("a brush suits its picture, and stays within what the server takes", () => {
  assert.equal(firstRadius({ width: 6000, height: 4000 }), 100);
  assert.ok(resized(100, 1) > 100 && resized(100, -1) < 100);
  assert.deepEqual([resized(1000, 99), resized(1, -99)], [1024, 0.5]);
});

test("the brush paints in the selected object, else in the one below, else it makes one", async () => {
  play.store.stick("cat");
  void play.studio.shaping.paint([{ x: 50, y: 1 }], 1);
  await settled();
  assert.deepEqual([play.last.t, play.last.object, play.last.name, play.last.smart], ["paint", undefined, "cat", true]);
  await play.object(play.last, 3, { masks: [wide] });
  assert.equal(play.state.active, 3);
  play.store.reshapeBrush({ smart: false, radius: 2 });
  void play.studio.shaping.paint([{ x: 60, y: 1 }, { x: 70, y: 1 }], 0);
  await settled();
  assert.deepEqual([play.last.label, play.last.object, play.last.radius, play.last.smart, play.last.path], [0, 3, 2, false, [[60, 1], [70, 1]]]);
  await play.object(play.last, 3, { masks: [wide] });
  play.store.select(null);
  void play.studio.shaping.paint([{ x: 5, y: 0.5 }], 1);
  await settled();
  assert.equal(play.last.object, 3);
});

test("an eraser over nothing says so, and a click with the brush is a dab", async () => {
  void play.studio.shaping.paint([{ x: 50, y: 1 }], 0);
  await settled();
  assert.match(play.state.notice ?? "", /nothing to erase/);
  void play.studio.click(place(5, "brush"));
  await settled();
  assert.deepEqual([play.last.t, play.last.path], ["paint", [[5, 1]]]);
});

test("objects that are chosen are made one with the selected one, in one step; a tool gives that up", async () => {
  for (const id of [1, 2, 3]) {
    await play.click(10 * id);
    await play.object(play.last, id, { points: [[10 * id, 1, 1]] });
  }
  const others = () => [...(play.state.combining?.others ?? [])];
  void play.studio.shaping.combine("difference");
  assert.equal(play.last.t, "click");
  for (const id of [1, 2, 3, 2]) await play.studio.select(id); // the second choice of one takes it back
  assert.deepEqual([others(), play.state.active], [[1], 3]);
  await play.studio.shaping.chooseAlso(2);
  void play.studio.shaping.combine("difference");
  await settled();
  assert.deepEqual([play.last.t, play.last.operation, play.last.objects], ["combine", "difference", [3, 1, 2]]);
  assert.equal(play.state.combining, null);
  await play.object(play.last, 3, {});
  await settled();
  assert.match(play.state.toast?.text ?? "", /^Cut out of Object 3: Object 1 and Object 2\.$/);
  await play.studio.shaping.chooseAlso(1);
  assert.deepEqual(play.state.combining, { operation: "union", others: new Set([1]) });
  play.studio.takeUp("new");
  assert.equal(play.state.combining, null);
  void play.studio.shaping.combine("union");
  await play.studio.shaping.makeOne();
  assert.match(play.state.notice ?? "", /Choose another object/);
  await play.studio.select(null);
  assert.deepEqual([play.state.combining, play.state.active], [null, null]);
});

test("what is chosen right after a click goes into the object that the click makes", async () => {
  for (const id of [1, 2]) {
    await play.click(10 * id);
    await play.object(play.last, id, { points: [[10 * id, 1, 1]] });
  }
  const clicked = play.click(30); // not answered yet
  const combined = play.studio.shaping.combine("union");
  await settled();
  assert.equal(play.state.combining, null);
  await play.object(play.last, 3, { points: [[30, 1, 1]] });
  await Promise.all([clicked, combined]);
  await play.studio.select(1);
  assert.deepEqual([play.state.active, play.state.combining], [3, { operation: "union", others: new Set([1]) }]);
});

test("a class that is given right after a click, and a file, are of the object that the click makes", async () => {
  await play.reply({ t: "classes", seq: 0, classes: [{ name: "cat", color: 0 }, { name: "dog", color: 1 }] });
  await play.click(10);
  await play.object(play.last, 1, { points: [[10, 1, 1]] });
  await play.studio.select(null);
  await play.click(30); // not answered yet
  const click = play.last;
  void play.studio.classes.giveNumber(1);
  const saving = new Saving(play.store, play.studio, /** @type {any} */ ({ of: () => ({}) }));
  void saving.take("coco", () => [play.state.active ?? 0]);
  await settled();
  assert.equal(play.last, click);
  await play.object(click, 3, { points: [[30, 1, 1]] });
  assert.deepEqual([play.last.t, play.last.object, play.last.name], ["label", 3, "dog"]);
  await play.object(play.last, 3, { name: "dog" });
  await settled();
  assert.deepEqual([play.last.t, play.last.objects], ["export", [3]]);
});

test("what a file has comes in as one step, and what doesn't fit is told", async () => {
  const labels = {
    objects: [{ trail: [], name: "cat" }], classes: ["dog", "cat"], left_out: 4,
    problems: [1, 2, 3, 4].map((line) => ({ where: `line ${line}`, why: "no numbers" })),
  };
  void play.studio.shaping.take(labels, "a.txt");
  await settled();
  assert.deepEqual([play.last.t, play.last.objects, play.last.classes], ["give", labels.objects, labels.classes]);
  await play.object(play.last, 1, {});
  await settled();
  assert.match(play.state.toast?.text ?? "", /1 object from a.txt; 4 left out/);
  assert.match(play.state.notice ?? "", /line 1: no numbers.*and 1 more/);
});

test("labels are told from pictures by their names", () => {
  assert.deepEqual(["a.json", "a.TXT", "a.zip", "cat.mask.png", "mask.png", "cat_mask.png", "001-mask_2.png"].filter((name) => !isLabels({ name })), []);
  assert.deepEqual(["a.png", "masked.jpg", "mask.jpg", "unmask.png", "a.json.png"].filter((name) => isLabels({ name })), []);
});
