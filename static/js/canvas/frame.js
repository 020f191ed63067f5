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
 * @property {(() => void)[]} panels bring what lies around the picture up to the state
 */

export class Frame {
  #pending = false;
  #ground = 0;
  /** What the panels depend on, as they were shown last: a picture that is only moved leaves it as it is. */
  #shown = "";
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
    const began = performance.now();
    renderer.draw(state, stage.scene, look);
    if (state.preview) {
      latency.add("paint", performance.now() - began);
      studio.painted(state.preview.seq);
    }
    const shown = JSON.stringify([store.version, stage.scene.viewport.scale, look]);
    if (shown !== this.#shown) for (const show of panels) show();
    this.#shown = shown;
    studio.pump();
  }
}
