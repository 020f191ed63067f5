/** The connection by its clock: a server that is silent is left, and dialled again. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection } from "../../static/js/connection.js";
import { encodeMessage } from "../../static/js/protocol.js";

/** A socket that the test speaks for. */
class Socket extends EventTarget {
  static OPEN = 1;
  /** @type {Socket[]} */
  static dialled = [];
  binaryType = "";
  readyState = 1;
  closed = false;

  constructor() {
    super();
    Socket.dialled.push(this);
  }

  send() {}

  close() {
    this.closed = true;
  }

  /** @param {Record<string, unknown>} message */
  says(message) {
    const bytes = encodeMessage(/** @type {any} */ (message));
    this.dispatchEvent(new MessageEvent("message", { data: bytes.slice().buffer }));
  }
}

/** @param {import("node:test").TestContext} context @returns {{ states: string[] }} */
function dialling(context) {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const before = globalThis.WebSocket;
  Object.assign(globalThis, { WebSocket: Socket });
  context.after(() => Object.assign(globalThis, { WebSocket: before }));
  Socket.dialled = [];
  /** @type {string[]} */
  const states = [];
  const connection = new Connection("ws://server/ws", {
    onMessage() {},
    onState: (state) => states.push(state),
    onRoundTrip() {},
    onCredentials() {},
    onTrouble() {},
  });
  connection.open();
  Socket.dialled[0].dispatchEvent(new Event("open"));
  return { states };
}

test("a server that never says welcome is dialled again", (context) => {
  const { states } = dialling(context);
  context.mock.timers.tick(9_999);
  assert.deepEqual(states, ["connecting"]);
  context.mock.timers.tick(1);
  assert.deepEqual(states, ["connecting", "waiting"]);
  assert.ok(Socket.dialled[0].closed);
  context.mock.timers.tick(250);
  assert.deepEqual([states.at(-1), Socket.dialled.length], ["connecting", 2]);
});

const WELCOME = { t: "welcome", version: 1, session: "s", token: "t", resumed: false, model: "nano", models: [], limits: {}, server: "" };

test("after the welcome the time for it is forgotten", (context) => {
  const { states } = dialling(context);
  Socket.dialled[0].says(WELCOME);
  assert.deepEqual(states, ["connecting", "ready"]);
  context.mock.timers.tick(11_000);
  assert.deepEqual([states.at(-1), Socket.dialled[0].closed], ["ready", false]);
});

test("a line on which two pings stay without an answer is left", (context) => {
  const { states } = dialling(context);
  Socket.dialled[0].says(WELCOME);
  context.mock.timers.tick(30_000);
  assert.equal(states.at(-1), "ready");
  context.mock.timers.tick(15_000);
  assert.equal(states.at(-1), "waiting");
});

test("a line that answers is kept, however slowly the clock of its tab ticks", (context) => {
  const { states } = dialling(context);
  Socket.dialled[0].says(WELCOME);
  let now = performance.now();
  context.mock.method(performance, "now", () => now);
  for (let beat = 0; beat < 5; beat += 1) {
    now += 60_000;
    context.mock.timers.tick(15_000);
    Socket.dialled[0].says({ t: "pong", at: 0, queue_ms: 0, decode_ms: 0 });
  }
  assert.deepEqual(states, ["connecting", "ready"]);
});
