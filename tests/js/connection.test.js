/** The connection by its clock: a server that is silent is left, and dialled again. */
import assert from "node:assert/strict";
import { test } from "node:test";

import "./english.js";
import { readAdmission } from "../../static/js/wire/http.js";
import { Connection } from "../../static/js/wire/connection.js";
import { encodeMessage } from "../../static/js/wire/protocol.js";

/** A socket that the test speaks for. */
class Socket extends EventTarget {
  static OPEN = 1;
  /** @type {Socket[]} */
  static dialled = [];
  binaryType = "";
  readyState = 1;
  closed = false;

  /** @param {string} _url @param {string | string[]} protocols */
  constructor(_url, protocols) {
    super();
    this.protocols = protocols;
    Socket.dialled.push(this);
  }

  send() {}

  close() {
    this.closed = true;
  }

  /** @param {number} code */
  ends(code) {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }

  /** @param {Record<string, unknown>} message */
  says(message) {
    const bytes = encodeMessage(/** @type {any} */ (message));
    this.dispatchEvent(new MessageEvent("message", { data: bytes.slice().buffer }));
  }
}

/** @typedef {import("../../static/js/wire/http.js").Admission | null} Answer */

/** @param {import("node:test").TestContext} context @param {{ answer?: Answer, asksFirst?: boolean }} [options] */
function dialling(context, { answer = null, asksFirst = false } = {}) {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const before = globalThis.WebSocket;
  Object.assign(globalThis, { WebSocket: Socket });
  context.after(() => Object.assign(globalThis, { WebSocket: before }));
  Socket.dialled = [];
  /** @type {string[]} */
  const states = [];
  /** @type {string[]} */
  const told = [];
  const connection = new Connection("ws://server/ws", {
    onMessage: (message) => {
      if (message.t === "welcome") connection.begin(message);
      if (message.t === "error") connection.refuse(message);
    },
    onState: (state) => states.push(state),
    onCredentials() {},
    onTrouble: (text) => told.push(text),
    ask: () => Promise.resolve(answer),
  }, null, { asksFirst });
  connection.open();
  if (!asksFirst) Socket.dialled[0].dispatchEvent(new Event("open"));
  return { states, told, connection };
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

// ---- refusals

/** Let what was asked be answered. */
const answered = () => new Promise((done) => { setImmediate(done); });

test("a page that the server knows by another name shows a ticket, in no address", async (context) => {
  const { states } = dialling(context, { answer: { ticket: "9.abc", refusal: null, isFinal: false }, asksFirst: true });
  assert.equal(Socket.dialled.length, 0);
  await answered();
  assert.deepEqual(Socket.dialled[0].protocols, ["hoversam.v1", "hoversam.ticket.9.abc"]);
  assert.deepEqual(states, ["connecting"]);
});

test("a refusal for good is said once, and nothing is tried again", async (context) => {
  const refusal = "list it in HOVERSAM_ALLOWED_ORIGINS";
  const { states, told, connection } = dialling(context, { answer: { ticket: null, refusal, isFinal: true }, asksFirst: true });
  await answered();
  connection.hurry();
  context.mock.timers.tick(60_000);
  assert.deepEqual([states, told, Socket.dialled.length], [["connecting", "ended"], [refusal], 0]);
});

test("a socket that never opened has its reason asked for", async (context) => {
  const { told } = dialling(context, { answer: { ticket: "9.abc", refusal: null, isFinal: false } });
  Socket.dialled[0].ends(1012);
  context.mock.timers.tick(500);
  assert.equal(Socket.dialled[1].protocols, "hoversam.v1"); // it had opened: there is nothing to ask
  for (const dialled of [2, 3, 4, 5]) {
    Socket.dialled[dialled - 1].ends(1006);
    context.mock.timers.tick(8_000);
    await answered();
    assert.equal(Socket.dialled.length, dialled + 1);
  }
  assert.equal(told.length, 1); // a proxy lets the page through and no socket
  assert.match(told[0], /Upgrade/);
});

test("a full server is named once, and asked again until there is a place", (context) => {
  const { states, told } = dialling(context);
  for (let time = 0; time < 3; time += 1) {
    Socket.dialled[time].dispatchEvent(new Event("open"));
    Socket.dialled[time].says({ t: "error", code: "busy", message: "all 64 sessions are in use; try again", reason: "full", values: { most: 64 }, fatal: true, retry_after: 5 });
    Socket.dialled[time].ends(1013);
    assert.equal(states.at(-1), "full");
    context.mock.timers.tick(5_000);
  }
  assert.deepEqual(told, ["The server has no place for this page now. All 64 places are taken. This page asks again by itself."]);
  Socket.dialled[3].says(WELCOME);
  assert.equal(states.at(-1), "ready");
});

test("answers to the question why are told apart", () => {
  const of = (/** @type {number} */ status, /** @type {unknown} */ body) => readAdmission(status, typeof body === "string" ? body : JSON.stringify(body));
  assert.equal(of(200, { ticket: "9.abc" })?.ticket, "9.abc");
  assert.match(of(403, { detail: { code: "FORBIDDEN", message: "list it in HOVERSAM_ALLOWED_ORIGINS" } })?.refusal ?? "", /HOVERSAM_ALLOWED_ORIGINS/);
  assert.match(of(401, "<h1>log in</h1>")?.refusal ?? "", /log in again/);
  assert.deepEqual([of(503, "all connections are in use")?.isFinal, of(403, "")?.isFinal], [false, true]);
  for (const status of [200, 404, 500, 502, 504]) assert.equal(of(status, "<h1>Bad gateway</h1>"), null);
});
