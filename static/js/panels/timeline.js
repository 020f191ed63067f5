/**
 * The time line below a clip: playing, scrubbing by pointer and keys, and what is followed. Fetched when the first clip
 * comes.
 */

import { TimelineLayers } from "../canvas/timeline.js";
import { frameAtShare, lanesOf, middleOf } from "../model/clip.js";
import { activeObject } from "../model/state.js";
import { find, giveFocusBack, partOf, setLabel, setText } from "./dom.js";
import { timeText, t } from "../words/translate.js";

/** @import { Lane } from "../model/clip.js" */
/** @import { Store } from "../model/store.js" */
/** @import { OpenClip } from "../model/types.ts" */
/** @import { Clips } from "../session/clips.js" */
/** @import { Direction } from "../wire/messages.ts" */

/** About as wide as a thumbnail, CSS pixels, and the most of them. */
const THUMB_PX = 72;
const MAX_THUMBS = 16;
/** How many frames a key goes. @type {Record<string, number>} */
const STEPS = {
  ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity,
};

/**
 * @typedef {(clipId: string, index: number) => Promise<ImageBitmap | null>} ThumbOf a frame
 */

/** @typedef {{ of: string, bitmaps: (ImageBitmap | null)[] }} Thumbs thumbnails of a clip */

export class Timeline {
  #strip = find("clip-strip");
  #layers = new TimelineLayers(
    /** @type {HTMLCanvasElement} */ (find("clip-thumbs")), /** @type {HTMLCanvasElement} */ (find("clip-marks")),
  );
  /** What the lanes follow from, and they. @type {{ of: readonly unknown[], lanes: Lane[] }} */
  #lanes = { of: [], lanes: [] };
  /** @type {Thumbs} */
  #thumbs = { of: "", bitmaps: [] };

  /** @param {Store} store @param {Clips} clips @param {ThumbOf} thumb */
  constructor(store, clips, thumb) {
    this.store = store;
    this.state = store.state;
    this.clips = clips;
    this.thumb = thumb;
    this.#bindStrip();
    find("clip-track").addEventListener("click", () => this.trackOrStop());
    const menu = find("track-menu");
    menu.addEventListener("beforetoggle", () => this.#prepare());
    menu.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (!button) return;
      menu.hidePopover();
      this.#track(/** @type {Direction | "both"} */ (button.dataset.way));
    });
    new ResizeObserver(() => this.update()).observe(this.#strip);
  }

  /** Follow the objects that are here both ways, or stop; a file that is being made is given up first. */
  trackOrStop() {
    const { clip } = this.state;
    if (clip?.saving) void this.clips.giveUpFile();
    else if (clip?.tracking) void this.clips.stop();
    else this.#track("both");
  }

  /** @param {Direction | "both"} way */
  #track(way) {
    const only = input("track-one").checked ? this.state.active : null;
    void this.clips.track(way, input("track-fast").checked, only);
  }

  /** The menu opens: one object may be meant. */
  #prepare() {
    const object = activeObject(this.state);
    input("track-one").disabled = object === undefined;
    if (object === undefined) input("track-all").checked = true;
    setText(find("track-one-text"), object?.name ?? t("save.one"));
  }

  #bindStrip() {
    const strip = this.#strip;
    let down = false;
    /** @param {PointerEvent} event */
    const scrub = ({ clientX }) => {
      const { clip } = this.state;
      const { left, width } = strip.getBoundingClientRect();
      if (clip) void this.clips.show(frameAtShare(clip, (clientX - left) / width));
    };
    strip.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      down = true;
      strip.setPointerCapture(event.pointerId);
      scrub(event);
    });
    strip.addEventListener("pointermove", (event) => down && scrub(event));
    for (const end of ["pointerup", "pointercancel"]) strip.addEventListener(end, () => { down = false; });
    strip.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { clip } = this.state;
      const steps = STEPS[event.key];
      if (steps === undefined || clip === null) return;
      event.preventDefault();
      event.stopPropagation();
      void this.clips.step(steps);
    });
  }

  /** Bring it up to the state. */
  update() {
    const { clip, objects, active } = this.state;
    const section = find("timeline");
    document.body.classList.toggle("on-clip", clip !== null);
    if (clip === null && !section.hidden) giveFocusBack(section);
    section.hidden = clip === null;
    if (clip === null) return;
    const { shown, times, playing, tracking, saving } = clip;
    const [place, total] = [shown + 1, times.length];
    setText(find("clip-time"), timeText(times[shown]));
    setText(find("clip-frame"), t("clip.frame", { place, total }));
    this.#strip.setAttribute("aria-valuemax", String(total));
    this.#strip.setAttribute("aria-valuenow", String(place));
    this.#strip.setAttribute("aria-valuetext", t("clip.at", { place, total, time: timeText(times[shown]) }));
    find("clip-head").style.left = `${100 * middleOf(clip, shown)}%`;
    flip("clip-play", "pause", "play", playing);
    setLabel(find("clip-play"), t(playing ? "clip.pause" : "command.play"));
    const isBusy = tracking !== null || saving !== null;
    flip("clip-track", "stop", "track", isBusy);
    setText(find("clip-track-text"), t(saving ? "clip.stopFile" : tracking ? "track.stop" : "command.track"));
    /** @type {HTMLButtonElement} */ (find("clip-track")).disabled = !isBusy && objects.size === 0;
    const bar = /** @type {HTMLProgressElement} */ (find("track-progress"));
    bar.hidden = !isBusy;
    setLabel(bar, t(saving ? "make.bar" : "track.bar"));
    const fraction = saving ? saving.fraction : (tracking?.done ?? 0) / (tracking?.frames || Infinity);
    if (fraction > 0) bar.value = fraction;
    else bar.removeAttribute("value");
    this.#draw(clip, active);
  }

  /** @param {OpenClip} clip @param {number | null} active */
  #draw(clip, active) {
    const { objects } = this.state;
    const of = [clip.masks, clip.times, ...[...objects.values()].flatMap(({ id, color, trail }) => [id, color, trail])];
    const same = of.length === this.#lanes.of.length && of.every((one, i) => one === this.#lanes.of[i]);
    if (!same) this.#lanes = { of, lanes: lanesOf(objects, clip) };
    this.#layers.drawMarks(clip, this.#lanes.lanes, active);
    this.#thumbsOf(clip);
    this.#layers.drawThumbs(this.#thumbs.bitmaps);
  }

  /** Have as many thumbnails as there is room for. @param {OpenClip} clip */
  #thumbsOf(clip) {
    const count = Math.max(1, Math.min(MAX_THUMBS, clip.times.length, Math.round(this.#strip.clientWidth / THUMB_PX)));
    const of = `${clip.id} ${count}`;
    if (of === this.#thumbs.of) return;
    for (const bitmap of this.#thumbs.bitmaps) bitmap?.close();
    const thumbs = { of, bitmaps: Array.from({ length: count }, () => /** @type {ImageBitmap | null} */ (null)) };
    this.#thumbs = thumbs;
    void this.#fetch(clip, thumbs);
  }

  /** One after the other: nobody waits for them. @param {OpenClip} clip @param {Thumbs} thumbs */
  async #fetch(clip, thumbs) {
    for (const place of thumbs.bitmaps.keys()) {
      const frame = frameAtShare(clip, (place + 0.5) / thumbs.bitmaps.length);
      const bitmap = await this.thumb(clip.id, frame).catch(() => null);
      if (thumbs !== this.#thumbs) return bitmap?.close();
      thumbs.bitmaps = thumbs.bitmaps.with(place, bitmap);
      this.#layers.drawThumbs(thumbs.bitmaps);
    }
  }
}

/** @param {string} id @returns {HTMLInputElement} */
function input(id) {
  return /** @type {HTMLInputElement} */ (find(id));
}

/** Show one of a button's two signs. @param {string} id @param {string} on @param {string} off @param {boolean} isOn */
function flip(id, on, off, isOn) {
  partOf(find(id), on).hidden = !isOn;
  partOf(find(id), off).hidden = isOn;
}
