/**
 * One frame for all that changed: however often one is asked for, the page is brought up to the state once.
 */

/** @import { Latency } from "../model/latency.js" */
/** @import { Store } from "../model/store.js" */
/** @import { Studio } from "../session/studio.js" */
/** @import { Renderer } from "./render.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Look } from "./types.ts" */

/**
 * @typedef {object} Parts
 * @property {Store} store
 * @property {Studio} studio
 * @property {Stage} stage
 * @property {Renderer} renderer
 * @property {Look} look of the masks
 * @property {Latency} latency
 * @property {() => void} keep puts the work away, since there is more of it
 * @property {Panel[]} panels what lies around the picture
 */
/**
 * @typedef {object} Panel
 * @property {() => unknown[]} of what it depends on, compared by identity
 * @property {() => void} show brings it up to that
 */

export class Frame {
  #pending = false;
  #ground = 0;
  /** What each panel depends on, as it was shown last. @type {unknown[][]} */
  #shown = [];
  /** @type {Parts | null} */
  #parts = null;

  /** Draw from now on. @param {Parts} parts */
  begin(parts) {
    this.#parts = parts;
    this.ask();
  }

  /** Something changed. */
  ask() {
    if (this.#pending || this.#parts === null) return;
    this.#pending = true;
    const parts = this.#parts;
    requestAnimationFrame(() => this.#draw(parts));
  }

  /** @param {Parts} parts */
  #draw({ store, studio, stage, renderer, look, latency, keep, panels }) {
    const { state } = store;
    this.#pending = false;
    stage.follow();
    if (state.ground !== this.#ground) {
      // The pointer may rest on something else than before, and there is new work to keep.
      this.#ground = state.ground;
      keep();
      stage.rehover();
    }
    studio.looking.see(stage.scene.viewport, stage.size);
    const began = performance.now();
    renderer.draw(state, stage.scene, look);
    if (state.preview) {
      latency.add("paint", performance.now() - began);
      studio.painted(state.preview.seq);
    }
    for (const [i, panel] of panels.entries()) this.#show(i, panel);
    studio.pump();
  }

  /**
   * Show a panel, where what it depends on is another: a picture that is moved leaves a list as it is.
   * @param {number} i @param {Panel} panel
   */
  #show(i, { of, show }) {
    const now = of();
    const last = this.#shown[i];
    this.#shown[i] = now;
    if (last === undefined || now.some((one, n) => !Object.is(one, last[n]))) show();
  }
}
