import assert from "node:assert/strict";
import { test } from "node:test";
import "./english.js";
import { unmarked, withoutMarks } from "../../static/js/files/metadata.js";
import { Sight } from "../../static/js/session/sight.js";
import { Store } from "../../static/js/model/store.js";
import { storedSize, turnOf } from "../../static/js/model/turns.js";

/** @param {...(number | string | Uint8Array)} parts @returns {Uint8Array<ArrayBuffer>} */
const bytesOf = (...parts) => Uint8Array.from(Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(/** @type {any} */ (part), "latin1")))));
/** @param {Uint8Array[] | null} parts */
const joined = (parts) => parts && Buffer.concat(parts).toString("latin1");
/** @param {number} marker @param {string} body */
const segment = (marker, body) => bytesOf(0xff, marker, 0, body.length + 2, body);
/** @param {string} kind @param {string} body */
const pngChunk = (kind, body) => bytesOf(0, 0, 0, body.length, kind, body, "crc!");
/** @param {string} kind @param {string} body */
const webpChunk = (kind, body) => bytesOf(kind, body.length, 0, 0, 0, body, body.length % 2 ? "\0" : "");
const PNG = "\x89PNG\r\n\x1a\n";

test("marks of a JPEG go, its colours, comments and pixels stay, and so does what follows the pixels", () => {
  const rest = [segment(0xe0, "JFIF"), segment(0xe2, "ICC_PROFILE"), segment(0xfe, "a note"), segment(0xda, "scan"), bytesOf("\xff\xe1\0\x04xx\xff\xd9 and a film")];
  const marks = [segment(0xe1, "Exif\0\0II"), segment(0xe1, "http://ns.adobe.com/xap/1.0/\0")];
  const file = bytesOf("\xff\xd8", marks[0], rest[0], "\xff", rest[1], marks[1], ...rest.slice(2));
  assert.equal(joined(unmarked(file)), joined([bytesOf("\xff\xd8"), rest[0], bytesOf("\xff"), ...rest.slice(1)]));
  assert.equal(unmarked(bytesOf("\xff\xd8", ...rest)), null);
});

test("marks of a PNG go before and behind the pixels", () => {
  const rest = [pngChunk("IHDR", "head"), pngChunk("iCCP", "profile"), pngChunk("IDAT", "pixels"), pngChunk("IEND", "")];
  const file = bytesOf(PNG, rest[0], pngChunk("tEXt", "Raw profile type exif"), rest[1], pngChunk("eXIf", "x"), rest[2], pngChunk("eXIf", ""), pngChunk("iTXt", "x"), rest[3], "tail");
  assert.equal(joined(unmarked(file)), joined([bytesOf(PNG), ...rest, bytesOf("tail")]));
  assert.equal(unmarked(bytesOf(PNG, ...rest)), null);
});

test("a PNG that moves is the picture that who knows no animation shows, as the server has it", () => {
  const rest = [pngChunk("IHDR", "head"), pngChunk("IDAT", "pixels"), pngChunk("IEND", "")];
  const file = bytesOf(PNG, rest[0], pngChunk("acTL", "two"), rest[1], pngChunk("fcTL", "one"), pngChunk("fdAT", "one"), rest[2]);
  assert.equal(joined(unmarked(file)), joined([bytesOf(PNG), ...rest]));
});

test("marks of a WebP go, and its header knows of it", () => {
  const rest = [webpChunk("ICCP", "odd"), webpChunk("VP8 ", "pixels")];
  const file = bytesOf("RIFF", 90, 0, 0, 0, "WEBP", webpChunk("VP8X", "\x3c123456789"), ...rest, webpChunk("EXIF", "mark!"), webpChunk("XMP ", "x"));
  const left = bytesOf("RIFF", 4 + 18 + 12 + 14, 0, 0, 0, "WEBP", webpChunk("VP8X", "\x30123456789"), ...rest);
  assert.equal(joined(unmarked(file)), joined([left]));
  assert.equal(unmarked(left), null);
});

test("what is cut or of another kind is left as it is", async () => {
  for (const data of ["", "\xff\xd8", "\xff\xd8\xff", "\xff\xd8\xff\xe1\x7f\xff", "\x89PNG", "GIF89a", "RIFF\0\0\0\0WAVE"]) {
    const file = new Blob([bytesOf(data)]);
    assert.equal(await (await withoutMarks(file)).arrayBuffer().then((it) => Buffer.from(it).toString("latin1").slice(0, 3)), data.slice(0, 3), data);
  }
});

test("each turn takes the stored corners to the upright ones", () => {
  const upright = { width: 60, height: 40 };
  const corners = { 1: [0, 0], 2: [60, 0], 3: [60, 40], 4: [0, 40], 5: [0, 0], 6: [60, 0], 7: [60, 40], 8: [0, 40] };
  for (const [orientation, corner] of Object.entries(corners)) {
    const [a, b, c, d, e, f] = turnOf(Number(orientation), upright);
    const stored = storedSize(Number(orientation), upright);
    assert.deepEqual([e, f], corner, orientation); // where the first stored pixel goes
    assert.deepEqual([Math.abs(a * stored.width + c * stored.height), Math.abs(b * stored.width + d * stored.height)], [60, 40], orientation);
  }
  assert.deepEqual(storedSize(6, upright), { width: 40, height: 60 });
});

/** @param {(facts: import("../../static/js/model/types.ts").PictureFacts) => Promise<import("../../static/js/model/types.ts").View>} view */
function look(view) {
  const store = new Store({}, () => {});
  const file = new Blob(["a"]);
  store.begin({ name: "a", file, bitmap: null, width: 0, height: 0 });
  const sight = new Sight(store, (_, facts) => view(facts));
  return { store, state: store.state, file, sight };
}
const FACTS = { imageId: "i", width: 60, height: 40, orientation: 6, rendered: false };
const BITMAP = /** @type {ImageBitmap} */ ({});

test("a picture is shown as the server says, also one that was opened meanwhile or is restored later", async () => {
  let looks = 0;
  const { store, state, file, sight } = look(async ({ orientation }) => ({ bitmap: BITMAP, orientation: (looks += 1) && orientation }));
  await sight.see(file, FACTS);
  assert.deepEqual([state.pending?.bitmap, state.pending?.orientation, state.pending?.width], [BITMAP, 6, 60]);
  store.opened({ t: "image", seq: 1, image_id: "i", width: 60, height: 40, model: "nano", cached: true, encode_ms: 0 }, true);
  await sight.see(file, FACTS);
  assert.deepEqual([state.picture?.orientation, looks], [6, 1]);
});

test("pixels that can't be had are told, and asked for again", async () => {
  let fails = true;
  const { state, file, sight } = look(async () => {
    if (fails) throw new Error("the server answered 503");
    return { bitmap: BITMAP, orientation: 1 };
  });
  await sight.see(file, FACTS);
  assert.equal(state.notice, "the server answered 503");
  fails = false;
  await sight.see(file, FACTS);
  assert.equal(state.pending?.bitmap, BITMAP);
});
