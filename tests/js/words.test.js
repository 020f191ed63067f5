/** Messages of the table are said as ICU has them, and the server's refusals by their reasons. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ENGLISH } from "./english.js";
import { errorText, placeText, refusalText } from "../../static/js/words/errors.js";
import { Formatter, parse } from "../../static/js/words/message-format.js";
import { speak, t } from "../../static/js/words/translate.js";

/** @param {string} message @param {import("../../static/js/words/message-format.js").Values} values @param {string} [locale] */
const said = (message, values, locale = "en") => new Formatter(locale, false).format(parse(message), values);

test("a number chooses the plural of the language, and is written as the language writes it", () => {
  const objects = "{count, plural, =0 {nothing} one {# object} other {# objects}}";
  assert.deepEqual([0, 1, 2, 1234].map((count) => said(objects, { count })), ["nothing", "1 object", "2 objects", "1,234 objects"]);
  const polish = "{count, plural, one {# plik} few {# pliki} many {# plików} other {# pliku}}";
  assert.deepEqual([1, 3, 5, 1.5].map((count) => said(polish, { count }, "pl")), ["1 plik", "3 pliki", "5 plików", "1,5 pliku"]);
  assert.equal(said(objects, { count: 12345 }, "de"), "12.345 objects");
});

test("branches stand within branches, and a word that isn't foreseen is the other", () => {
  const message = "{touch, select, true {Tap} other {Click}} {count, plural, one {it} other {one of {name}, # in all}}.";
  assert.equal(said(message, { touch: "true", count: 3, name: "them" }), "Tap one of them, 3 in all.");
  assert.equal(said(message, { touch: "what", count: 1 }), "Click it.");
});

test("what is no message is told, and where", () => {
  for (const wrong of ["{", "{a", "{a, plural, one {b}}", "{a, number}", "a {b} {c"]) assert.throws(() => parse(wrong), SyntaxError, wrong);
});

test("lists are joined as the language does, and names of the other direction are kept apart", () => {
  assert.equal(said("{names}.", { names: ["a", "b", "c"] }), "a, b, and c.");
  assert.equal(said("{names}.", { names: ["a", "b"] }, "de"), "a und b.");
  assert.equal(said("{name}: 1", { name: "תמונה" }), "\u2068תמונה\u2069: 1");
  assert.equal(new Formatter("he", true).format(parse("{name}!"), { name: "cat" }), "\u2068cat\u2069!");
});

test("every message of the table is one", () => {
  for (const [key, message] of Object.entries(ENGLISH)) assert.doesNotThrow(() => parse(message), key);
});

test("a refusal is said by its reason, else by its code, else as the server says it", () => {
  assert.equal(errorText({ code: "too_many_points", message: "…", reason: "points", values: { most: 64 } }), "An object takes at most 64 points: begin another object.");
  assert.equal(errorText({ code: "busy", message: "the model has 64 jobs waiting; try again" }), ENGLISH["code.busy"]);
  assert.equal(errorText({ code: "of_tomorrow", message: "words of tomorrow", reason: "new" }), "words of tomorrow");
  assert.equal(errorText({ reason: "class_twice", values: { where: "line 3", name: "cat", first: "line 1" } }), "line 3: “cat” is there already, at line 1; name each class once");
  assert.equal(refusalText(null, 502), "The server answered 502.");
  assert.equal(placeText("masks/001.png"), "masks/001.png");
});

test("another language is another table", () => {
  try {
    speak({ ...ENGLISH, "film.place": "{place} von {total}" }, "de");
    assert.equal(t("film.place", { place: 1234, total: 5000 }), "1.234 von 5.000");
  } finally {
    speak(ENGLISH, "en");
  }
});
