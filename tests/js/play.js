/**
 * A studio whose other side is played by a test.
 */

import { setImmediate as settled } from "node:timers/promises";
import "./english.js";
import { Latency } from "../../static/js/model/latency.js";
import { Store } from "../../static/js/model/store.js";
import { Studio } from "../../static/js/session/studio.js";
import { Refused } from "../../static/js/wire/requests.js";

/** @typedef {import("../../static/js/wire/messages.ts").ServerMessage} ServerMessage */
/** @typedef {import("../../static/js/model/types.ts").Tool} Tool */

/** A mask whose cells lie elsewhere: objects that have it are in nobody's way. */
export const mask = { size: /** @type {[number, number]} */ ([1, 100]), box: /** @type {[number, number, number, number]} */ ([99, 0, 100, 1]), runs: Uint8Array.of(0, 1), score: 1, area: 100 };

/** Where x is on a picture that is seen as it is. @param {number} x @param {Tool} [tool] @returns {import("../../static/js/model/types.ts").Place} */
export const place = (x, tool = "new") => ({ point: { x, y: 1 }, tool, reach: 0.4, onTop: false });

/** Three candidates, the largest first. */
export const THREE = [300, 100, 200].map((area) => ({ ...mask, area }));

export class Play {
  store = new Store({ model: "nano" }, () => {});
  state = this.store.state;
  /** @type {any[]} */
  sent = [];
  online = true;
  uploads = 0;
  /** @type {string[]} codes with which the next uploads are refused */
  refusals = [];
  /** @type {number[]} */
  pauses = [];
  studio = new Studio(this.store, {
    line: {
      send: (message) => { if (this.online) this.sent.push(message); return this.online; },
      begin: () => this.store.connected("ready"),
      ping: () => {},
      refuse: () => false,
    },
    upload: async () => {
      const code = this.refusals.shift();
      if (code !== undefined) throw new Refused(code, `refused: ${code}`);
      return { imageId: `picture-${(this.uploads += 1)}`, width: 100, height: 80, orientation: 1, rendered: false };
    },
    view: async (_file, _facts, bitmap) => ({ bitmap, orientation: 1 }),
    engines: async () => null,
    now: () => 0,
    pause: async (attempt) => { this.pauses.push(attempt); },
    lastSeq: 0,
    reserve: () => {},
    latency: new Latency(),
  });

  /** The messages of a type. @param {string} t */
  of(t) {
    return this.sent.filter((message) => message.t === t);
  }

  /** The newest message. @returns {any} */
  get last() {
    return this.sent.at(-1);
  }

  /** Hand over a message and let what waits for it go on. @param {object} message */
  async reply(message) {
    const whole = ["image", "object", "gone"].includes(/** @type {any} */ (message).t) ? { last: true } : {};
    this.studio.receive(/** @type {ServerMessage} */ ({ ...whole, ...message }));
    await settled();
  }

  /** @param {boolean} resumed */
  async welcome(resumed) {
    await this.reply({ t: "welcome", version: 1, session: "s", token: "t", resumed, model: "nano" });
  }

  /** Open a picture, up to the server's answer. */
  async open() {
    void this.studio.open({ name: "a.png", file: new Blob(["a"]), bitmap: /** @type {any} */ ({}), width: 100, height: 80 });
    await settled();
    await this.image(this.last);
  }

  /** @param {{ seq: number, image_id: string }} open @param {boolean} [last] no object follows */
  async image({ seq, image_id }, last = true) {
    await this.reply({ t: "image", seq, image_id, width: 100, height: 80, model: "nano", cached: false, encode_ms: 1, last });
  }

  /** Answer a prompt with an object. @param {any} prompt @param {number} id @param {object} [fields] */
  async object(prompt, id, fields = {}) {
    await this.reply({ t: "object", seq: prompt.seq, id, name: `Object ${id}`, color: id - 1, points: [], chosen: 0, masks: [mask], can_undo: true, can_redo: false, ...fields });
  }

  /** A preview arrives. @param {number} seq @param {object} [fields] */
  preview(seq, fields = {}) {
    this.studio.receive(/** @type {any} */ ({ t: "preview", seq, x: 1, y: 1, best: 0, masks: [mask], ...fields }));
  }

  /** Click with a tool. @param {number} x @param {Tool} [tool] */
  async click(x, tool = "new") {
    void this.studio.click(place(x, tool));
    await settled();
  }

  /** @param {number} x @param {Tool} [tool] */
  hover(x, tool = "new") {
    this.studio.hover(place(x, tool));
  }
}
