import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { covers } from "../../static/js/model/masks.js";
import { closeUp, sharpAt } from "../../static/js/model/sharpness.js";
import { REST_MS } from "../../static/js/session/looking.js";
import { Play, place } from "./play.js";
import { fromRows } from "./values.js";

const IMAGE = { width: 4000, height: 3000 };
const CANVAS = { width: 1000, height: 750 };

test("only a small part of the picture is looked at by itself, as far as it is the picture", () => {
  assert.equal(closeUp({ scale: 0.25, x: 0, y: 0 }, IMAGE, CANVAS), null);
  assert.deepEqual(closeUp({ scale: 1, x: -1000, y: -500 }, IMAGE, CANVAS), [1000, 500, 2000, 1250]);
  assert.deepEqual(closeUp({ scale: 1, x: 400, y: 0 }, IMAGE, CANVAS), [0, 0, 600, 750]);
  assert.equal(closeUp({ scale: 1, x: 2000, y: 0 }, IMAGE, CANVAS), null);
});

test("a mask of a window is met where it lies", () => {
  const mask = { ...fromRows(["10", "00"]), window: /** @type {[number, number, number, number]} */ ([1000, 500, 1100, 600]) };
  assert.ok(covers(mask, IMAGE, 1001, 501));
  for (const [x, y] of [[1051, 501], [999, 501], [1, 1]]) assert.ok(!covers(mask, IMAGE, x, y));
});

test("a look that is given up for a newer one is no news", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const play = new Play();
  await play.welcome(false);
  await play.open();
  for (const x of [0, -200]) {
    play.studio.looking.see({ scale: 20, x, y: 0 }, { width: 400, height: 400 });
    mock.timers.tick(REST_MS);
  }
  const [given, newest] = play.of("look");
  await play.reply({ t: "error", seq: given.seq, code: "unknown_image", message: "another one came", fatal: false });
  await play.reply({ t: "window", seq: newest.seq, window: [0, 0, 32, 32] });
  assert.equal(play.state.notice, null);
  assert.deepEqual(play.state.sharp, [0, 0, 32, 32]);
  mock.timers.reset();
});

test("once the view rests the part that is seen is asked for, and prompts in it name the window that came", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const play = new Play();
  await play.welcome(false);
  await play.open();
  const view = { scale: 20, x: 0, y: 0 };
  play.studio.looking.see(view, { width: 400, height: 400 });
  mock.timers.tick(REST_MS - 1);
  play.studio.looking.see({ ...view, x: -20 }, { width: 400, height: 400 }); // panned on
  mock.timers.tick(REST_MS - 1);
  assert.deepEqual(play.of("look"), []);
  mock.timers.tick(1);
  const [look] = play.of("look");
  assert.deepEqual([look.view, look.scale], [[1, 0, 21, 20], 20]);
  play.studio.hover(place(10));
  assert.equal(play.of("hover").at(-1).window, undefined, "no hover waits for it");
  await play.reply({ t: "window", seq: look.seq - 1, window: [0, 0, 99, 80] });
  assert.equal(play.state.sharp, null, "an older answer is of something else");
  await play.reply({ t: "window", seq: look.seq, window: [0, 0, 32, 32] });
  assert.deepEqual(sharpAt(play.state, { x: 3, y: 3 }), { window: [0, 0, 32, 32] });
  assert.deepEqual(sharpAt(play.state, { x: 3, y: 3 }, { x: 33, y: 3 }), {});
  void play.studio.click(place(10));
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(play.of("click").at(-1)?.window, [0, 0, 32, 32]);
  play.studio.looking.see({ scale: 4, x: 0, y: 0 }, { width: 400, height: 400 }); // all of it again
  mock.timers.tick(REST_MS);
  assert.equal(play.state.sharp, null);
  assert.equal(play.of("look").length, 1);
  mock.timers.reset();
});

test("what was found in a window is taken by a click in that window, alone or with all the others", async () => {
  const play = new Play();
  await play.welcome(false);
  await play.open();
  const window = /** @type {[number, number, number, number]} */ ([0, 0, 50, 40]);
  const [small, large] = [{ mask: { ...fromRows(["10"]), window }, x: 3, y: 4, candidate: 2 }, { mask: fromRows(["01"]), x: 70, y: 9, candidate: 0 }];
  play.store.find([small, large]);
  for (const region of [small, large]) {
    void play.studio.found.one(region);
    await settled();
    assert.deepEqual([play.last.x, play.last.candidate, play.last.window], [region.x, region.candidate, region === small ? window : undefined]);
    await play.reply({ t: "error", seq: play.last.seq, code: "busy", message: "busy", fatal: false });
  }
  void play.studio.found.all();
  await settled();
  const given = play.of("give").at(-1).objects.map((/** @type {{ trail: { x: number, window?: unknown }[] }} */ each) => each.trail[0]);
  assert.deepEqual(given.map((/** @type {{ x: number, window?: unknown }} */ step) => [step.x, step.window]).sort(), [[3, window], [70, undefined]]);
});
