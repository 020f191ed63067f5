/** The floor plan of the page: who may import whom, what touches the page, where the state is written, which words are used. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";

const HERE = new URL("../../", import.meta.url);

/** What each folder may import besides itself, lowest first; a type is an import, too. @type {Record<string, string[]>} */
const ALLOWED = {
  words: [],
  wire: ["words"],
  model: ["words", "wire"],
  files: ["words", "wire", "model"],
  session: ["words", "wire", "model"],
  canvas: ["words", "wire", "model", "session"],
  panels: ["words", "wire", "model", "files", "session", "canvas"],
  main: ["words", "wire", "model", "files", "session", "canvas", "panels"],
};
/** Pages of their own: the documentation's, and what runs before the first paint. */
const ALONE = ["docs.js", "theme.js"];

/** What is fetched when it is first wanted. */
const LATER = [
  ...["animated", "base64", "class-files", "clips", "export-all", "frames", "folders", "hash", "labels", "metadata", "project", "thumbs", "upload", "zip"].map((name) => `files/${name}.js`),
  ...["canvas/cutout.js", "canvas/timeline.js", "model/album.js", "model/album-words.js", "model/clip.js"],
  ...["browsing", "clips", "player"].map((name) => `session/${name}.js`),
  ...["album-menu", "ask", "class-picker", "clip-part", "clips", "film", "pictures", "sheet", "timeline"].map((name) => `panels/${name}.js`),
];

const SOURCES = readdirSync(new URL("static/js", HERE), { recursive: true }).map((name) => String(name).replaceAll("\\", "/"))
  .filter((name) => /\.[jt]s$/.test(name) && !ALONE.includes(name));
/** What a browser fetches: types alone stay where they are. */
const FILES = SOURCES.filter((name) => name.endsWith(".js"));

/** @param {string} name @returns {string} */
const textOf = (name) => readFileSync(new URL(`static/js/${name}`, HERE), "utf8");

/** @param {string} name @returns {string} without its comments */
const codeOf = (name) => textOf(name).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

/** @param {string} name of a file @returns {string} its folder, or the file beside the folders */
const folderOf = (name) => (name.split("/").length > 1 ? name.split("/")[0] : name.replace(".js", ""));

test("a folder imports only what stands above it in the table", () => {
  for (const file of SOURCES) {
    const allowed = [folderOf(file), ...ALLOWED[folderOf(file)]];
    for (const [, path] of textOf(file).matchAll(/(?:from |import\()"(\.[^"]+)"/g)) {
      const used = folderOf(new URL(path, `http://page/${file}`).pathname.slice(1));
      assert.ok(allowed.includes(used), `${file} imports ${path}`);
    }
  }
  const names = Object.keys(ALLOWED);
  for (const [place, name] of names.entries()) assert.deepEqual(ALLOWED[name].filter((one) => !names.slice(0, place).includes(one)), [], name);
});

test("the page names every module that it begins with, and each is there", () => {
  const markup = readFileSync(new URL("templates/partials/modules.html", HERE), "utf8");
  const listed = [...markup.matchAll(/"(\w+)": \[(.*)\]/g)].flatMap(([, folder, modules]) => [...modules.matchAll(/"([a-z-]+)"/g)].map(([, name]) => `${folder}/${name}.js`));
  assert.deepEqual([...listed, ...LATER, "main.js"].sort(), FILES.toSorted());
});

test("modules of the wire's words, of the model and of the session touch no page", () => {
  const pure = [...FILES.filter((name) => /^(model|session)\//.test(name)), ...["hovers", "msgpack", "protocol", "requests"].map((name) => `wire/${name}.js`)];
  for (const name of pure) {
    assert.doesNotMatch(codeOf(name), /\b(document|localStorage|sessionStorage|navigator|WebSocket|HTMLElement)\b|(?<!\.)\bwindow\b[.[(]|\bfetch\(/, name);
  }
});

test("a write to the state from elsewhere than its door is found", async () => {
  const eslint = new ESLint({ cwd: fileURLToPath(HERE), overrideConfigFile: "tests/js/eslint.config.js" });
  const writes = [
    "state.active = 1;", "this.state.active = 1;", "store.state.point += 1;", "state.picture.name = 'a';", "delete state.active;",
    "Object.assign(this.store.state, {});", "state.hidden.add(1);", "this.state.objects.set(1, {});", "state.objects.delete(2);",
  ];
  for (const code of writes) {
    const [{ messages }] = await eslint.lintText(`/* eslint no-undef: 0 */\nexport const change = function change() { ${code} };\n`, { filePath: "static/js/panels/status.js" });
    assert.match(messages.map(({ message }) => message).join(), /store\.js/, code);
  }
});

/** The type of the state forbids it, too: where the line below passes, the type check fails. @param {import("../../static/js/model/store.js").Store} store */
export function writing(store) {
  // @ts-expect-error the state is read-only
  store.state.active = 1;
}

// ---- the stylesheets

const SHEETS = readdirSync(new URL("static/css", HERE)).filter((name) => name !== "tokens.css");

/** @param {string} name @returns {string} without its comments */
const styleOf = (name) => readFileSync(new URL(`static/css/${name}`, HERE), "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");

test("colours, sizes of text, spaces and radii come from the tokens", () => {
  for (const name of SHEETS) {
    const style = styleOf(name);
    assert.deepEqual(style.match(/#[0-9a-f]{3,8}\b(?=[^{}]*;)|\b(rgb|hsl)a?\(/g) ?? [], [], name);
    const sized = style.match(/(?<![\w-])(font-size|(row-|column-)?gap|border-radius|(padding|margin)[\w-]*): [^;]+/g) ?? [];
    for (const line of sized) assert.doesNotMatch(line.replaceAll(/\b1px\b/g, ""), /\d(rem|px)\b/, `${name}: ${line}`);
  }
});

test("every token is used, and every one that is used is there", () => {
  const tokens = styleOf("tokens.css");
  const all = [tokens, ...SHEETS.map(styleOf)].join("\n");
  const named = new Set([...tokens.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  const own = new Set([...all.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  const used = new Set([...all.matchAll(/var\((--[\w-]+)\)/g)].map(([, name]) => name));
  assert.deepEqual([[...named].filter((name) => !used.has(name)), [...used].filter((name) => !own.has(name))], [[], []]);
});

test("the studio's stylesheet has every part, and the documentation's its own", () => {
  const served = readFileSync(new URL("app/web/pages.py", HERE), "utf8").match(/PARTS: Final = \(([\s\S]*?)\n\)/)?.[1] ?? "";
  const parts = [...served.matchAll(/"([a-z]+)"/g)].map(([, name]) => `${name}.css`);
  assert.deepEqual(parts.toSorted(), ["tokens.css", ...SHEETS].filter((name) => name !== "docs.css").sort());
});

// ---- the words

/** The page's table of words. @type {Record<string, string>} */
const WORDS = JSON.parse(readFileSync(new URL("static/words/en.json", HERE), "utf8"));
const MARKUP = ["base.html", "studio.html", ...readdirSync(new URL("templates/partials", HERE)).filter((name) => name !== "docs.html").map((name) => `partials/${name}`)];
/** What is called the same in all languages: keys, file names, measures. */
const OF_ALL_LANGUAGES = /<kbd[\s\S]*?<\/kbd>|<svg[\s\S]*?<\/svg>|\bHoverSAM\b|\bp(50|95)\b/g;

/** @param {string} name @returns {string} a template without what Jinja fills in */
const markupOf = (name) => readFileSync(new URL(`templates/${name}`, HERE), "utf8").replace(/\{% block config[\s\S]*?endblock %\}/, "").replaceAll(/\{[#{%][\s\S]*?[#}%]\}/g, "");

test("one word for one act: no label, tooltip, help or sentence has another for it", () => {
  const other = /\b(keeps?|kept|tak(e|es|en) (it )?away|refin\w*|dismiss|clear|cancel\w*|commit)\b/i;
  const ofStorage = ["start.passing"]; // the browser keeps
  for (const [key, message] of Object.entries(WORDS)) if (!ofStorage.includes(key)) assert.doesNotMatch(message, other, key);
});

test("every word of the markup is in the table", () => {
  for (const name of MARKUP) {
    const markup = markupOf(name).replaceAll(OF_ALL_LANGUAGES, "");
    const attributes = [...markup.matchAll(/\b(?:title|aria-label|placeholder|alt|label|content)="([^"]*)"/g)].map(([, text]) => text);
    const said = [markup.replaceAll(/<script[\s\S]*?<\/script>|<[^>]*>/g, " "), ...attributes.filter((text) => !/^(width=|light dark|#)/.test(text))].join("\n");
    assert.doesNotMatch(said, /[A-Za-z]{2}/, name);
  }
});

test("every word of the table is said, by a template or a module", () => {
  const everything = [...FILES.map(textOf), ...MARKUP.map((name) => readFileSync(new URL(`templates/${name}`, HERE), "utf8"))].join("\n");
  const said = new Set([...everything.matchAll(/["']([\w.]+)["']/g)].map(([, key]) => key));
  const made = [...everything.matchAll(/`([\w.]*)\$\{[^}]+\}([\w.]*)`|["'](\w+\.)["'] ~/g)]
    .map(([, begin = "", end = "", joined = begin]) => [joined, end]).filter(([begin, end]) => begin.includes(".") || /^[A-Z]/.test(end));
  made.push(["error.", ""], ["code.", ""], ["where.", ""]); // of the server
  const idle = Object.keys(WORDS).filter((key) => !said.has(key) && !made.some(([begin, end]) => key.startsWith(begin) && key.endsWith(end)));
  assert.deepEqual(idle, []);
});
