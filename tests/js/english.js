/** The page's words in English: imported by tests of what is said. */
import { readFileSync } from "node:fs";
import { speak } from "../../static/js/words/translate.js";

/** @type {Record<string, string>} */
export const ENGLISH = JSON.parse(readFileSync(new URL("../../static/words/en.json", import.meta.url), "utf8"));

speak(ENGLISH, "en");
