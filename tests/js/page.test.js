import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readKept } from "../../static/js/files/keeper.js";
import { Latency, percentile } from "../../static/js/model/latency.js";
import { stateOf, wordsOf } from "../../static/js/model/models.js";
import { DEFAULTS, nextOpacity, readPreferences } from "../../static/js/panels/preferences.js";
import { decodeMessage, encodeMessage } from "../../static/js/wire/protocol.js";
import { Requests } from "../../static/js/wire/requests.js";
import { nextStop } from "../../static/js/model/regions.js";
import { currentObject, isVisible, objectAt } from "../../static/js/model/state.js";
import { Store } from "../../static/js/model/store.js";
import { fromRows, objectState } from "./values.js";

const HERE = new URL("../../", import.meta.url);

test("percentiles are samples, by nearest rank", () => {
  assert.equal(percentile([], 0.5), null);
  assert.equal(percentile([3], 0.95), 3);
  assert.equal(percentile([4, 1, 3, 2], 0.5), 2);
  assert.equal(percentile(Array.from({ length: 100 }, (_, i) => i + 1), 0.95), 95);
});

test("only the newest samples count", () => {
  const latency = new Latency();
  for (let i = 0; i < 240; i += 1) latency.add("total", 500);
  for (let i = 0; i < 240; i += 1) latency.add("total", 5);
  assert.deepEqual(latency.rows().find(({ kind }) => kind === "total"), { kind: "total", p50: 5, p95: 5, last: 5, count: 240 });
});

test("preferences that can't be read are the defaults", () => {
  for (const text of [null, "", "{", "3", '{"opacity":"much","theme":"pink","outlines":1}']) assert.deepEqual(readPreferences(text), DEFAULTS);
  assert.deepEqual(readPreferences('{"opacity":0.8,"theme":"dark","outlines":true,"hinted":true}'), { opacity: 0.8, theme: "dark", outlines: true, hinted: true });
});

test("the opacity goes up in steps and around", () => {
  assert.deepEqual([0.2, 0.4, 0.55, 0.8, 1].map(nextOpacity), [0.4, 0.6, 0.6, 0.2, 0.2]);
});

test("what a tab kept is believed only where it is whole", () => {
  const kept = { tab: "t", seq: 7, credentials: { session: "s", token: "x" }, work: null };
  assert.deepEqual(readKept(JSON.stringify(kept)), kept);
  assert.equal(readKept(null), null);
  assert.equal(readKept('{"seq":1}'), null);
  assert.deepEqual(readKept('{"tab":"t","seq":"many","credentials":{"session":1},"work":5}'), { tab: "t", seq: 0, credentials: null, work: null });
});

test("a page that was loaded again goes on above every number it may have used", () => {
  let kept = 0;
  const before = new Requests(0, (seq) => { kept = seq; });
  for (let i = 0; i < 2500; i += 1) before.number();
  const after = new Requests(kept);
  assert.ok(after.number() > before.lastSeq);
});

test("a model says what it is and what it costs first", () => {
  const tiny = { name: "tiny", params_m: 38.9, available: false, bundled: false };
  assert.match(stateOf(tiny, "nano"), /39 M parameters · 156 MB to fetch/);
  assert.match(stateOf(tiny, "tiny"), /in use/);
  assert.match(wordsOf({ ...tiny, name: "nano" }), /Demonstration/);
  assert.ok(wordsOf({ ...tiny, name: "unheard-of" }));
});

// ---- the state

/** @param {number} id @param {number} color */
const message = (id, color) => ({ ...objectState({ id, color, name: `Object ${id}` }), t: /** @type {const} */ ("object"), seq: 1, can_undo: true, can_redo: false });

/** A store with objects of these ids. @param {...number} ids */
function storeOf(...ids) {
  const store = new Store({}, () => {});
  for (const id of ids) store.put(message(id, id));
  return store;
}

/** @param {Store} store @param {number} width of its picture */
function openPicture(store, width) {
  store.begin({ name: "a", file: new Blob([]), bitmap: null, width, height: 1 });
  store.opened({ t: "image", seq: 1, image_id: "i", width, height: 1, model: "nano", cached: false, encode_ms: 0 }, true);
}

test("objects have the server's colours, and the next is expected after the highest", () => {
  const store = storeOf();
  store.put(message(1, 4));
  store.put(message(2, 2));
  assert.deepEqual([...store.state.objects.values()].map(({ color }) => color), [4, 2]);
  assert.equal(store.state.nextColor, 5);
});

test("hidden objects are not shown and not hit, an isolated one is alone", () => {
  const store = storeOf();
  openPicture(store, 1);
  for (const id of [1, 2, 3]) store.put({ ...message(id, id), masks: [fromRows(["1"])] });
  assert.equal(objectAt(store.state, { x: 0.5, y: 0.5 }), 3);
  store.hide(3);
  assert.equal(objectAt(store.state, { x: 0.5, y: 0.5 }), 2);
  store.isolate(1);
  assert.deepEqual([1, 2, 3].map((id) => isVisible(store.state, id)), [true, false, false]);
  store.remove({ t: "gone", seq: 1, objects: [1], can_undo: true, can_redo: false });
  assert.equal(store.state.isolated, null);
});

test("of several objects the smallest is met, and of two alike the newer", () => {
  const store = storeOf();
  openPicture(store, 2);
  store.put({ ...message(1, 1), masks: [fromRows(["10"])] });
  store.put({ ...message(2, 2), masks: [fromRows(["11"])] });
  const [left, right] = [{ x: 0.5, y: 0.5 }, { x: 1.5, y: 0.5 }];
  assert.deepEqual([objectAt(store.state, left), objectAt(store.state, right)], [1, 2]);
  store.put({ ...message(3, 3), masks: [fromRows(["10"])] });
  assert.equal(objectAt(store.state, left), 3);
});

test("the walk through the objects ends at both ends", () => {
  const store = storeOf(1, 2);
  assert.deepEqual(nextStop(store.state, 1), { object: 1 });
  assert.deepEqual(nextStop(store.state, -1), { object: 2 });
  store.pointAt(2);
  assert.equal(nextStop(store.state, 1), null);
  assert.equal(currentObject(store.state)?.id, 2);
  store.select(1);
  assert.equal(currentObject(store.state)?.id, 1);
});

test("keys are meant for the object that Tab has come to, until another is selected or pointed at", () => {
  const store = storeOf(1, 2, 3);
  store.select(3);
  store.pointAt(1, true);
  assert.equal(currentObject(store.state)?.id, 1);
  store.pointAt(2);
  assert.equal(currentObject(store.state)?.id, 3);
  store.pointAt(1, true);
  store.select(2);
  assert.deepEqual([currentObject(store.state)?.id, store.state.pointed], [2, null]);
  store.pointAt(1, true);
  store.select(1);
  assert.deepEqual(nextStop(store.state, 1), { object: 2 }); // the walk goes on from there
});

test("an object that an undo brings back has its old place among the others", () => {
  const store = storeOf(1, 2, 3);
  store.remove({ t: "gone", seq: 4, objects: [2], can_undo: true, can_redo: false });
  store.put(message(2, 5));
  assert.deepEqual([...store.state.objects.keys()], [1, 2, 3]);
});

test("each change of the state is told, so that it is drawn", () => {
  let told = 0;
  const store = new Store({}, () => { told += 1; });
  store.say("a");
  store.put(message(1, 1));
  assert.deepEqual([told, store.version], [2, 2]);
});

test("what was said of the line goes when it is ready again, and no other word does", () => {
  const store = storeOf();
  store.warnOfLine("no socket opens");
  store.connected("waiting");
  assert.equal(store.state.notice, "no socket opens");
  store.connected("ready");
  assert.equal(store.state.notice, null);
  store.warn("the picture is damaged");
  store.connected("ready");
  assert.equal(store.state.notice, "the picture is damaged");
});

// ---- the bytes

/** @param {unknown} value @returns {any} JSON with `{"$bin": hex}` for bytes */
function withBins(value) {
  if (Array.isArray(value)) return value.map(withBins);
  if (value === null || typeof value !== "object") return value;
  if ("$bin" in value) return Uint8Array.from(Buffer.from(String(value.$bin), "hex"));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBins(item)]));
}

/** @type {{ name: string, from: "client" | "server", message: object, hex: string }[]} */
const golden = JSON.parse(readFileSync(new URL("tests/golden/messages.json", HERE), "utf8"));
for (const { name, from, message, hex } of golden) {
  if (from === "client") {
    test(`the page writes the server's golden bytes: ${name}`, () => {
      assert.equal(Buffer.from(encodeMessage(withBins(message))).toString("hex"), hex);
    });
  } else {
    test(`the page takes the server's golden message: ${name}`, () => {
      assert.equal(/** @type {any} */ (decodeMessage(Uint8Array.from(Buffer.from(hex, "hex"))))?.t, /** @type {any} */ (message).t);
    });
  }
}
