import assert from "node:assert/strict";
import { test } from "node:test";
import { atRank, bySize, nextInSize, rankOf } from "../../static/js/model/candidates.js";
import { difference, onGrid } from "../../static/js/model/difference.js";
import { outlineCells } from "../../static/js/model/masks.js";
import { fromRows, maskOfArea } from "./values.js";

const MASKS = [maskOfArea(30), maskOfArea(10), maskOfArea(20)];

test("candidates go from the part to the whole", () => {
  assert.deepEqual(bySize(MASKS), [1, 2, 0]);
  assert.equal(rankOf(MASKS, 0), 2);
});

test("the next in size comes around after the last", () => {
  assert.equal(nextInSize(MASKS, 1, 1), 2);
  assert.equal(nextInSize(MASKS, 0, 1), 1);
  assert.equal(nextInSize(MASKS, 1, -1), 0);
});

test("a rank that isn't there shows the best one", () => {
  assert.equal(atRank(MASKS, 0, 2), 1);
  assert.equal(atRank(MASKS, null, 2), 2);
  assert.equal(atRank([maskOfArea(5)], 2, 0), 0);
});

/** @param {{ width: number, height: number, alpha: Uint8Array }} cells */
const lines = ({ width, height, alpha }) =>
  Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => (alpha[y * width + x] ? "1" : "0")).join(""));

test("a difference tells what a refining click would add and remove", () => {
  const before = fromRows(["111000", "111000", "110000", "110000"]);
  const after = fromRows(["001111", "001111", "000000", "000000"]);
  const { added, removed } = difference(after, before, { width: 6, height: 4 });
  assert.deepEqual(lines(added), ["000111", "000111", "000000", "000000"]);
  assert.deepEqual(lines(removed), ["110000", "110000", "110000", "110000"]);
});

test("slivers of one cell, which two grids always disagree on, are left out", () => {
  const { added } = difference(fromRows(["1111", "1110", "1110"]), fromRows(["1110", "1100", "1100"]), { width: 4, height: 3 });
  assert.deepEqual(outlineCells(added), []);
});

test("a mask is sampled on a coarser and on a finer grid", () => {
  const mask = fromRows(["0011", "0011", "0000", "0000"]);
  const image = { width: 4, height: 4 };
  const grid = (/** @type {[number, number]} */ size) => ({ ...mask, size });
  assert.deepEqual([...onGrid(mask, grid([2, 2]), image)], [0, 255, 0, 0]);
  assert.equal(onGrid(mask, grid([8, 8]), image).filter(Boolean).length, 16);
  assert.deepEqual([...onGrid(mask, { ...grid([2, 2]), window: [2, 1, 4, 3] }, image)], [255, 255, 0, 0]);
  assert.deepEqual([...onGrid({ ...mask, window: [2, 2, 4, 4] }, grid([4, 4]), image)].flatMap((on, i) => (on ? [i] : [])), [11]);
});
