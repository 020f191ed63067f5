import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { framesInGif, moves } from "../../static/js/files/animated.js";
import { Frames } from "../../static/js/files/frames.js";
import { ALL, changedFrame, firstPart, frameAt, frameAtShare, framesOf, lanesOf, middleOf, ratesOf, shareOf, withMasks } from "../../static/js/model/clip.js";
import { describe, factsOf } from "../../static/js/model/words.js";
import { Clips, REST_MS } from "../../static/js/session/clips.js";
import { Superseded } from "../../static/js/wire/requests.js";
import { Play } from "./play.js";
import { maskOfArea, objectState } from "./values.js";

/** @import { OpenClip } from "../../static/js/model/types.ts" */

/** A variable frame rate. */
const TIMES = [0, 0.04, 0.08, 0.3, 0.9, 1];
const ID = "clip-a";

/** @returns {OpenClip} */
const clip = () => ({ id: ID, times: TIMES, duration: 1.1, shown: 0, ready: 0, playing: false, masks: new Map(), tracking: null, saving: null });

before(() => mock.timers.enable({ apis: ["setTimeout"] }));
after(() => mock.timers.reset());

/** A page with a clip open, whose frames come when the test has them come. */
class ClipPlay extends Play {
  /** @type {Set<number>} frames that are here */
  here = new Set([0, 1, 2, 3, 4, 5]);
  /** @type {Map<number, (bitmap: any) => void>} */
  waiting = new Map();
  /** What is called before the next drawing. @type {(() => void)[]} */
  nexts = [];
  clock = 0;

  constructor() {
    super();
    this.studio.takeClips((parts) => new Clips(parts, {
      held: (_id, index) => (this.here.has(index) ? /** @type {any} */ ({ frame: index }) : null),
      read: (_id, index) => new Promise((resolve) => { this.waiting.set(index, resolve); }),
      ahead: () => {},
      now: () => this.clock,
      next: (callback) => { this.nexts.push(callback); },
    }));
  }

  get clip() {
    return /** @type {OpenClip} */ (this.state.clip);
  }

  get clips() {
    return /** @type {Clips} */ (this.studio.clips);
  }

  /** Which frame the picture on the stage is of. */
  get seen() {
    return /** @type {any} */ (this.state.picture).bitmap.frame;
  }

  async openClip() {
    await this.welcome(false);
    void this.studio.open({ name: "a.mp4", file: new Blob(["a"]), bitmap: null, width: 0, height: 0, clip: { part: null } });
    await settled();
    const open = this.last;
    assert.deepEqual([open.t, open.provisional], ["open", undefined]);
    await this.told(open.seq);
    await this.frame(open.seq, 0);
  }

  /** @param {number} seq */
  async told(seq) {
    await this.reply({ t: "clip", seq, clip_id: ID, width: 100, height: 80, times: TIMES, duration: 1.1 });
  }

  /** A frame is open. @param {number} seq @param {number} frame @param {boolean} [last] no object follows */
  async frame(seq, frame, last = true) {
    await this.reply({ t: "image", seq, image_id: `${ID}#${frame}`, width: 100, height: 80, model: "nano", cached: false, encode_ms: 1, frame, last });
  }

  /** The time line rests. */
  async rest() {
    mock.timers.tick(REST_MS);
    await settled();
  }

  /** An animation frame, so much later. @param {number} ms */
  async tick(ms) {
    this.clock += ms;
    for (const next of this.nexts.splice(0)) next();
    await settled();
  }
}

/** @param {number} frame @param {number} [x] */
const point = (frame, x = 1) => ({ t: /** @type {const} */ ("point"), frame, x, y: 1 });

test("a frame is found by its own time, however far apart they are", () => {
  assert.deepEqual([-1, 0, 0.05, 0.29, 0.3, 0.95, 9].map((time) => frameAt(TIMES, time)), [0, 0, 1, 2, 3, 4, 5]);
});

test("the time line of a part begins where the part does, and a frame is found where it is pointed at", () => {
  const part = { times: [4, 4.2, 4.4, 4.9], duration: 5 };
  assert.deepEqual([0, 1, 2, 3, 4].map((frame) => shareOf(part, frame).toFixed(2)), ["0.00", "0.20", "0.40", "0.90", "1.00"]);
  for (const one of [part, clip(), { times: [0], duration: 0 }]) {
    for (const frame of one.times.keys()) assert.equal(frameAtShare(one, middleOf(one, frame)), frame);
  }
  assert.deepEqual([frameAtShare(part, -1), frameAtShare(part, 2)], [0, 3]);
});

test("a lane shows where an object was prompted and where it is", () => {
  let masks = new Map();
  for (const frame of [1, 2, 4]) masks = /** @type {any} */ (withMasks(masks, frame, [{ id: 1, mask: maskOfArea(5) }]));
  masks = /** @type {any} */ (withMasks(masks, 4, [{ id: 2, mask: maskOfArea(5) }]));
  masks = /** @type {any} */ (withMasks(masks, 4, [{ id: 1, mask: null }]));
  const trail = [point(1), { t: /** @type {const} */ ("track"), frame: 1, direction: /** @type {const} */ ("forward"), last: 2 }];
  const [lane] = lanesOf(new Map([[1, objectState({ trail })]]), { ...clip(), masks });
  assert.deepEqual([lane.prompts, lane.stretches], [[1], [{ begin: 1, end: 3 }]]);
});

test("a part of a long clip has no more frames and seconds than there may be", () => {
  const hour = { most: 300, most_s: 60, frames: 108_000, duration_s: 3600 };
  const first = firstPart(hour);
  assert.deepEqual(first, { begin: 0, end: 60, rate: 5 });
  assert.equal(framesOf(first, hour), 300);
  assert.equal(ratesOf({ begin: 8, end: 18 }, hour)[0], ALL, "all of ten seconds at 30 a second");
  assert.deepEqual(firstPart({ most: 300, most_s: 60, frames: 400, duration_s: 4 }), { begin: 0, end: 4, rate: 60 });
});

test("what an undo has changed lies on one frame, or on none that could be shown", () => {
  const [bare, clicked] = [objectState({ trail: [point(1)] }), objectState({ trail: [point(1), point(4)] })];
  const map = (/** @type {any[]} */ ...objects) => new Map(objects.map((one) => [one.id, one]));
  assert.equal(changedFrame(map(clicked), map(bare)), 4);
  assert.equal(changedFrame(map(bare), map(clicked)), 4);
  assert.equal(changedFrame(map(bare), map(bare)), null);
  assert.equal(changedFrame(map(clicked), map()), null, "an object over several");
});

test("a picture that moves is told from one that doesn't", async () => {
  const frame = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0];
  const gif = (/** @type {number} */ count) => Uint8Array.from([
    ..."GIF89a".split("").map((letter) => letter.charCodeAt(0)), 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255,
    0x21, 0xff, 3, 1, 2, 3, 0, ...Array.from({ length: count }, () => frame).flat(), 0x3b,
  ]);
  assert.deepEqual([framesInGif(gif(1)), framesInGif(gif(2)), framesInGif(gif(2).slice(0, 12))], [1, 2, 0]);
  const webp = (/** @type {number} */ flags) => new Blob([`RIFF\0\0\0\0WEBPVP8X\n\0\0\0${String.fromCharCode(flags)}\0\0\0`]);
  assert.deepEqual([await moves(webp(2)), await moves(webp(16)), await moves(new Blob([""]))], [true, false, false]);
  const png = (/** @type {string} */ name) => new Blob([`${String.fromCharCode(1)}PNG\r\n\x1a\n\0\0\0\0IHDR\0\0\0\0\0\0\0\0${name}\0\0\0\0`]);
  assert.deepEqual([await moves(png("acTL")), await moves(png("IDAT"))], [true, false]);
});

test("frames are shown at once and asked of the server where the time line rests; hovers begin when it has it", async () => {
  const play = new ClipPlay();
  await play.openClip();
  assert.deepEqual([play.state.picture?.imageId, play.clip.ready], [`${ID}#0`, 0]);
  for (const index of [1, 3, 4]) void play.clips.show(index);
  await settled();
  assert.deepEqual([play.clip.shown, play.seen, play.of("frame")], [4, 4, []]);
  play.hover(10);
  await play.rest();
  assert.deepEqual([play.of("frame").map(({ index }) => index), play.of("hover")], [[4], []]);
  void play.clips.step(1);
  await play.rest();
  const [older, newer] = play.of("frame");
  await play.frame(older.seq, 4);
  play.hover(10);
  assert.deepEqual([play.clip.shown, play.of("hover")], [5, []], "that one is shown no longer");
  await play.frame(newer.seq, 5);
  play.hover(10);
  assert.equal(play.of("hover").length, 1);
});

test("a click on a frame that the server hasn't open waits for it, and stops what plays", async () => {
  const play = new ClipPlay();
  await play.openClip();
  play.clips.toggle();
  await play.tick(100);
  assert.deepEqual([play.clip.playing, play.clip.shown], [true, 2]);
  await play.click(10);
  assert.deepEqual([play.clip.playing, play.of("click")], [false, []]);
  await play.frame(play.of("frame")[0].seq, 2);
  assert.equal(play.of("click").length, 1);
});

test("each frame plays at its own time, and waits for one that isn't here yet", async () => {
  const play = new ClipPlay();
  await play.openClip();
  play.here.delete(3);
  play.clips.toggle();
  const shown = [];
  for (const ms of [10, 40, 40, 200, 500, 20]) {
    await play.tick(ms);
    shown.push(play.clip.shown);
  }
  assert.deepEqual(shown, [0, 1, 2, 2, 2, 2], "0.79 s have passed, and frame 3 isn't here");
  play.here.add(3);
  await play.tick(210);
  assert.equal(play.clip.shown, 3, "none was left out");
  for (const ms of [600, 100, 200, 10]) await play.tick(ms);
  assert.deepEqual([play.clip.shown, play.clip.playing], [5, false], "at its end it stops");
});

test("masks are kept by frame as they come, and shown where that frame is", async () => {
  const play = new ClipPlay();
  await play.openClip();
  await play.click(10);
  await play.object(play.of("click")[0], 1, { frame: 0, trail: [point(0, 10)], points: [[10, 1, 1]] });
  void play.clips.track("both", true);
  await settled();
  const [track] = play.of("track");
  assert.deepEqual([track.direction, track.fast], ["both", true]);
  assert.equal(describe(play.state), "Tracking… Go on meanwhile.", "of how many frames isn't known yet");
  await play.object(track, 1, { frame: 0, trail: [point(0, 10), { t: "track", frame: 0, direction: "forward", last: 5, fast: true }] });
  for (const frame of [1, 2]) await play.reply({ t: "masks", seq: track.seq, frame, objects: [{ id: 1, mask: maskOfArea(frame) }] });
  await play.reply({ t: "tracked", seq: track.seq, done: 2, frames: 5 });
  assert.deepEqual(play.clip.tracking, { done: 2, frames: 5 });
  assert.equal(describe(play.state), "Tracking: 2 of 5. Go on meanwhile.");
  void play.clips.show(2);
  await settled();
  const object = () => /** @type {any} */ (play.state.objects.get(1));
  assert.deepEqual([object().masks.map((/** @type {any} */ one) => one.area), object().points], [[2], []]);
  assert.match(factsOf(object(), 2), /tracked/);
  void play.clips.show(3);
  await settled();
  assert.deepEqual(object().masks, []);
  assert.equal(factsOf(object(), 3), "not on this frame");
  await play.reply({ t: "masks", seq: track.seq, frame: 3, objects: [{ id: 1, mask: maskOfArea(33) }] });
  assert.equal(object().masks[0].area, 33, "as it comes");
  await play.reply({ t: "masks", seq: track.seq, frame: 3, objects: [{ id: 1, mask: null }] });
  assert.deepEqual(object().masks, []);
  void play.clips.stop();
  await settled();
  await play.reply({ t: "tracked", seq: track.seq, done: 3, frames: 5, last: true });
  await play.object(play.of("stop")[0], 1, { frame: 0, trail: [point(0, 10), { t: "track", frame: 0, direction: "forward", last: 2, fast: true }] });
  assert.equal(play.clip.tracking, null);
  void play.clips.show(0);
  await settled();
  assert.deepEqual(object().points, [[10, 1, 1]], "what was told of another frame than the one shown");
});

test("a file of a clip is made beside what else is done, and can be given up", async () => {
  const play = new ClipPlay();
  await play.openClip();
  /** @type {unknown} */
  let ended;
  void play.studio.export("overlay").catch((error) => { ended = error; });
  await settled();
  const [request] = play.of("export");
  await play.reply({ t: "progress", seq: request.seq, stage: "exporting", fraction: 0.5 });
  assert.deepEqual(play.clip.saving, { seq: request.seq, fraction: 0.5 });
  await play.click(10);
  assert.equal(play.of("click").length, 1, "nothing waits for it");
  await play.object(play.of("click")[0], 1, { frame: 0, trail: [point(0, 10)] });
  void play.clips.giveUpFile();
  await settled();
  assert.equal(play.of("stop")[0].of, request.seq);
  await play.reply({ t: "error", seq: request.seq, code: "bad_message", message: "given up", fatal: false });
  assert.ok(ended instanceof Superseded);
  assert.equal(play.clip.saving, null);
});

test("a session that was lost is made again as the clip, on the frame that is shown, each step with its frame", async () => {
  const play = new ClipPlay();
  await play.openClip();
  await play.click(10);
  await play.object(play.of("click")[0], 1, { frame: 0, trail: [point(0, 10)] });
  void play.clips.show(3);
  await settled();
  await play.welcome(false);
  await settled();
  const open = play.of("open").at(-1);
  assert.deepEqual([open.image_id, open.recipe.image_id, open.frame], [ID, ID, 3]);
  assert.deepEqual(open.recipe.objects[0].trail, [point(0, 10)]);
  await play.told(open.seq);
  await play.frame(open.seq, 3, false);
  await play.object(open, 1, { frame: 3, masks: [], trail: [point(0, 10)] });
  assert.deepEqual([play.clip.shown, play.clip.ready, play.seen, play.state.restoring], [3, 3, 3, false]);
  assert.deepEqual(play.studio.work()?.frame, 3);
});

test("what an undo changes on another frame is shown", async () => {
  const play = new ClipPlay();
  await play.openClip();
  await play.click(10);
  await play.object(play.of("click")[0], 1, { frame: 0, trail: [point(0, 10)] });
  void play.clips.show(4);
  await play.rest();
  await play.frame(play.of("frame")[0].seq, 4);
  void play.studio.undo();
  await settled();
  await play.reply({ t: "gone", seq: play.of("undo")[0].seq, objects: [1], can_undo: false, can_redo: true });
  assert.equal(play.clip.shown, 0);
});

test("of many frames that are wanted at once the newest comes first, and no more are held than there is room for", async () => {
  /** @type {{ url: string, answer: () => void }[]} */
  const asked = [];
  let closed = 0;
  const bitmap = () => ({ width: 4096, height: 2048, close: () => { closed += 1; } }); // four of them fit
  mock.method(globalThis, "fetch", (/** @type {string} */ url) => new Promise((resolve) => {
    asked.push({ url, answer: () => resolve({ ok: true, blob: async () => new Blob([]) }) });
  }));
  /** @type {any} */ (globalThis).createImageBitmap = async () => bitmap();
  const frames = new Frames("api/clips", () => null);
  const wishes = Array.from({ length: 20 }, (_, index) => frames.read(ID, index));
  assert.deepEqual(asked.map(({ url }) => url), [0, 1, 2].map((index) => `api/clips/${ID}/frames/${index}`));
  asked[0].answer();
  assert.ok(await wishes[0]);
  await settled();
  assert.equal(asked[3].url, `api/clips/${ID}/frames/19`);
  assert.equal(await wishes[4], null, "others were wanted more");
  for (let place = 1; place < asked.length; place += 1) {
    asked[place].answer();
    await settled();
  }
  await Promise.all(wishes);
  assert.ok(frames.held(ID, 8) !== null && frames.held(ID, 0) === null);
  assert.equal(closed, asked.length - 4);
  mock.restoreAll();
});
