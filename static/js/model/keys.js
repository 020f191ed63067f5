/**
 * The one table of what can be done: its name, its keys, what hands do for it. Keyboard, tooltips and the help sheet
 * are made from it. Pure.
 */

/**
 * @typedef {{
 *   key: string, code?: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean,
 * }} Stroke
 */

/**
 * What each command is called, and the keys that give it. "Ctrl" is Cmd on a Mac, too. Letters are left alone with Alt,
 * and belong to a field that is being written in.
 * @satisfies {Record<string, { name: string, keys: string[] }>}
 */
export const COMMANDS = Object.freeze({
  new: { name: "New", keys: ["N"] },
  onTop: { name: "New on top", keys: ["T"] },
  add: { name: "Add", keys: ["A"] },
  remove: { name: "Remove", keys: ["R"] },
  brush: { name: "Brush", keys: ["B"] },
  eraser: { name: "Eraser", keys: ["E"] },
  smart: { name: "Smart brush", keys: ["S"] },
  thinner: { name: "Thinner brush", keys: ["("] },
  thicker: { name: "Thicker brush", keys: [")"] },
  sharpen: { name: "Make sharp", keys: ["Q"] },
  fillHoles: { name: "Fill holes", keys: ["J"] },
  removeSpecks: { name: "Remove specks", keys: ["K"] },
  smooth: { name: "Smooth the edge", keys: ["U"] },
  grow: { name: "Grow", keys: [">"] },
  shrink: { name: "Shrink", keys: ["<"] },
  merge: { name: "Merge with", keys: ["M"] },
  subtract: { name: "Subtract", keys: ["X"] },
  intersect: { name: "Intersect with", keys: ["Y"] },
  importLabels: { name: "Import labels", keys: ["I"] },
  smaller: { name: "Smaller candidate", keys: ["["] },
  larger: { name: "Larger candidate", keys: ["]"] },
  delete: { name: "Delete", keys: ["Delete"] },
  deleteLastPoint: { name: "Delete the last point", keys: ["Backspace"] },
  undo: { name: "Undo", keys: ["Ctrl+Z"] },
  redo: { name: "Redo", keys: ["Ctrl+Shift+Z", "Ctrl+Y"] },
  close: { name: "Close", keys: ["Escape"] },
  pickClass: { name: "Class", keys: ["C"] },
  class1: { name: "Class 1", keys: ["1"] },
  class2: { name: "Class 2", keys: ["2"] },
  class3: { name: "Class 3", keys: ["3"] },
  class4: { name: "Class 4", keys: ["4"] },
  class5: { name: "Class 5", keys: ["5"] },
  class6: { name: "Class 6", keys: ["6"] },
  class7: { name: "Class 7", keys: ["7"] },
  class8: { name: "Class 8", keys: ["8"] },
  class9: { name: "Class 9", keys: ["9"] },
  next: { name: "Next picture", keys: [".", "PageDown"] },
  previous: { name: "Picture before", keys: [",", "PageUp"] },
  done: { name: "Done, and on to the next", keys: ["D"] },
  rename: { name: "Rename", keys: ["F2"] },
  copy: { name: "Copy the cutout", keys: ["Ctrl+C"] },
  save: { name: "Save the cutout", keys: ["Ctrl+S"] },
  open: { name: "Open a picture", keys: ["Ctrl+O"] },
  zoomIn: { name: "Zoom in", keys: ["+", "="] },
  zoomOut: { name: "Zoom out", keys: ["-"] },
  fit: { name: "Show the whole picture", keys: ["0", "F"] },
  opacity: { name: "Fill", keys: ["O"] },
  regions: { name: "Show all regions", keys: ["G"] },
  outlines: { name: "Outlines only", keys: ["L"] },
  click: { name: "Click at the cursor", keys: ["Enter"] },
  clickAdd: { name: "Add at the cursor", keys: ["Shift+Enter"] },
  clickRemove: { name: "Remove at the cursor", keys: ["Alt+Enter"] },
  help: { name: "Help", keys: ["?"] },
});

/** @typedef {keyof typeof COMMANDS} Command */

/** Keys that do something for as long as they are held. */
export const HELD = Object.freeze({ pan: "Space", hide: "H", add: "Shift", remove: "Alt" });

/**
 * The rows of the help sheet: what, and how. `{undo}` stands for the keys of a command, a key of its own between
 * backticks.
 * @type {readonly { what: string, how: string }[]}
 */
export const SHEET = Object.freeze([
  { what: "See what a click gives", how: "point, or hold a finger still" },
  { what: "New", how: "{new}; click or tap something: it is an object; click an object: it is selected" },
  { what: "New on top", how: "{onTop}: the next click makes an object also on top of another; so does a box" },
  { what: "Add", how: "{add}, or `Shift` + click: adds to the selected object" },
  { what: "Remove", how: "{remove}, or `Alt` + click, or right click: removes from it" },
  { what: "By hand", how: "{brush} paints, {eraser} erases, for good; wheel, or {thinner} {thicker}: its size; {smart}: the model is clicked, too" },
  { what: "Shape", how: "{fillHoles} fills holes, {removeSpecks} removes specks, {smooth} smooths, {grow} grows, {shrink} shrinks; {sharpen} makes a mask from a file sharp" },
  { what: "Two objects", how: "{merge} merges, {subtract} subtracts, {intersect} intersects the selected one and the next that you choose" },
  { what: "Labels", how: "{importLabels}, or drop a COCO, LabelMe, YOLO or recipe file, or a mask, on the picture that it is of" },
  { what: "Part or whole", how: "{smaller} smaller, {larger} larger candidate, or `Alt` + wheel" },
  { what: "Box", how: "drag: a new object; with Add, the selected object’s box" },
  { what: "A point of yours", how: "click it to select it, drag it to move it; {deleteLastPoint} deletes the last one" },
  { what: "Delete", how: "{delete}: the selected point, else the selected object" },
  { what: "Undo, redo", how: "{undo}; {redo}" },
  { what: "Close", how: "{close}: what is open, then the selection; undoes nothing. A click beside the picture deselects, too" },
  { what: "Rename", how: "{rename}, or double click on the name in the list" },
  { what: "Class", how: "{class1} {class2} {class3} {class4} {class5} {class6} {class7} {class8} {class9}, or {pickClass} and a part of its name: of the selected object, and of every new one" },
  { what: "Copy, save the cutout", how: "{copy}, {save}: of the selected object, else of all" },
  { what: "Open pictures", how: "{open}, drop or paste them; a folder can be dropped, too" },
  { what: "From picture to picture", how: "{next} next, {previous} before; {done}: it is done, and the next that isn’t is shown" },
  { what: "Zoom", how: "wheel, pinch, {zoomIn}, {zoomOut}; {fit} shows the whole picture, and again fills the canvas with it" },
  { what: "Pan", how: "`Space` + drag, middle drag, two fingers" },
  { what: "Masks", how: "hold `H` to hide them; {opacity} fill, {outlines} outlines only" },
  { what: "Without a mouse", how: "arrows move a cursor; {click} clicks, {clickAdd} adds, {clickRemove} removes there; `Tab` goes through the objects, then what else was found; `Enter` selects or takes it" },
  { what: "All that was found", how: "{regions} shows it in colours; a click takes what you point at" },
  { what: "Help", how: "{help}" },
]);

/** @type {Map<string, Command>} */
const BY_KEY = new Map(/** @type {Command[]} */ (Object.keys(COMMANDS)).flatMap(
  (command) => COMMANDS[command].keys.map((key) => [key, command]),
));

/**
 * Return the key in capital Latin letters. A Cyrillic, Greek or Hebrew keyboard gives its own: there the place of the
 * key tells.
 * @param {Stroke} stroke
 */
export function keyOf({ key, code = "" }) {
  const foreign = key.length === 1 && key > "\x7f" && /^Key[A-Z]$/.test(code);
  const known = foreign ? code.slice(3) : key;
  return known.length === 1 ? known.toUpperCase() : known;
}

/** The digit of a key that gives it with Shift alone, as in France; empty for others. @param {Stroke} stroke */
function digitOf({ key, code = "", shiftKey }) {
  return !shiftKey && !/[0-9]/.test(key) ? (/^Digit([1-9])$/.exec(code)?.[1] ?? "") : "";
}

/** @param {Stroke} stroke @returns {Command | null} */
export function commandOf(stroke) {
  const key = keyOf(stroke);
  const isBracket = key === "[" || key === "]"; // many keyboards have them behind AltGr or Option
  let name = key;
  if (stroke.altKey && !isBracket) name = stroke.ctrlKey || stroke.metaKey ? "" : `Alt+${key}`;
  else if (stroke.ctrlKey || stroke.metaKey) name = isBracket && stroke.altKey ? key : `Ctrl+${stroke.shiftKey ? "Shift+" : ""}${key}`;
  else if (stroke.shiftKey && key === "Enter") name = "Shift+Enter";
  return BY_KEY.get(name) ?? (name === key ? BY_KEY.get(digitOf(stroke)) : undefined) ?? null;
}

/** @type {Record<string, string>} */
const CAPS = { Escape: "Esc", "-": "−" };

/**
 * The caps of a key as they are shown, one after the other.
 * @param {string} key as in the table
 * @param {boolean} isMac
 * @returns {string[]}
 */
export function capsOf(key, isMac) {
  const parts = key === "+" ? ["+"] : key.split("+");
  return parts.map((part) => (part === "Ctrl" && isMac ? "⌘" : (CAPS[part] ?? part)));
}

/** The tooltip of a command: its name, and the first of its keys. @param {Command} command @param {boolean} isMac */
export function tipOf(command, isMac) {
  const { name, keys } = COMMANDS[command];
  return `${name} (${capsOf(keys[0], isMac).join("+")})`;
}
