/**
 * Lists of classes in other programs' files: read and written. Fetched when it is first wanted.
 */

import { refusalText } from "../words/errors.js";
import { t } from "../words/translate.js";

/** @import { Class } from "../wire/messages.ts" */

/** @typedef {{ name: string, type: string, text: string }} ClassFile */

/** What is sent of a file; the server says so where that is too much. */
const MAX_CHARS = 2 ** 19;

/**
 * Have the server read a file of classes.
 * @param {string} url that reads them
 * @param {File} file
 * @returns {Promise<string[]>} names in their order
 * @throws {Error} with the line and what is wrong there, in words
 */
export async function namesIn(url, file) {
  const text = await textOf(file);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: file.name, text }),
  }).catch(() => null);
  if (response === null) throw new Error(t("error.notRead", { file: file.name }));
  const reply = await response.json().catch(() => null);
  if (!response.ok) throw new Error(t("error.ofFile", { file: file.name, reason: refusalText(reply, response.status) }));
  return reply.classes;
}

/** A COCO file may be large, and its categories are few. @param {File} file @returns {Promise<string>} */
async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const wide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const encoding = wide ? (bytes[0] === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  let text = "";
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new Error(t("classes.noText", { file: file.name }));
  }
  if (file.name.toLowerCase().endsWith(".json")) {
    try {
      const { categories } = JSON.parse(text);
      return JSON.stringify({ categories });
    } catch {
      return text.slice(0, MAX_CHARS); // the server says what is wrong with it
    }
  }
  if (text.length > MAX_CHARS) throw new Error(t("classes.tooLong", { file: file.name }));
  return text;
}

/**
 * The list as other programs read it.
 * @param {readonly Class[]} classes @param {"txt" | "yaml" | "json"} kind
 * @returns {ClassFile}
 */
export function fileOf(classes, kind) {
  const names = classes.map(({ name }) => name);
  if (kind === "txt") return { name: "classes.txt", type: "text/plain", text: names.map((name) => `${name}\n`).join("") };
  if (kind === "json") {
    const categories = names.map((name, number) => ({ id: number + 1, name, supercategory: "" }));
    return { name: "categories.json", type: "application/json", text: JSON.stringify({ categories }) };
  }
  const lines = names.map((name, number) => `  ${number}: ${JSON.stringify(name)}\n`); // what JSON quotes, YAML reads
  return { name: "data.yaml", type: "application/yaml", text: `nc: ${names.length}\nnames:\n${lines.join("")}` };
}
