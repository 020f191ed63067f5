/**
 * Pictures at half their size, in strips: a browser scales a bitmap in the page's own thread, in one go, and for twelve
 * million pixels that is as long as a key should ever wait.
 */

/** So many pixels are scaled in one task. */
const STRIP_PIXELS = 2 ** 20;

/** Let whatever waits go first. @returns {Promise<void>} */
function others() {
  return new Promise((resolve) => { setTimeout(resolve); });
}

/**
 * Return a picture at half its size, rounded up.
 * @param {ImageBitmap} bitmap
 * @param {() => boolean} isWanted
 * @returns {Promise<ImageBitmap | null>} null where it isn't wanted any more
 */
export async function halved(bitmap, isWanted) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(Math.ceil(width / 2), Math.ceil(height / 2));
  const context = canvas.getContext("2d");
  const rows = 2 * Math.max(1, Math.round(STRIP_PIXELS / width / 2)); // even, so that no seam shows
  for (let top = 0; top < height; top += rows) {
    await others();
    if (!isWanted()) return null;
    const tall = Math.min(rows, height - top);
    const size = { resizeWidth: canvas.width, resizeHeight: Math.ceil(tall / 2) };
    const strip = await createImageBitmap(bitmap, 0, top, width, tall, { ...size, resizeQuality: "medium" });
    context?.drawImage(strip, 0, top / 2);
    strip.close();
  }
  await others();
  return isWanted() ? canvas.transferToImageBitmap() : null;
}

/**
 * Return a picture halved until it is less than twice as high as asked for.
 * @param {ImageBitmap} bitmap closed, unless it is the one that is returned
 * @param {number} height
 * @returns {Promise<ImageBitmap>}
 */
export async function shrunk(bitmap, height) {
  while (bitmap.height >= 2 * height) {
    const half = /** @type {ImageBitmap} */ (await halved(bitmap, () => true));
    bitmap.close();
    bitmap = half;
  }
  return bitmap;
}
