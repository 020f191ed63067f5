import assert from "node:assert/strict";
import { test } from "node:test";
import "./english.js";
import { answer, createHoverFlow, forget, LOST_AFTER_MS, retire, take, want } from "../../static/js/wire/hovers.js";

/** @param {number} x @returns {import("../../static/js/wire/hovers.js").Wanted} */
const at = (x) => ({ x, y: 0, label: 1 });

/** A flow with hovers 1 and 2 on the way. */
function busyFlow() {
  const flow = createHoverFlow();
  want(flow, at(1));
  take(flow, 1, 0);
  want(flow, at(2));
  take(flow, 2, 0);
  return flow;
}

test("two hovers go out, a third waits", () => {
  const flow = busyFlow();
  want(flow, at(3));
  assert.equal(take(flow, 3, 0), null);
});

test("the newest hover wins while two are on the way", () => {
  const flow = busyFlow();
  want(flow, at(3));
  want(flow, at(4));
  assert.equal(answer(flow, 1), true);
  assert.equal(take(flow, 3, 0)?.x, 4);
  assert.equal(take(flow, 4, 0), null);
});

test("a reply retires the hovers that it overtook", () => {
  const flow = busyFlow();
  assert.equal(answer(flow, 2), true);
  assert.deepEqual(flow.inFlight, []);
});

test("a preview older than one that was painted is stale", () => {
  const flow = busyFlow();
  assert.equal(answer(flow, 2), true);
  assert.equal(answer(flow, 1), false);
});

test("nothing asked before the pointer left is painted", () => {
  const flow = busyFlow();
  want(flow, at(3));
  forget(flow, 2);
  assert.equal(answer(flow, 2), false);
  assert.equal(take(flow, 3, 0), null);
});

test("a hover without a reply stops counting after a while", () => {
  const flow = busyFlow();
  want(flow, at(3));
  assert.equal(take(flow, 3, LOST_AFTER_MS - 1), null);
  assert.equal(take(flow, 3, LOST_AFTER_MS)?.x, 3);
});

test("an error makes room for the next hover", () => {
  const flow = busyFlow();
  retire(flow, 1);
  want(flow, at(3));
  assert.equal(take(flow, 3, 0)?.x, 3);
});
