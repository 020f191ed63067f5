import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { covers, decodeMask, outline, outlineCells, readVarints, thinned } from "../../static/js/model/masks.js";

/** @typedef {import("../../static/js/wire/messages.ts").Mask} Mask */

/** @param {string} hex @param {[number, number]} size @param {[number, number, number, number]} box @returns {Mask} */
const mask = (hex, size, box) => ({ size, box, runs: Uint8Array.from(Buffer.from(hex, "hex")), score: 1, area: 0 });

/** The whole grid as rows of 0 and 1. @param {Mask} m */
function rows(m) {
  const [h, w] = m.size;
  const { width, alpha } = decodeMask(m);
  return Array.from({ length: h }, (_, y) => Array.from({ length: w }, (_, x) => {
    const inside = x >= m.box[0] && x < m.box[2] && y >= m.box[1] && y < m.box[3];
    return inside && alpha[(y - m.box[1]) * width + (x - m.box[0])] ? "1" : "0";
  }).join(""));
}

/** The mask of rows, cropped to the whole grid. @param {string[]} lines */
function fromRows(lines) {
  const flat = lines.join("");
  const runs = [];
  let value = "0";
  for (let i = 0; i < flat.length;) {
    let run = 0;
    while (flat[i + run] === value) run += 1;
    runs.push(run);
    i += run;
    value = value === "0" ? "1" : "0";
  }
  return mask(Buffer.from(runs).toString("hex"), [lines.length, lines[0]?.length ?? 0], [0, 0, lines[0]?.length ?? 0, lines.length]);
}

test("the protocol document's example is 0110 / 0100 / 0000", () => {
  assert.deepEqual(rows(mask("000301", [3, 4], [1, 0, 3, 2])), ["0110", "0100", "0000"]);
});

for (const { name, rows: expected, runs, size, box } of JSON.parse(readFileSync(new URL("../golden/masks.json", import.meta.url), "utf8"))) {
  test(`the server's golden mask is read: ${name}`, () => {
    assert.deepEqual(rows(mask(runs, size, box)), expected);
  });
}

test("varints of several bytes are read", () => {
  assert.deepEqual(readVarints(Uint8Array.of(0x80, 0x01, 0xac, 0x02, 0)), [128, 300, 0]);
});

for (const [name, bad] of /** @type {[string, Mask][]} */ ([
  ["run lengths that are too short", mask("0002", [3, 4], [1, 0, 3, 2])],
  ["run lengths that are too long", mask("0009", [3, 4], [1, 0, 3, 2])],
  ["a varint that is cut", mask("0083", [3, 4], [1, 0, 3, 2])],
  ["a varint without end", mask("ffffffffffff00", [3, 4], [1, 0, 3, 2])],
  ["a crop that leaves the grid", mask("0004", [3, 4], [1, 0, 5, 1])],
  ["a grid beyond the protocol's size", mask("", [9000, 4], [0, 0, 0, 0])],
])) {
  test(`${name}: refused`, () => {
    assert.throws(() => decodeMask(bad), RangeError);
  });
}

test("covers scales the grid over the image", () => {
  const m = mask("000301", [3, 4], [1, 0, 3, 2]);
  const image = { width: 400, height: 300 };
  assert.equal(covers(m, image, 150, 50), true);
  assert.equal(covers(m, image, 250, 150), false);
  assert.equal(covers(m, image, 50, 50), false);
  assert.equal(covers(m, image, 400, 300), false);
});

test("an empty mask has no outline and covers nothing", () => {
  const empty = mask("", [3, 4], [0, 0, 0, 0]);
  assert.deepEqual(outline(empty), []);
  assert.equal(covers(empty, { width: 4, height: 3 }, 0, 0), false);
});

test("one cell becomes a diamond around its middle", () => {
  assert.deepEqual(outline(fromRows(["000", "010", "000"])), [[1.5, 1, 2, 1.5, 1.5, 2, 1, 1.5]]);
});

test("a hole is a loop of its own", () => {
  assert.equal(outline(fromRows(["111", "101", "111"])).length, 2);
});

test("cells that touch at a corner are kept apart", () => {
  assert.equal(outline(fromRows(["10", "01"])).length, 2);
  assert.equal(outline(fromRows(["01", "10"])).length, 2);
});

test("a straight edge gets no points between its corners", () => {
  const [loop] = outline(fromRows(["11111111", "11111111"]));
  assert.ok((loop?.length ?? 99) / 2 <= 8);
});

/** Even-odd hit test on the loops. @param {number[][]} loops @param {number} x @param {number} y */
function inside(loops, x, y) {
  let crossings = 0;
  for (const loop of loops) {
    for (let i = 0; i < loop.length; i += 2) {
      const [x0, y0] = [loop[i] ?? 0, loop[i + 1] ?? 0];
      const [x1, y1] = [loop[(i + 2) % loop.length] ?? 0, loop[(i + 3) % loop.length] ?? 0];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) crossings += 1;
    }
  }
  return crossings % 2 === 1;
}

test("the loops enclose the middles of exactly the foreground cells, on 200 random masks", () => {
  let seed = 7;
  const random = () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648; };
  for (let round = 0; round < 200; round += 1) {
    const lines = Array.from({ length: 9 }, () => Array.from({ length: 11 }, () => (random() < 0.5 ? "1" : "0")).join(""));
    const loops = outline(fromRows(lines));
    // A hair off the middle, where a cut corner's vertex may lie on the very ray.
    const seen = lines.map((line, y) => [...line].map((_, x) => (inside(loops, x + 0.5, y + 0.5001) ? "1" : "0")).join(""));
    assert.deepEqual(seen, lines);
  }
});

test("thinned loops keep points apart, stay where they were, and leave out what nobody sees", () => {
  const disc = Uint8Array.from({ length: 3600 }, (_, i) => Number(Math.hypot((i % 60) - 30, Math.floor(i / 60) - 30) < 25));
  const loops = outlineCells({ left: 0, top: 0, width: 60, height: 60, alpha: disc });
  const [thin] = thinned(loops, 4);
  assert.ok(thin.length < loops[0].length / 2, `${thin.length} of ${loops[0].length}`);
  for (let i = 0; i < thin.length; i += 2) {
    const [x, y] = [thin[i], thin[i + 1]];
    assert.ok(loops[0].some((value, n) => n % 2 === 0 && value === x && loops[0][n + 1] === y));
    if (i > 0) assert.ok(Math.hypot(x - thin[i - 2], y - thin[i - 1]) >= 4);
  }
  assert.deepEqual(thinned(outline(fromRows(["000", "010", "000"])), 4), []);
});
