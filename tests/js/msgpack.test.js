import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decode, encode, MsgpackError } from "../../static/js/wire/msgpack.js";

/** @param {string} hex */
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
/** @param {Uint8Array} raw */
const hex = (raw) => Buffer.from(raw).toString("hex");

/** Plain objects for the maps without a prototype that `decode` makes. @param {unknown} value @returns {unknown} */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const GOLDEN = /** @type {const} */ ([
  [null, "c0"], [false, "c2"], [true, "c3"],
  [0, "00"], [127, "7f"], [128, "cc80"], [255, "ccff"], [256, "cd0100"], [65535, "cdffff"], [65536, "ce00010000"],
  [4294967295, "ceffffffff"], [4294967296, "cf0000000100000000"], [2 ** 53 - 1, "cf001fffffffffffff"],
  [-1, "ff"], [-32, "e0"], [-33, "d0df"], [-128, "d080"], [-129, "d1ff7f"], [-32769, "d2ffff7fff"],
  [-2147483649, "d3ffffffff7fffffff"],
  [0.5, "cb3fe0000000000000"],
  ["", "a0"], ["ä", "a2c3a4"], ["x".repeat(32), `d920${"78".repeat(32)}`],
  [Uint8Array.of(0, 3, 1), "c403000301"],
  [[1, "a"], "9201a161"],
  [{ t: "ping", at: 5 }, "82a174a470696e67a2617405"],
]);

for (const [value, expected] of GOLDEN) {
  test(`${JSON.stringify(value).slice(0, 40)} has the golden bytes and comes back`, () => {
    assert.equal(hex(encode(value)), expected);
    assert.deepEqual(plain(decode(bytes(expected))), value);
  });
}

test("long strings, bins, arrays and maps come back", () => {
  const value = {
    text: "é".repeat(40000),
    bin: new Uint8Array(70000).map((_, i) => i % 251),
    array: Array.from({ length: 70000 }, (_, i) => i),
    map: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, -i])),
  };
  assert.deepEqual(plain(decode(encode(value))), value);
});

test("float32 is read", () => {
  assert.equal(decode(bytes("ca3f000000")), 0.5);
});

test("fields that are undefined are left out", () => {
  assert.equal(hex(encode({ a: undefined, b: 1 })), "81a16201");
});

test("a key of __proto__ is an ordinary key", () => {
  const value = /** @type {object} */ (decode(bytes("81a95f5f70726f746f5f5f01")));
  assert.deepEqual(Object.keys(value), ["__proto__"]);
  assert.equal(/** @type {any} */ ({}).polluted, undefined);
});

for (const [name, raw] of [
  ["nothing", ""], ["a cut string", "a3616"], ["a cut integer", "cd01"], ["an array longer than its bytes", "ddffffffff"],
  ["a map longer than its bytes", "dfffffffff"], ["a bin longer than its bytes", "c6ffffffff"], ["something after the value", "0000"],
  ["an extension type", "d40100"], ["a key that is a number", "810101"], ["text that isn't UTF-8", "a1ff"],
  ["an integer beyond 2^53", "cf0020000000000000"], ["arrays nested too deep", `${"91".repeat(40)}00`],
]) {
  test(`${name} is refused`, () => {
    assert.throws(() => decode(bytes(raw ?? "")), MsgpackError);
  });
}

test("a function can't be written", () => {
  assert.throws(() => encode({ f: () => 0 }), MsgpackError);
});

const messages = JSON.parse(readFileSync(new URL("../golden/messages.json", import.meta.url), "utf8"));
/** @param {unknown} value @returns {unknown} JSON with `{"$bin": hex}` for bytes */
function withBins(value) {
  if (Array.isArray(value)) return value.map(withBins);
  if (value === null || typeof value !== "object") return value;
  if ("$bin" in value) return bytes(String(value.$bin));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBins(item)]));
}

for (const { name, message, hex: expected } of messages) {
  test(`the server's golden message is read: ${name}`, () => {
    assert.deepEqual(plain(decode(bytes(expected))), withBins(message));
  });
}
