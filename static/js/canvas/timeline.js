/**
 * Draws the time line of a clip: its frames, small, and where each object was prompted and followed. Fetched when the
 * first clip comes. Decides nothing.
 */

import { Layer } from "./layers.js";
import { drawDot } from "./marks.js";
import { middleOf, shareOf } from "../model/clip.js";
import { colorOf } from "../model/palette.js";

/** @import { Lane } from "../model/clip.js" */
/** @import { OpenClip } from "../model/types.ts" */

/** CSS pixels: between two lanes, the highest lane, from the lanes to the edge, and the half of a prompt's mark. */
const GAP_PX = 2;
const LANE_PX = 6;
const EDGE_PX = 4;
const DOT_PX = 3.5;
/** Behind the lanes, so that their colours are seen on every picture. */
const SHADE = "#0b0d11b8";

export class TimelineLayers {
  /** @param {HTMLCanvasElement} thumbs @param {HTMLCanvasElement} marks */
  constructor(thumbs, marks) {
    this.thumbs = new Layer(thumbs);
    this.marks = new Layer(marks);
  }

  /** @param {readonly (ImageBitmap | null)[]} bitmaps side by side; null for one that isn't here yet */
  drawThumbs(bitmaps) {
    this.thumbs.draw(bitmaps, (context) => {
      const { clientWidth: width, clientHeight: height } = context.canvas;
      const across = width / bitmaps.length;
      context.imageSmoothingQuality = "high";
      for (const [place, bitmap] of bitmaps.entries()) {
        if (!bitmap) continue;
        const scale = Math.max(across / bitmap.width, height / bitmap.height);
        const [w, h] = [across / scale, height / scale];
        const [x, y] = [(bitmap.width - w) / 2, (bitmap.height - h) / 2];
        context.drawImage(bitmap, x, y, w, h, place * across, 0, across, height);
      }
    });
  }

  /** @param {OpenClip} clip @param {readonly Lane[]} lanes @param {number | null} active object */
  drawMarks(clip, lanes, active) {
    this.marks.draw([clip.times, lanes, active], (context) => {
      if (lanes.length === 0) return;
      const { clientWidth: width, clientHeight: height } = context.canvas;
      const room = 0.6 * height;
      const lane = Math.min(LANE_PX, (room - 2 * EDGE_PX) / lanes.length - GAP_PX);
      const top = height - EDGE_PX - lanes.length * (lane + GAP_PX);
      context.fillStyle = SHADE;
      context.fillRect(0, top - EDGE_PX, width, height - top + EDGE_PX);
      for (const [place, { id, color, prompts, stretches }] of lanes.entries()) {
        const y = top + place * (lane + GAP_PX);
        context.fillStyle = colorOf(color);
        context.globalAlpha = active === null || active === id ? 1 : 0.6;
        for (const { begin, end } of stretches) {
          const x = width * shareOf(clip, begin);
          context.fillRect(x, y, Math.max(2, width * shareOf(clip, end) - x), lane);
        }
        context.globalAlpha = 1;
        for (const frame of prompts) {
          const at = { x: width * middleOf(clip, frame), y: y + lane / 2 };
          drawDot(context, at, Math.min(DOT_PX, lane), colorOf(color), 1);
        }
      }
    });
  }
}
