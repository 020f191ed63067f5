/**
 * SHA-256 of a file, where the browser offers none: it does so on https and on this machine only. Fetched when it is
 * first wanted. Pure.
 */

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of 8. */
const [K, START] = constants();

/** @returns {[Uint32Array, Uint32Array]} */
function constants() {
  /** @type {number[]} */
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const part = (/** @type {number} */ root) => Math.floor((root - Math.floor(root)) * 2 ** 32);
  const roots = (/** @type {number} */ count, /** @type {(n: number) => number} */ root) => Uint32Array.from(
    primes.slice(0, count), (prime) => part(root(prime)),
  );
  return [roots(64, Math.cbrt), roots(8, Math.sqrt)];
}

/** @param {Uint8Array} bytes @returns {Uint8Array} 32 bytes */
export function sha256(bytes) {
  const tail = bytes.length % 64;
  const end = new Uint8Array(tail < 56 ? 64 : 128);
  end.set(bytes.subarray(bytes.length - tail));
  end[tail] = 0x80;
  const view = new DataView(end.buffer);
  view.setUint32(end.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(end.length - 4, (bytes.length * 8) % 2 ** 32);
  const sums = START.slice();
  const words = new Uint32Array(64);
  for (let at = 0; at + 64 <= bytes.length; at += 64) block(sums, words, bytes, at);
  for (let at = 0; at < end.length; at += 64) block(sums, words, end, at);
  const digest = new DataView(new ArrayBuffer(32));
  for (const [n, word] of sums.entries()) digest.setUint32(4 * n, word);
  return new Uint8Array(digest.buffer);
}

/** @param {Uint32Array} sums @param {Uint32Array} words @param {Uint8Array} bytes @param {number} at */
function block(sums, words, bytes, at) {
  for (let n = 0; n < 16; n += 1, at += 4) {
    words[n] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let n = 16; n < 64; n += 1) {
    const [x, y] = [words[n - 15], words[n - 2]];
    const one = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const other = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[n] = words[n - 16] + one + words[n - 7] + other;
  }
  let [a, b, c, d, e, f, g, h] = sums;
  for (let n = 0; n < 64; n += 1) {
    const one = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + one + ((e & f) ^ (~e & g)) + K[n] + words[n]) | 0;
    const other = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (other + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [n, value] of [a, b, c, d, e, f, g, h].entries()) sums[n] += value;
}
