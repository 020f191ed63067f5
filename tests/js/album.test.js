/** Many pictures: what comes in, what was done on each, going back and forth, two works that become one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { beforeEach, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { filesIn, framesAmong } from "../../static/js/files/folders.js";
import { sha256 } from "../../static/js/files/hash.js";
import { projectOf, readProject } from "../../static/js/files/project.js";
import { unzipped, ZipWriter } from "../../static/js/files/zip.js";
import { fileNames, heldBack, joined, keyOf, MAX_FILES, MAX_PICTURES, merged, missingClasses, neighbour, newEntry, parted, renamedIn, withEntry } from "../../static/js/model/album.js";
import { cellWords, intakeText, markOf } from "../../static/js/model/album-words.js";
import { ownPart } from "../../static/js/model/history.js";
import { Browsing } from "../../static/js/session/browsing.js";
import { mask, Play } from "./play.js";
import { ENGLISH } from "./english.js";

/** @import { Album, Entry, Work } from "../../static/js/model/types.ts" */
/** @import { RecipeObject, UndoStep } from "../../static/js/wire/messages.ts" */

/** @param {number} id @param {string} name @param {number} x @returns {RecipeObject} */
const made = (id, name, x) => ({ id, name, color: 0, trail: [{ t: "point", x, y: 1 }] });

/** @param {RecipeObject[]} objects @param {UndoStep[]} [past] @returns {Work} */
const workOf = (objects, past = []) => ({
  recipe: { format: "hoversam-recipe", version: 1, image_id: "i", width: 100, height: 80, model: "nano", objects, past, future: [] },
  active: null, provisional: false, masks: objects.map(({ id }) => [id, { ...mask, area: id }]),
});

/** @param {string[]} keys @returns {Album} */
const albumOf = (...keys) => new Map(keys.map((key) => [key, newEntry(key, `${key}.jpg`)]));

// ---- the model

test("of a folder pictures are taken in the order in which people count, and what a system hides isn't told", () => {
  const files = ["shot 10.jpg", "notes.txt", "shot 2.jpg", ".DS_Store", "Thumbs.db", "scan.TIFF", "live.heic"].map((name) => ({ name, file: new Blob([]) }));
  const { pictures, others } = parted([...files, { name: "bare", file: new Blob([], { type: "image/png" }) }]);
  assert.deepEqual(pictures.map(({ name }) => name), ["bare", "live.heic", "scan.TIFF", "shot 2.jpg", "shot 10.jpg"]);
  assert.deepEqual(others.map(({ name }) => name), ["notes.txt"]);
});

test("the hash of this page is the one of everybody, whatever the length", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, n) => (n * 7) % 256);
    assert.equal(Buffer.from(sha256(bytes)).toString("hex"), createHash("sha256").update(bytes).digest("hex"), String(length));
  }
});

test("pictures that are refused are passed over, and both ends are ends", () => {
  const album = withEntry(albumOf("a", "b", "c"), { ...newEntry("b", "b.jpg"), trouble: "damaged" });
  const good = (/** @type {Readonly<Entry>} */ { trouble }) => trouble === null;
  assert.deepEqual([neighbour(album, "a", 1, good), neighbour(album, "c", -1), neighbour(album, "c", 1), neighbour(album, null, 1)], ["c", "b", null, "a"]);
});

test("a class that is renamed is renamed in the undo steps of every picture, too; without one, objects go by their number", () => {
  const work = workOf([made(1, "cat", 1), made(2, "dog", 2)], [{ objects: [made(3, "cat", 3)], gone: [2] }]);
  const names = (/** @type {{ work: Work }} */ { work: { recipe } }) => [recipe.objects, recipe.past?.[0].objects].map((objects) => objects?.map(({ name }) => name));
  const renamed = renamedIn(work, "cat", "lion");
  assert.deepEqual([names(renamed), renamed.ids], [[["lion", "dog"], ["lion"]], new Set([1, 3])]);
  const bare = renamedIn(work, "cat", "");
  assert.deepEqual(names(bare), [["Object 1", "dog"], ["Object 3"]]);
  assert.deepEqual(names(renamedIn(bare.work, "", "cat", bare.ids)), names({ work }));
  assert.equal(renamedIn(work, "cow", "ox").ids.size, 0);
});

test("classes that other pictures have come after those of a list that lacks them, each once, and no object without a class makes one", () => {
  const album = withEntry(withEntry(albumOf("a"), { ...newEntry("b", "b"), work: workOf([made(1, "cat", 1), made(2, "Object 2", 2)]) }),
    { ...newEntry("c", "c"), work: workOf([made(5, "dog", 1), made(6, "cow", 2), made(7, "cow", 3)]) });
  assert.deepEqual(missingClasses(album, [{ name: "dog", color: 4 }]).map(({ name }) => name), ["cat", "cow"]);
});

test("of a picture that is left no list of classes stays behind that could come back older", () => {
  const step = { objects: [], gone: [], classes: [{ name: "old", color: 0 }] };
  const own = ownPart({ ...workOf([made(1, "cat", 1)], [step, { gone: [1] }]).recipe, classes: [{ name: "old", color: 0 }] });
  assert.deepEqual([own.classes, own.past], [undefined, [{ objects: [], gone: [1] }]]);
});

test("two works on one picture lose no object, have none twice, and no number means two", () => {
  const own = workOf([made(1, "cat", 1), made(2, "Object 2", 2)], [{ objects: [made(7, "dog", 9)] }]);
  const other = workOf([made(4, "cat", 1), made(1, "cow", 5), made(9, "Object 9", 2), made(2, "Object 2", 6)]);
  const { work, left } = joined(own, other);
  assert.deepEqual(work?.recipe.objects?.map(({ id, name }) => [id, name]), [[1, "cat"], [2, "Object 2"], [8, "cow"], [9, "Object 9"]]);
  assert.deepEqual([work?.masks.map(([id, { area }]) => [id, area]), left], [[[1, 1], [2, 2], [8, 1], [9, 2]], 0]);
  const full = joined(workOf(Array.from({ length: 63 }, (_, n) => made(n + 1, "cat", n))), workOf([made(1, "cow", 98), made(2, "cow", 99)]));
  assert.deepEqual([full.work?.recipe.objects?.length, full.left], [64, 1]);
});

test("two albums become one: pictures come after one's own, and beyond the bound they are counted", () => {
  const own = withEntry(albumOf("a", "b"), { ...newEntry("a", "a.jpg"), here: false });
  const both = merged(own, [{ ...newEntry("a", "other.jpg"), done: true, work: workOf([made(1, "cat", 1)]) }, newEntry("c", "c.jpg")]);
  assert.deepEqual([...both.album.keys()], ["a", "b", "c"]);
  const { name, done, here, work } = /** @type {Entry} */ (both.album.get("a"));
  assert.deepEqual([name, done, here, work?.recipe.objects?.length, both.changed], ["a.jpg", true, true, 1, ["a", "c"]]);
  const many = albumOf(...Array.from({ length: MAX_PICTURES }, (_, n) => String(n)));
  assert.deepEqual([merged(many, albumOf("1", "x", "y").values()).over, merged(many, albumOf("x").values()).album.size], [2, MAX_PICTURES]);
});

test("what a training is judged by is a share of the pictures, never none and never all, and the same ones again", () => {
  const keys = ["d", "a", "c", "b", "e"];
  assert.deepEqual([...heldBack(keys, 0.4)], ["a", "b"]);
  assert.deepEqual([heldBack(["a", "b"], 0.01).size, heldBack(["a", "b"], 1).size, heldBack(["a"], 0.5).size, heldBack(keys, 0).size], [1, 1, 0, 0]);
});

test("pictures of one name from two folders get names that no disk and no label mixes up", () => {
  const entries = [["k1-aaaaaaaa", "1.jpg"], ["k2-bbbbbbbb", "1.JPG"], ["k3-cccccccc", "1.png"], ["k4", "cat.jpg"], ["k5", "noend"]].map(([key, name]) => newEntry(key, name));
  assert.deepEqual([...fileNames(entries).values()], ["1-k1-aaaaa.jpg", "1-k2-bbbbb.JPG", "1-k3-ccccc.png", "cat.jpg", "noend"]);
});

test("what comes in badly is told by name and number, and what comes in well isn't", () => {
  const nothing = { doubled: [], large: [], others: [], over: 0, unkept: 0, trouble: null, isCut: false };
  const kept = { isLasting: true, trouble: null };
  assert.equal(intakeText(nothing, 500, kept), "");
  const text = intakeText({ doubled: ["a.jpg"], large: ["b.tif", "c.tif"], others: ["1", "2", "3", "4"], over: 1, unkept: 2, trouble: "full", isCut: true }, 500, kept);
  for (const part of ["1 is here already: a.jpg.", "2 are larger than this server takes: b.tif and c.tif.", "4 are no pictures: 1, 2 and 2 more.", "500 pictures are the most: 1 left out", "the first 5,000 files", "no room for 2 files"]) assert.ok(text.includes(part), text);
  assert.match(intakeText({ ...nothing, unkept: 2 }, 500, { isLasting: false, trouble: "full" }), /^This browser has no room left/);
  const failed = intakeText({ ...nothing, unkept: 1, trouble: "failed" }, 500, kept);
  assert.match(failed, /^This browser couldn’t store 1 file: what you do stays here/);
  assert.match(intakeText(nothing, 500, { isLasting: false, trouble: "failed" }), /reload the page/);
});

test("a cell of the filmstrip says how far its picture is", () => {
  const entry = newEntry("a", "a.jpg");
  const states = [entry, { ...entry, work: workOf([made(1, "cat", 1)]) }, { ...entry, work: workOf([made(1, "cat", 1)]), done: true }, { ...entry, done: true }, { ...entry, here: false }, { ...entry, trouble: "damaged" }];
  assert.deepEqual(states.map(markOf), ["", "1", "✓ 1", "✓", "?", "!"]);
  assert.equal(cellWords(states[2], 2, 9), "a.jpg: 1 object, done (2 of 9)");
  assert.match(cellWords(states[5], 1, 9), /damaged/);
});

// ---- going from picture to picture

/** @type {Play} */
let play;
/** @type {Browsing} */
let browsing;
/** @type {Map<string, Blob>} */
let files;
/** @type {Map<string, Readonly<Entry>>} */
let kept;

beforeEach(async () => {
  play = new Play();
  files = new Map();
  kept = new Map();
  browsing = new Browsing(play.store, play.studio, {
    storage: {
      isLasting: true, trouble: null,
      put: (entry) => void kept.set(entry.key, entry),
      putFile: async (key, file) => (files.set(key, file), null),
      file: async (key) => files.get(key) ?? null,
      stand: () => {},
      remove: async (key) => void kept.delete(key),
    },
    read: async (file, name) => ({ file, name, bitmap: /** @type {any} */ ({}), width: 100, height: 80 }),
    hash: (file) => file.text(),
    persist: () => {},
    askFor: () => {},
    maxBytes: { picture: 100, clip: 1000 },
  });
  await play.welcome(false);
});

/** @param {...string} names of files whose content is their name */
async function take(...names) {
  void browsing.take(names.map((name) => ({ name, file: new File([name], name, { type: "image/png" }) })));
  await calm();
}

/** Let everything that can go on go on. */
async function calm() {
  for (let i = 0; i < 10; i += 1) await settled();
}

/** Answer the newest `open`, with the objects of its recipe. */
async function opened() {
  await calm();
  const open = play.of("open").at(-1);
  const objects = open.recipe?.objects ?? [];
  await play.image(open, objects.length === 0);
  for (const [n, { id, name, trail }] of objects.entries()) {
    await play.object(open, id, { name, trail, points: [[1, 1, 1]], last: n === objects.length - 1 });
  }
  await calm();
}

/** @param {number} id @param {number} x @param {string} [name] */
async function click(id, x, name = `Object ${id}`) {
  await play.click(x);
  await play.object(play.last, id, { name, points: [[x, 1, 1]], trail: [{ t: "point", x, y: 1 }] });
}

const shown = () => [play.state.picture?.name, [...play.state.objects.keys()]];

test("one picture that finds no place says so, as many do", async () => {
  const many = Array.from({ length: 500 }, (_, n) => newEntry(String(n), `${n}.png`));
  play.store.list(new Map(many.map((entry) => [entry.key, entry])));
  await take("one too many");
  assert.match(play.state.notice ?? "", /500 pictures are the most: 1 left out/);
  browsing.outside.hash = () => Promise.reject(new Error("gone"));
  await take("gone.png");
  assert.match(play.state.notice ?? "", /1 is no picture: gone\.png/);
});

test("of a disk that was dropped by mistake the first files are looked at, and that is said", async () => {
  const one = { isDirectory: false, fullPath: "/disk/a.txt", file: (/** @type {(file: File) => void} */ done) => done(new File([], "a.txt")) };
  const batches = [new Array(3000).fill(one), new Array(3000).fill(one), []];
  const folder = { isDirectory: true, createReader: () => ({ readEntries: (/** @type {(some: unknown[]) => void} */ done) => done(/** @type {unknown[]} */ (batches.shift())) }) };
  const found = await filesIn(/** @type {any} */ ([folder]));
  assert.equal(found.length, MAX_FILES + 1);
  await browsing.take(found);
  assert.match(play.state.notice ?? "", /5,000 are no pictures: .* Only the first 5,000 files were looked at/);
});

test("a long clip that is brought once more is for another part of it; what has no part is shown", () => {
  const key = "0123456789abcdef".repeat(2);
  /** @param {string} one @param {boolean} here @param {import("../../static/js/model/types.ts").ClipPart | null} part */
  const entry = (one, here, part) => ({ ...newEntry(one, "long.mp4"), here, clip: { part } });
  const part = { begin: 0, end: 5, rate: 5 };
  const next = (/** @type {ReturnType<typeof entry>[]} */ ...entries) => keyOf(key, { file: new Blob([]), name: "long.mp4" }, new Map(entries.map((one) => [one.key, one])));
  assert.equal(next(), key);
  assert.equal(next(entry(key, true, null)), key);
  assert.equal(next(entry(key, false, part)), key, "its file was lost and comes back");
  const second = next(entry(key, true, part));
  assert.match(second, /^[0-9a-f]{32}$/);
  assert.notEqual(second, key);
  const third = next(entry(key, true, part), entry(second, true, part));
  assert.equal(new Set([key, second, third]).size, 3);
});

test("pictures of one folder that are numbered one after the other may be frames, and nothing else may", () => {
  /** @param {string[]} names @param {string} [folder] */
  const named = (names, folder = "walk") => names.map((name) => ({ file: new Blob([]), name, folder }));
  /** @param {string[]} names */
  const among = (names) => framesAmong(named(names)).map(({ name }) => name);
  const counted = ["shot9.png", "shot10.png", "shot11.png", "shot8.png"];
  assert.deepEqual(among([".DS_Store", ...counted, "times.txt"]), ["shot8.png", "shot9.png", "shot10.png", "shot11.png"]);
  assert.equal(among(["000.jpg", "001.jpg", "002.jpg", "003.jpg"]).length, 4);
  for (const others of [
    counted.slice(0, 3), ["a1.png", "a2.png", "a3.png", "b4.png"], ["1.png", "2.png", "3.png", "5.png"],
    ["a.png", "b.png", "c.png", "d.png"], ["1.png", "2.png", "3.png", "4.jpg"], ["1.mp4", "2.mp4", "3.mp4", "4.mp4"],
    ["1.png", "1.png", "2.png", "3.png"], [],
  ]) assert.deepEqual(among(others), [], others.join());
  assert.deepEqual(framesAmong([...named(counted.slice(2)), ...named(counted.slice(0, 2), "other")]), []);
});

test("of an album that the browser threw away the picture of this tab is asked for, with what was done on it", async () => {
  const { recipe, active } = workOf([made(1, "cat", 1)]);
  await browsing.begin(new Map(), null, { key: "a.png", recipe: { ...recipe, name: "a.png" }, active });
  assert.match(play.state.notice ?? "", /“a\.png” isn’t in this browser any more, what you did on it is: choose the file/);
  await take("a.png");
  await opened();
  assert.deepEqual([...play.state.objects.values()].map(({ name }) => name), ["cat"]);
});

test("a browser that keeps nothing doesn't promise to ask for a file again", async () => {
  const { storage } = browsing.outside;
  const putFile = async (/** @type {string} */ key, /** @type {Blob} */ file) => (files.set(key, file), /** @type {const} */ ("failed"));
  browsing.outside.storage = { ...storage, putFile, isLasting: false };
  await take("a");
  await opened();
  assert.equal(play.state.notice, null);
  browsing.outside.storage = { ...storage, putFile, isLasting: false, trouble: "full" };
  await take("b");
  await opened();
  assert.match(play.state.notice ?? "", /no room left: what you do now lasts as long as this page/);
});

test("back and forth: each picture has its own objects again, at once, before the server has said a word", async () => {
  await take("a", "b");
  await opened();
  await click(1, 5);
  void browsing.step(1);
  await opened();
  assert.deepEqual(shown(), ["b", []]);
  await click(2, 7);
  void browsing.step(-1);
  await calm();
  assert.deepEqual([shown(), play.state.restoring, play.state.canUndo], [["a", [1]], true, true]);
  const { recipe } = play.of("open").at(-1);
  assert.deepEqual([recipe.objects.map((/** @type {RecipeObject} */ { id }) => id), recipe.past], [[1], [{ objects: [], gone: [1] }]]);
  await opened();
  assert.deepEqual([shown(), play.state.restoring], [["a", [1]], false]);
  assert.deepEqual([kept.get("a")?.work?.masks.length, kept.get("b")?.work?.recipe.objects?.[0].id], [1, 2]);
});

test("the next picture is sent ahead, once, and opened without another upload", async () => {
  await take("a", "b", "c");
  await opened();
  assert.equal(play.uploads, 2); // the first, and the one after it
  void browsing.step(1);
  await opened();
  assert.deepEqual([play.of("open").at(-1).image_id, play.uploads], ["picture-2", 3]);
  void browsing.step(-1);
  await opened();
  assert.equal(play.uploads, 3);
});

test("what was clicked just before the picture is left belongs to it", async () => {
  await take("a", "b");
  await opened();
  await play.click(5);
  const waiting = play.last;
  void browsing.step(1);
  await calm();
  assert.equal(play.state.picture?.name, "a");
  await play.object(waiting, 1, { points: [[5, 1, 1]], trail: [{ t: "point", x: 5, y: 1 }] });
  await opened();
  assert.deepEqual([play.state.picture?.name, kept.get("a")?.work?.recipe.objects?.length], ["b", 1]);
});

test("without a connection a picture whose clicks wait isn't left, and one without is", async () => {
  await take("a", "b");
  await opened();
  play.store.connected("waiting");
  await play.click(5);
  void browsing.step(1);
  await calm();
  assert.equal(play.state.picture?.name, "a");
  assert.match(play.state.notice ?? "", /stay on this picture/);
});

test("late news of the picture before doesn't reach the one that is shown", async () => {
  await take("a", "b", "c");
  await opened();
  await click(1, 5);
  void browsing.step(1);
  await opened();
  await click(2, 7);
  void browsing.step(-1);
  await calm();
  const late = play.of("open").at(-1);
  void browsing.step(1); // back to b before a was there
  await calm();
  await play.image(late, false);
  await play.object(late, 1, { points: [[5, 1, 1]] });
  assert.deepEqual(shown(), ["b", [2]]);
  await opened();
  assert.deepEqual([shown(), kept.get("b")?.work?.recipe.objects?.map(({ id }) => id)], [["b", [2]], [2]]);
});

test("a picture that the server can't open now stays as it is, untouched, and no click reaches another", async () => {
  await take("a", "b");
  await opened();
  await click(1, 5);
  void browsing.step(1);
  await opened();
  void browsing.step(-1);
  await calm();
  await play.reply({ t: "error", seq: play.of("open").at(-1).seq, code: "engine_failed", message: "no memory", fatal: false });
  play.store.warn(null);
  await play.click(6);
  assert.deepEqual([shown(), play.state.restoring, play.of("click").length, play.state.notice], [["a", [1]], true, 1, ENGLISH["code.engine_failed"]]);
  void browsing.step(1);
  await opened();
  assert.deepEqual([shown(), play.state.restoring], [["b", []], false]);
  void browsing.step(-1);
  await opened();
  await click(2, 6);
  assert.deepEqual(shown(), ["a", [1, 2]]);
});

test("what is clicked while a picture comes back keeps nobody on it where the server then refuses it", async () => {
  await take("a", "b");
  await opened();
  void browsing.step(1);
  await opened();
  void browsing.step(-1);
  await calm();
  await play.click(6);
  await play.click(7);
  await play.reply({ t: "error", seq: play.of("open").at(-1).seq, code: "engine_failed", message: "no memory", fatal: false });
  void browsing.step(1);
  await opened();
  assert.deepEqual([shown(), play.of("click").length], [["b", []], 0]);
});

test("a picture that this browser can't show, or shows otherwise, comes back at the size that the server gave it", async () => {
  browsing.outside.read = async (file, name) => ({ file, name, bitmap: null, width: 0, height: 0 });
  await take("a", "b", "c", "d", "e");
  await opened();
  await click(1, 5);
  for (const key of "bcde") {
    void browsing.go(key);
    await opened();
  }
  void browsing.go("a");
  await calm();
  const { recipe } = play.of("open").at(-1);
  const { picture } = play.state;
  assert.deepEqual([[recipe.width, recipe.height], [picture?.width, picture?.height]], [[100, 80], [100, 80]]);
});

test("a broken picture among many is marked and passed over; one that came alone is gone again", async () => {
  await take("a", "b", "c");
  await play.reply({ t: "error", seq: play.last.seq, code: "corrupt_image", message: "damaged", fatal: false });
  await opened();
  assert.deepEqual([play.state.picture?.name, play.state.album.get("a")?.trouble], ["b", ENGLISH["code.corrupt_image"]]);
  void browsing.step(-1);
  await calm();
  assert.equal(play.state.picture?.name, "b");
  await take("d");
  await play.reply({ t: "error", seq: play.last.seq, code: "corrupt_image", message: "damaged, too", fatal: false });
  await calm();
  assert.deepEqual([[...play.state.album.keys()], play.state.picture?.name], [["a", "b", "c"], "b"]);
});

test("a picture that is here already is opened with its work, and one whose file was lost gets it back", async () => {
  await take("a", "b");
  await opened();
  await click(1, 5);
  void browsing.step(1);
  await opened();
  await take("a");
  await opened();
  assert.deepEqual([shown(), play.state.album.size], [["a", [1]], 2]);
  files.delete("b");
  play.store.list(withEntry(play.state.album, { .../** @type {Entry} */ (play.state.album.get("b")), here: false }));
  await take("b");
  assert.deepEqual([play.state.album.get("b")?.here, files.has("b")], [true, true]);
});

test("done goes on to the next that isn't, and a second time takes it back", async () => {
  await take("a", "b", "c");
  await opened();
  void browsing.toggleDone();
  await opened();
  assert.deepEqual([play.state.picture?.name, kept.get("a")?.done], ["b", true]);
  void browsing.step(-1);
  await opened();
  await browsing.toggleDone();
  assert.deepEqual([play.state.picture?.name, kept.get("a")?.done], ["a", false]);
});

test("a class that is renamed here is renamed on every picture, and the recipe of each goes out with the list of now", async () => {
  await take("a", "b");
  await opened();
  await play.reply({ t: "classes", seq: 0, classes: [{ name: "cat", color: 1 }], can_undo: false, can_redo: false, last: true });
  await click(1, 5, "cat");
  void browsing.step(1);
  await opened();
  void play.studio.classes.rename("cat", "lion");
  await calm();
  await play.reply({ t: "classes", seq: play.last.seq, classes: [{ name: "lion", color: 1 }], can_undo: true, can_redo: false, last: true });
  await calm();
  assert.equal(kept.get("a")?.work?.recipe.objects?.[0].name, "lion");
  for (const [name, does] of [["cat", "undo"], ["lion", "redo"]]) { // which reach all pictures, too
    void (does === "undo" ? play.studio.undo() : play.studio.redo());
    await calm();
    await play.reply({ t: "classes", seq: play.last.seq, classes: [{ name, color: 1 }], can_undo: does === "redo", can_redo: does === "undo", last: true });
    await calm();
    browsing.noteNow();
    assert.equal(kept.get("a")?.work?.recipe.objects?.[0].name, name);
  }
  void browsing.step(-1);
  await calm();
  const { recipe } = play.of("open").at(-1);
  assert.deepEqual([recipe.objects[0].name, recipe.classes], ["lion", [{ name: "lion", color: 1 }]]);
});

test("a list of classes that is put in the place of this one goes on with those that other pictures have", async () => {
  await take("a", "b");
  await opened();
  await click(1, 5, "cat");
  void browsing.step(1);
  await opened();
  void play.studio.classes.replace(["dog", "eye"], "classes.txt");
  await calm();
  assert.deepEqual(play.last.classes, ["dog", "eye", { name: "cat", color: 0 }]);
});

test("the picture after the last is none, and the page says so", async () => {
  await take("a", "b");
  await opened();
  await browsing.step(-1);
  assert.equal(play.state.toast?.text, "This is the first picture.");
});

test("a work that is taken in while a picture is open adds to it, and to what is kept of it", async () => {
  await take("a", "b");
  await opened();
  await click(1, 5);
  const others = [{ ...newEntry("a", "a"), work: workOf([made(1, "cat", 9)]) }, { ...newEntry("c", "c"), here: false }];
  const merging = browsing.merge(others, async (key) => new Blob([key]), () => browsing.noteNow());
  await opened();
  assert.deepEqual(await merging, { pictures: 2, both: 1, left: 0, over: 0, unkept: 0, trouble: null });
  browsing.noteNow();
  assert.deepEqual([shown(), kept.get("a")?.work?.recipe.objects?.map(({ id, name }) => [id, name])], [["a", [1, 2]], [[1, "Object 1"], [2, "cat"]]]);
  assert.deepEqual([[...play.state.album.keys()], files.has("c")], [["a", "b", "c"], true]);
});

// ---- files

test("an archive is read as it was written, whatever the names, and one of another program too", async () => {
  const zip = new ZipWriter();
  const files = new Map([["a/ü \u{1f41e}.txt", "one"], ["empty", ""], ["b.json", "[1]"]]);
  for (const [name, content] of files) await zip.add(name, content);
  const archive = zip.finish();
  const back = await unzipped(archive);
  assert.deepEqual(await Promise.all([...back].map(async ([name, content]) => [name, await (await content()).text()])), [...files]);
  const python = "import sys, zipfile, io; z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); assert z.testzip() is None; print(z.namelist())";
  const read = spawnSync("python3", ["-c", python], { input: Buffer.from(await archive.arrayBuffer()), encoding: "utf8" });
  assert.match(read.stdout, /'a\/ü/, read.stderr);
  const write = "import sys, zipfile, io; f = io.BytesIO(); z = zipfile.ZipFile(f, 'w', zipfile.ZIP_DEFLATED); z.writestr('d/', ''); z.writestr('d/x', 'x' * 9999); z.close(); sys.stdout.buffer.write(f.getvalue())";
  const other = await unzipped(new Blob([spawnSync("python3", ["-c", write]).stdout]));
  assert.deepEqual([[...other.keys()], (await (await other.get("d/x")?.())?.text())?.length], [["d/x"], 9999]);
});

test("an archive that is cut, or that unpacks to more than it says, is refused and not read to its end", async () => {
  const zip = new ZipWriter();
  await zip.add("a", "text");
  const archive = zip.finish();
  await assert.rejects(unzipped(archive.slice(0, archive.size - 9)), /no ZIP, or one that was cut off/);
  await assert.rejects(unzipped(new Blob([])), /no ZIP/);
  const bytes = new Uint8Array(await archive.arrayBuffer());
  bytes[bytes.length - 22 - 47] ^= 0xff; // its list
  await assert.rejects(unzipped(new Blob([bytes])), /damaged/);
});

test("a project brings classes, work, masks and pictures to another page, as they were", async () => {
  const entries = [{ ...newEntry("a".repeat(64), "a.jpg"), done: true, work: { ...workOf([made(1, "cat", 1)], [{ objects: [], gone: [1] }]), active: 1 } }, newEntry("b".repeat(64), "b.jpg")];
  const file = async (/** @type {string} */ key) => (key.startsWith("a") ? new Blob(["pixels"]) : null);
  const archive = await projectOf(entries, [{ name: "cat", color: 3 }], file, () => {}, new AbortController().signal);
  const project = await readProject(archive);
  assert.deepEqual(project.classes, [{ name: "cat", color: 3 }]);
  assert.deepEqual(project.entries[0], { ...entries[0], here: false });
  assert.deepEqual([project.entries[1].name, project.over, [...project.files.keys()]], ["b.jpg", 0, ["a".repeat(64)]]);
  assert.equal(await (await project.files.get("a".repeat(64))?.())?.text(), "pixels");
});

test("a project of another version, of another program, or in part damaged says so, and what is whole is taken", async () => {
  /** @param {object} content */
  const packed = async (content) => {
    const zip = new ZipWriter();
    await zip.add("project.json", JSON.stringify(content));
    return readProject(zip.finish());
  };
  const head = { format: "hoversam-project", version: 1, classes: [{ name: "cat", color: 0 }, { name: 5 }] };
  await assert.rejects(packed({ ...head, version: 2, pictures: [] }), /version 2, this page reads version 1.*Nothing was changed/);
  await assert.rejects(packed({ ...head, version: 3, pictures: { a: 1 } }), /version 3/); // whatever that one is like
  await assert.rejects(packed({ ...head, format: "x", pictures: [] }), /another program/);
  const zip = new ZipWriter();
  await zip.add("data.yaml", "");
  await assert.rejects(readProject(zip.finish()), /no project\.json/);
  const work = workOf([made(1, "cat", 1)]);
  const good = { key: "c".repeat(64), name: "c", done: false, work: { ...work, masks: [[1, { ...mask, runs: "AAk=" }], [9, mask]] } };
  const { entries, classes, over } = await packed({ ...head, pictures: [good, { key: "../x", name: "x" }, null] });
  assert.deepEqual([entries.length, entries[0].work?.masks, classes.length, over], [1, [], 1, 2]);
});
