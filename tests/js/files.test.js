import assert from "node:assert/strict";
import { test } from "node:test";
import "./english.js";
import { received } from "../../static/js/files/download.js";

/** @param {Partial<import("../../static/js/wire/messages.ts").FileMessage>} part @returns {import("../../static/js/wire/messages.ts").FileMessage} */
const file = (part) => ({ t: "file", seq: 1, name: "cat.cutout.png", media_type: "image/png", data: new Uint8Array(), ...part });

/** @type {string[]} */
const asked = [];

/** Let the page lie at an address, and its server answer so. @param {string} page @param {() => Promise<any>} answer */
function stand(page, answer) {
  asked.length = 0;
  Object.assign(globalThis, { document: { baseURI: page }, fetch: (/** @type {URL} */ url) => { asked.push(String(url)); return answer(); } });
}

test("a file in its message is taken as it is", async () => {
  stand("http://a/", () => Promise.reject(new Error("no request is due")));
  const { name, blob } = await received(file({ data: new Uint8Array([1, 2, 3]) }));
  assert.deepEqual([name, blob.type, [...new Uint8Array(await blob.arrayBuffer())]], ["cat.cutout.png", "image/png", [1, 2, 3]]);
});

test("a large file is fetched from under the page's own address", async () => {
  for (const [page, url] of [["http://a/", "http://a/api/files/x"], ["https://a/sam/", "https://a/sam/api/files/x"]]) {
    stand(page, () => Promise.resolve(new Response(new Uint8Array([7]))));
    const { name, blob } = await received(file({ url: "api/files/x" }));
    assert.deepEqual([asked, name, blob.size], [[url], "cat.cutout.png", 1]);
  }
});

test("a file that can't be fetched says why and what to do", async () => {
  stand("http://a/", () => Promise.resolve(new Response("{}", { status: 404 })));
  await assert.rejects(received(file({ url: "api/files/x" })), /answered 404. Save it again/);
  stand("http://a/", () => Promise.reject(new TypeError("Failed to fetch")));
  await assert.rejects(received(file({ url: "api/files/x" })), /can’t be reached/);
  stand("http://a/", () => Promise.resolve({ ok: true, blob: () => Promise.reject(new TypeError("cut")) }));
  await assert.rejects(received(file({ url: "api/files/x" })), /lost while cat.cutout.png/);
});
