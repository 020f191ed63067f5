/** Where bitmaps of masks go while the view moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { around } from "../../static/js/canvas/shots.js";

const SCREEN = { width: 100, height: 80 };

/** @param {{ x: number, y: number, width: number, height: number }} rect */
const area = ({ width, height }) => width * height;

test("what lies around a rectangle covers the rest of the screen, and no place of it twice", () => {
  for (const hole of [
    { x: 10, y: 20, width: 50, height: 30 }, { x: -30, y: -10, width: 100, height: 80 }, { x: 40, y: 30, width: 100, height: 80 },
    { x: -10, y: -10, width: 200, height: 200 }, { x: 300, y: 0, width: 10, height: 10 }, { x: 0, y: 0, width: 0, height: 0 },
  ]) {
    const parts = around(hole, SCREEN);
    const seen = {
      width: Math.max(0, Math.min(100, hole.x + hole.width) - Math.max(0, hole.x)),
      height: Math.max(0, Math.min(80, hole.y + hole.height) - Math.max(0, hole.y)),
    };
    assert.equal(parts.reduce((sum, part) => sum + area(part), 0) + area({ ...hole, ...seen }), 100 * 80, JSON.stringify(hole));
    for (const part of parts) assert.ok(part.x >= 0 && part.y >= 0 && part.x + part.width <= 100 && part.y + part.height <= 80);
  }
});
