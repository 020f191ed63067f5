/**
 * Plays a clip: shows each frame at its own time, and waits for those that aren't here yet. Touches no page element.
 */

import { frameAt } from "../model/clip.js";

/** @import { OpenClip } from "../model/types.ts" */
/** @import { ClipOutside } from "./types.ts" */

/**
 * @typedef {object} Reel
 * @property {(index: number) => boolean} held a frame's picture is here
 * @property {(index: number) => void} read a frame's picture
 * @property {(index: number) => void} show a frame whose picture is here
 */

export class Player {
  /** Which play is under way; another number ends it. */
  #turn = 0;

  /** @param {Pick<ClipOutside, "now" | "next">} outside @param {Reel} reel */
  constructor(outside, reel) {
    this.outside = outside;
    this.reel = reel;
  }

  /**
   * @param {OpenClip} clip @param {number} from frame
   * @param {() => void} ended it has come to its end
   */
  play({ times, duration }, from, ended) {
    const turn = (this.#turn += 1);
    let time = times[from];
    let shown = -1;
    let before = this.outside.now();
    const go = () => {
      if (turn !== this.#turn) return;
      const now = this.outside.now();
      const at = time + (now - before) / 1000;
      before = now;
      const index = frameAt(times, at);
      if (this.reel.held(index)) {
        time = at;
        if (index !== shown) this.reel.show(index);
        shown = index;
      } else this.reel.read(index); // the clip stands still meanwhile
      if (time >= Math.max(duration, times[times.length - 1])) {
        this.stop();
        ended();
      } else this.outside.next(go);
    };
    go();
  }

  stop() {
    this.#turn += 1;
  }
}
