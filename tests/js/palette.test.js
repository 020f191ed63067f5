import assert from "node:assert/strict";
import { test } from "node:test";
import { colorOf, PALETTE, withAlpha } from "../../static/js/model/palette.js";

// Linear RGB seen by eyes without one kind of cone (Viénot, Brettel and Mollon 1999, after Machado 2009, severity 1).
const EYES = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** @param {string} hex @returns {number[]} linear */
function linear(hex) {
  return [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
}

/** @param {number[]} rgb linear @returns {number[]} CIELAB */
function lab(rgb) {
  const xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]].map((row) =>
    row.reduce((sum, weight, i) => sum + weight * Math.min(1, Math.max(0, rgb[i] ?? 0)), 0));
  const [x = 0, y = 0, z = 0] = xyz.map((value, i) => {
    const t = value / ([0.9505, 1, 1.089][i] ?? 1);
    return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

for (const [eyes, matrix] of Object.entries(EYES)) {
  test(`colours of two objects stay apart: ${eyes}`, () => {
    const seen = PALETTE.map((hex) => lab(matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * (linear(hex)[i] ?? 0), 0))));
    for (let i = 0; i < seen.length; i += 1) {
      for (let j = 0; j < i; j += 1) {
        const apart = Math.hypot(...(seen[i] ?? []).map((value, k) => value - (seen[j]?.[k] ?? 0)));
        assert.ok(apart > 10, `${PALETTE[i]} and ${PALETTE[j]} are ${apart.toFixed(1)} apart`);
      }
    }
  });
}

test("there are eight colours at least, and they come around", () => {
  assert.ok(PALETTE.length >= 8);
  assert.equal(new Set(PALETTE).size, PALETTE.length);
  assert.equal(colorOf(PALETTE.length), colorOf(0));
  assert.match(colorOf(-1), /^#[0-9a-f]{6}$/);
});

test("alpha is written as two digits", () => {
  assert.equal(withAlpha("#102030", 0.5), "#10203080");
  assert.equal(withAlpha("#102030", 0), "#10203000");
});
