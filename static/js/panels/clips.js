/**
 * All that clips need, put together; fetched when the first one comes.
 */

import { packed, uploadClip } from "../files/clips.js";
import { Frames } from "../files/frames.js";
import { Clips } from "../session/clips.js";
import { choosePart } from "./clip-part.js";
import { Timeline } from "./timeline.js";

/** @import { AlbumStorage } from "../files/album-storage.js" */
/** @import { Store } from "../model/store.js" */
/** @import { ClipFacts, Picture, PictureFacts, View, Work } from "../model/types.ts" */
/** @import { Outside } from "../session/types.ts" */
/** @import { Studio } from "../session/studio.js" */

/** Twice the height of a cell of the time line or the filmstrip, for sharp screens. */
const THUMB_PX = 112;

/**
 * @typedef {object} ClipsPage
 * @property {() => void} update brings the time line up to the state
 * @property {() => void} trackOrStop
 * @property {(file: Blob, name: string, clip: ClipFacts, work: Work | null) => Promise<Picture>} read
 * @property {Outside["upload"]} upload
 * @property {(facts: PictureFacts) => Promise<View>} view
 * @property {(frames: readonly { file: Blob, name: string }[]) => Promise<Blob>} packed
 */

/**
 * @param {Store} store @param {Studio} studio
 * @param {{ url: string, storage: AlbumStorage, thumbed: (key: string) => void }} outside
 * @returns {ClipsPage}
 */
export function gatherClips(store, studio, { url, storage, thumbed }) {
  const frames = new Frames(url, () => store.state.picture?.bitmap ?? null);
  studio.takeClips((parts) => new Clips(parts, {
    held: (id, index) => frames.held(id, index),
    read: (id, index) => frames.read(id, index),
    ahead: (id, index) => frames.ahead(id, index),
    now: () => performance.now(),
    next: (callback) => void requestAnimationFrame(callback),
  }));
  const clips = /** @type {Clips} */ (studio.clips);
  /** @type {Set<string>} those of the album that have a thumbnail */
  const thumbs = new Set();
  const timeline = new Timeline(store, clips, (id, index) => smallFrame(`${url}/${id}/frames/${index}`));

  /** The filmstrip shows the first frame that was seen. */
  async function keepThumb() {
    const { picture, clip } = store.state;
    if (clip === null || !picture?.bitmap || !picture.key || thumbs.has(picture.key)) return;
    thumbs.add(picture.key);
    await storage.putThumb(picture.key, await webpOf(picture.bitmap));
    thumbed(picture.key);
  }

  return {
    packed,
    trackOrStop: () => timeline.trackOrStop(),
    update() {
      timeline.update();
      void keepThumb().catch(() => {}); // the cell stays bare
    },
    upload: (picture, onFraction, signal) => uploadClip(url, picture, {
      onFraction, signal, choose: (length) => choosePart(picture.name, length),
    }),
    view: async ({ imageId, frame = 0 }) => ({ bitmap: await frames.read(imageId, frame), orientation: 1 }),
    async read(file, name, clip, work) {
      const { width = 0, height = 0 } = work?.recipe ?? {};
      const bitmap = clip.id && work ? await frames.read(clip.id, work.frame ?? 0).catch(() => null) : null;
      return { file, name, bitmap, width, height, clip, orientation: 1 };
    },
  };
}

/** @param {string} url of a frame @returns {Promise<ImageBitmap | null>} */
async function smallFrame(url) {
  const response = await fetch(url, { priority: "low" });
  if (!response.ok) return null;
  return createImageBitmap(await response.blob(), { resizeHeight: THUMB_PX, resizeQuality: "medium" });
}

/** A thumbnail for the filmstrip. @param {ImageBitmap} bitmap @returns {Promise<Blob>} */
async function webpOf(bitmap) {
  const width = Math.max(1, Math.round((bitmap.width * THUMB_PX) / bitmap.height));
  const canvas = new OffscreenCanvas(width, THUMB_PX);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, width, THUMB_PX);
  return canvas.convertToBlob({ type: "image/webp", quality: 0.7 });
}
