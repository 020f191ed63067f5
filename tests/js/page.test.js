import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readKept } from "../../static/js/keeper.js";
import { Latency, percentile } from "../../static/js/latency.js";
import { stateOf, wordsOf } from "../../static/js/models.js";
import { DEFAULTS, nextOpacity, readPreferences } from "../../static/js/preferences.js";
import { decodeMessage, encodeMessage } from "../../static/js/protocol.js";
import { Requests } from "../../static/js/requests.js";
import { applyGone, applyObject, currentObject, initialState, isVisible, nextObject, objectAt, pointAt, select } from "../../static/js/state.js";
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

test("objects have the server's colours, and the next is expected after the highest", () => {
  const state = initialState("nano");
  applyObject(state, message(1, 4));
  applyObject(state, message(2, 2));
  assert.deepEqual([...state.objects.values()].map(({ color }) => color), [4, 2]);
  assert.equal(state.nextColor, 5);
});

test("hidden objects are not shown and not hit, an isolated one is alone", () => {
  const state = initialState("nano");
  state.picture = { name: "a", file: new Blob([]), bitmap: null, width: 1, height: 1, imageId: "i", encodeMs: 0, cached: false };
  const full = fromRows(["1"]);
  for (const id of [1, 2, 3]) applyObject(state, { ...message(id, id), masks: [full] });
  assert.equal(objectAt(state, { x: 0.5, y: 0.5 }), 3);
  state.hidden.add(3);
  assert.equal(objectAt(state, { x: 0.5, y: 0.5 }), 2);
  state.isolated = 1;
  assert.deepEqual([1, 2, 3].map((id) => isVisible(state, id)), [true, false, false]);
  applyGone(state, { t: "gone", seq: 1, objects: [1], can_undo: true, can_redo: false });
  assert.equal(state.isolated, null);
});

test("of several objects the smallest is met, and of two alike the newer", () => {
  const state = initialState("nano");
  state.picture = { name: "a", file: new Blob([]), bitmap: null, width: 2, height: 1, imageId: "i", encodeMs: 0, cached: false };
  applyObject(state, { ...message(1, 1), masks: [fromRows(["10"])] });
  applyObject(state, { ...message(2, 2), masks: [fromRows(["11"])] });
  const [left, right] = [{ x: 0.5, y: 0.5 }, { x: 1.5, y: 0.5 }];
  assert.deepEqual([objectAt(state, left), objectAt(state, right)], [1, 2]);
  applyObject(state, { ...message(3, 3), masks: [fromRows(["10"])] });
  assert.equal(objectAt(state, left), 3);
});

test("the walk through the objects ends at both ends", () => {
  const state = initialState("nano");
  for (const id of [1, 2]) applyObject(state, message(id, id));
  assert.equal(nextObject(state, 1), 1);
  assert.equal(nextObject(state, -1), 2);
  state.pointed = 2;
  assert.equal(nextObject(state, 1), null);
  assert.equal(currentObject(state)?.id, 2);
  state.active = 1;
  assert.equal(currentObject(state)?.id, 1);
});

test("keys are meant for the object that Tab has come to, until another is selected or pointed at", () => {
  const state = initialState("nano");
  for (const id of [1, 2, 3]) applyObject(state, message(id, id));
  select(state, 3);
  pointAt(state, 1, true);
  assert.equal(currentObject(state)?.id, 1);
  pointAt(state, 2);
  assert.equal(currentObject(state)?.id, 3);
  pointAt(state, 1, true);
  select(state, 2);
  assert.deepEqual([currentObject(state)?.id, state.pointed], [2, null]);
  pointAt(state, 1, true);
  select(state, 1);
  assert.equal(nextObject(state, 1), 2); // the walk goes on from there
});

test("an object that an undo brings back has its old place among the others", () => {
  const state = initialState("nano");
  for (const id of [1, 2, 3]) applyObject(state, message(id, id));
  applyGone(state, { t: "gone", seq: 4, objects: [2], can_undo: true, can_redo: false });
  applyObject(state, message(2, 5));
  assert.deepEqual([...state.objects.keys()], [1, 2, 3]);
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

// ---- the files

test("the page names every module, and each is there", () => {
  const listed = [...readFileSync(new URL("templates/partials/modules.html", HERE), "utf8").matchAll(/"([a-z-]+)"(?=,|\s)/g)].map(([, name]) => `${name}.js`);
  const there = readdirSync(new URL("static/js", HERE)).filter((name) => name.endsWith(".js") && !["theme.js", "docs.js"].includes(name));
  assert.deepEqual([...new Set([...listed, "main.js"])].filter((name) => !["module.js", "modulepreload.js"].includes(name)).sort(), there.sort());
});

test("one word for one act: no label, tooltip, help or sentence has another for it", () => {
  const other = /\b(keeps?|kept|tak(e|es|en) (it )?away|refin\w*|dismiss|clear|cancel\w*|commit)\b/i;
  for (const name of ["studio.html", "partials/ask.html", "partials/help.html", "partials/menus.html", "partials/model.html", "partials/object.html"]) {
    const text = readFileSync(new URL(`templates/${name}`, HERE), "utf8").replaceAll(/\{[#{%][\s\S]*?[#}%]\}|\b(id|class|data-[a-z]+)="[^"]*"/g, "");
    assert.doesNotMatch(text, other, name);
  }
  for (const name of ["ask", "choosing", "commands", "keys", "menus", "objects-list", "stage", "studio", "takeaway", "words"]) {
    const code = readFileSync(new URL(`static/js/${name}.js`, HERE), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    const sentences = [...code.matchAll(/"([^"\n]*)"|`([^`]*)`/g)].map(([, plain, made]) => (plain ?? made).replaceAll(/\$\{[^}]*\}/g, "")).filter((text) => text.includes(" ") || /^[A-Z]/.test(text));
    assert.ok(sentences.length > 0, name);
    for (const sentence of sentences) assert.doesNotMatch(sentence, other, name);
  }
});

test("modules without a page touch none", () => {
  const pure = ["candidates", "difference", "exchange", "hovers", "inbox", "latency", "masks", "models", "msgpack", "palette",
    "protocol", "aim", "choosing", "keys", "requests", "restorer", "state", "studio", "viewport", "words", "work", "actions"];
  for (const name of pure) {
    const code = readFileSync(new URL(`static/js/${name}.js`, HERE), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    assert.doesNotMatch(code, /\b(document|window|localStorage|sessionStorage|navigator|WebSocket|HTMLElement)\b/, name);
  }
});

test("no function of the page is longer than sixty lines", () => {
  for (const file of readdirSync(new URL("static/js", HERE)).filter((name) => name.endsWith(".js"))) {
    const lines = readFileSync(new URL(`static/js/${file}`, HERE), "utf8").split("\n");
    lines.forEach((line, start) => {
      if (!/^( {2})?(export )?(async )?(function|#?\w+\(.*\) \{$|get \w+\(\) \{$)/.test(line)) return;
      const close = line.startsWith("  ") ? "  }" : "}";
      const length = lines.slice(start).findIndex((one) => one === close);
      assert.ok(length < 60, `${file}:${start + 1} has ${length} lines`);
    });
  }
});
