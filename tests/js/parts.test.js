import assert from "node:assert/strict";
import { test } from "node:test";
import { retryDelayMs } from "../../static/js/wire/connection.js";
import { stepOf } from "../../static/js/panels/keyboard.js";
import { ENGLISH } from "./english.js";
import { capsOf, commandOf, COMMANDS, tipOf } from "../../static/js/model/keys.js";
import { BY_TOUCH, SHEET } from "../../static/js/panels/sheet.js";
import { encodeMessage, decodeMessage } from "../../static/js/wire/protocol.js";
import { encode } from "../../static/js/wire/msgpack.js";
import { Refused } from "../../static/js/wire/requests.js";
import { initialState } from "../../static/js/model/state.js";
import { Store } from "../../static/js/model/store.js";
import { readAnswer } from "../../static/js/files/upload.js";
import { describe, factsOf, shortName } from "../../static/js/model/words.js";

/** @param {Partial<import("../../static/js/model/keys.js").Stroke> & { key: string }} stroke */
const stroke = (stroke) => ({ ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...stroke });

test("the pause between attempts doubles from a quarter of a second to eight", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 99].map((attempt) => retryDelayMs(attempt, 1)), [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
  assert.equal(retryDelayMs(5, 0), 4000);
});

test("undo and redo answer to Ctrl and to Cmd", () => {
  assert.equal(commandOf(stroke({ key: "z", ctrlKey: true })), "undo");
  assert.equal(commandOf(stroke({ key: "z", metaKey: true })), "undo");
  assert.equal(commandOf(stroke({ key: "Z", ctrlKey: true, shiftKey: true })), "redo");
  assert.equal(commandOf(stroke({ key: "y", ctrlKey: true })), "redo");
});

test("letters are left alone with Ctrl or Alt", () => {
  assert.equal(commandOf(stroke({ key: "n", ctrlKey: true })), null);
  assert.equal(commandOf(stroke({ key: "0", ctrlKey: true })), null);
  assert.equal(commandOf(stroke({ key: "a", altKey: true })), null);
  assert.equal(commandOf(stroke({ key: "N", shiftKey: true })), "new"); // Shift is held to add meanwhile
  assert.equal(commandOf(stroke({ key: "[", metaKey: true })), null); // back, in a browser on a Mac
});

test("keys are found on keyboards of other countries", () => {
  assert.equal(commandOf(stroke({ key: "]", code: "Digit9", ctrlKey: true, altKey: true })), "larger");
  assert.equal(commandOf(stroke({ key: "[", code: "Digit5", altKey: true })), "smaller");
  assert.equal(commandOf(stroke({ key: "я", code: "KeyZ", ctrlKey: true })), "undo");
  assert.equal(commandOf(stroke({ key: "y", code: "KeyZ", ctrlKey: true })), "redo"); // German: the letter counts
  assert.equal(commandOf(stroke({ key: "ü", code: "BracketLeft" })), null);
});

test("Enter clicks, and with the keys that a click takes it adds and removes", () => {
  assert.equal(commandOf(stroke({ key: "Enter" })), "click");
  assert.equal(commandOf(stroke({ key: "Enter", shiftKey: true })), "clickAdd");
  assert.equal(commandOf(stroke({ key: "Enter", altKey: true })), "clickRemove");
  assert.equal(commandOf(stroke({ key: "Enter", ctrlKey: true })), null);
});

test("every command has its row in the help sheet, and each row's commands are there", () => {
  const told = SHEET.flatMap((row) => [...ENGLISH[`sheet.${row}.how`].matchAll(/\{(\w+)\}/g)].map(([, command]) => command));
  assert.deepEqual([...new Set(told)].sort(), Object.keys(COMMANDS).sort());
});

test("what a finger does is told without a key, of rows that the sheet has", () => {
  for (const row of BY_TOUCH) {
    assert.ok(SHEET.includes(row), row);
    assert.doesNotMatch(ENGLISH[`sheet.${row}.byTouch`], /[{`]|click|wheel|mouse|\bkey/, row);
  }
});

test("every key does what the table says, and no two do the same", () => {
  const keys = Object.values(COMMANDS).flat();
  assert.equal(new Set(keys).size, keys.length);
  for (const [command, own] of Object.entries(COMMANDS)) {
    for (const key of own) {
      const caps = key === "+" ? ["+"] : key.split("+");
      const pressed = stroke({ key: caps.at(-1) ?? "", ctrlKey: caps.includes("Ctrl"), shiftKey: caps.includes("Shift"), altKey: caps.includes("Alt") });
      assert.equal(commandOf(pressed), command, key);
    }
  }
});

test("keys are shown as they stand on the caps of the machine", () => {
  assert.deepEqual(capsOf("Ctrl+Shift+Z", false), ["Ctrl", "Shift", "Z"]);
  assert.deepEqual(capsOf("Ctrl+Shift+Z", true), ["⌘", "Shift", "Z"]);
  assert.equal(tipOf("undo", false), "Undo (Ctrl+Z)");
  assert.equal(tipOf("zoomIn", false), "Zoom in (+)");
  assert.equal(tipOf("close", false), "Close (Esc)");
});

test("arrows step, further with Shift", () => {
  assert.deepEqual(stepOf(stroke({ key: "ArrowLeft" })), [-8, 0]);
  assert.deepEqual(stepOf(stroke({ key: "ArrowDown", shiftKey: true })), [0, 40]);
  assert.equal(stepOf(stroke({ key: "a" })), null);
});

test("the server's refusal of an upload is told in the page's words", () => {
  const body = JSON.stringify({ detail: { code: "UNSUPPORTED_FORMAT", message: "expected a picture, got text", reason: "kind_text", values: { what: "text" } } });
  assert.throws(() => readAnswer(415, body), (error) => error instanceof Refused && error.message === ENGLISH["error.kind_text"] && error.code === "UNSUPPORTED_FORMAT");
  assert.throws(() => readAnswer(502, "<html>"), /answered 502/);
  assert.deepEqual(readAnswer(201, '{"image_id":"a","width":3,"height":2}'), { imageId: "a", width: 3, height: 2, orientation: 1, rendered: false });
});

test("a message of a type that is not known is passed over, one without its fields is refused", () => {
  assert.equal(decodeMessage(encode({ t: "confetti" })), null);
  assert.equal(decodeMessage(encode({ t: "toString" })), null);
  assert.throws(() => decodeMessage(encode({ t: "object", seq: 1 })), /object.id must be a number/);
  assert.throws(() => decodeMessage(encode([1])), /must be a map/);
});

test("a message comes back as it was", () => {
  const message = /** @type {const} */ ({ t: "error", code: "busy", message: "wait", fatal: false });
  assert.deepEqual({ ...decodeMessage(encode(message)) }, message);
  assert.equal(Buffer.from(encodeMessage({ t: "ping", at: 5 })).toString("hex"), "82a174a470696e67a2617405");
});

/** @returns {import("../../static/js/wire/messages.ts").ObjectMessage} */
const object = () => ({ t: "object", seq: 1, id: 3, name: "Object 3", color: 2, points: [[1, 2, 1], [3, 4, 0]], box: [0, 0, 5, 5], chosen: 0, masks: [], can_undo: true, can_redo: false });

test("objects come and go, and the next colour is one not seen before", () => {
  const store = new Store({}, () => {});
  store.put(object());
  assert.equal(store.state.nextColor, 3);
  store.select(3);
  store.remove({ t: "gone", seq: 2, objects: [3], can_undo: true, can_redo: true });
  assert.deepEqual([store.state.objects.size, store.state.active, store.state.nextColor], [0, null, 3]);
});

test("an object that comes back has its old place among the others", () => {
  const store = new Store({}, () => {});
  for (const id of [3, 5, 4]) store.put({ ...object(), id });
  assert.deepEqual([...store.state.objects.keys()], [3, 4, 5]);
});

const OPEN = { name: "a", file: new Blob([]), bitmap: null, width: 1, height: 1, imageId: "i", encodeMs: 1, cached: false };

test("the facts of an object are its prompts, its area and its score", () => {
  assert.equal(factsOf({ ...object(), masks: [{ size: [1, 1], box: [0, 0, 1, 1], runs: Uint8Array.of(0, 1), score: 1, area: 1234 }] }), "box\u00a0· 2\u00a0points\u00a0· 1,234\u00a0px\u00a0· 100%"); // no line breaks within a fact
});

test("a long name is cut in the middle of a sentence, by letters and not by halves of them", () => {
  assert.equal(shortName("cup"), "cup");
  assert.equal(shortName("🐈".repeat(30)), `${"🐈".repeat(23)}…`);
  const state = initialState({ connection: "ready", picture: OPEN, active: 1, objects: new Map([[1, { ...object(), id: 1, name: "long ".repeat(40) }]]) });
  assert.match(describe(state), /^long long long long lon… is selected/);
});

test("the page says what is going on", () => {
  const state = initialState({});
  assert.match(describe(state), /Drop a picture or a clip/);
  assert.match(describe({ ...state, pending: { ...OPEN, stage: "uploading", fraction: 0.456, position: null } }), /40%/);
  const ready = { ...state, picture: OPEN, connection: /** @type {const} */ ("ready"), objects: new Map([[3, object()]]) };
  assert.match(describe(ready), /1 object\. Click one to select it/);
  assert.match(describe({ ...ready, active: 3 }), /Object 3 is selected. Shift \+ click adds/);
  assert.match(describe({ ...ready, active: 3, tool: "remove" }), /Click to remove from Object 3/);
  assert.match(describe({ ...ready, active: 3, tool: "remove", byTouch: true }), /Tap to remove/);
  assert.match(describe({ ...ready, connection: "waiting" }), /connection is lost/);
});
