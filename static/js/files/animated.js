/**
 * Whether a picture moves: it may be worked on as a picture, its first frame, or as a clip. Fetched when a file comes
 * that may. Pure.
 */

/** Of a PNG, that its animation is announced in. */
const HEAD_BYTES = 2 ** 16;
const [EXTENSION, PICTURE, TRAILER] = [0x21, 0x2c, 0x3b];

/** @param {Blob} file @returns {Promise<boolean>} it has more than one frame */
export async function moves(file) {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  /** @param {number} at @param {number} length */
  const text = (at, length) => String.fromCharCode(...head.subarray(at, at + length));
  if (text(0, 3) === "GIF") return framesInGif(new Uint8Array(await file.arrayBuffer())) > 1;
  if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") return text(12, 4) === "VP8X" && (head[20] & 2) !== 0;
  return text(1, 3) === "PNG" && isAnimatedPng(head, text);
}

/** @param {Uint8Array} head @param {(at: number, length: number) => string} text */
function isAnimatedPng(head, text) {
  const view = new DataView(head.buffer);
  for (let at = 8; at + 12 <= head.length; at += 12 + view.getUint32(at)) {
    const name = text(at + 4, 4);
    if (name === "acTL") return true;
    if (name === "IDAT") return false; // it would have come before
  }
  return false;
}

/** @param {Uint8Array} bytes of a GIF @returns {number} frames, of which no more than two are counted */
export function framesInGif(bytes) {
  const table = (/** @type {number} */ flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let count = 0;
  let at = 13 + table(bytes[10]);
  while (at < bytes.length && count < 2 && bytes[at] !== TRAILER) {
    const kind = bytes[at];
    if (kind === PICTURE) {
      count += 1;
      at += 11 + table(bytes[at + 9]);
    } else if (kind === EXTENSION) at += 2;
    else return count;
    while (bytes[at] > 0) at += bytes[at] + 1; // the blocks of it
    at += 1;
  }
  return count;
}
