import assert from "node:assert/strict";
import { test } from "node:test";
import { Steps } from "../../static/js/steps.js";

test("a step is taken back alone, tied ones with what they belong to, and come again in the same way", () => {
  const steps = new Steps();
  steps.did();
  steps.did();
  steps.tie();
  for (let i = 0; i < 4; i += 1) steps.did();
  steps.tie(3);
  steps.did();
  assert.deepEqual([steps.back(), steps.back(), steps.back()], [1, 4, 2]);
  assert.deepEqual([steps.forth(), steps.forth(), steps.forth()], [2, 4, 1]);
});

test("steps that nobody saw being made are taken one at a time", () => {
  const steps = new Steps();
  assert.deepEqual([steps.back(), steps.back(), steps.forth()], [1, 1, 1]);
});

test("a new step leaves nothing to redo", () => {
  const steps = new Steps();
  steps.did();
  steps.did();
  steps.tie();
  steps.back();
  steps.did();
  assert.equal(steps.forth(), 1);
});

test("steps outlive being kept as text, and text that is none is no step", () => {
  const steps = new Steps();
  for (let i = 0; i < 5; i += 1) steps.did();
  steps.tie(2);
  steps.back();
  const again = new Steps();
  again.adopt(String(steps));
  assert.equal(again.forth(), 3);
  assert.equal(again.back(), 3);
  again.adopt("");
  assert.equal(again.back(), 1);
});
