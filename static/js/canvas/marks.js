/**
 * Small signs on the picture: points, boxes, the keyboard's cursor, the badge beside the pointer. CSS pixels.
 */

/** @import { Context, Rect, Sign, Spot } from "./types.ts" */

const FULL_TURN = 2 * Math.PI;
const DARK = "#14171d";
const REMOVES = "#ff6b4a";

/** @param {Context} context @param {Spot} at @param {number} radius */
function circle(context, at, radius) {
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, FULL_TURN);
}

/** @param {Context} context @param {string | CanvasPattern} color @param {Path2D} [path] the current one if absent */
export function fill(context, color, path) {
  context.fillStyle = color;
  if (path) context.fill(path, "evenodd");
  else context.fill();
}

/**
 * @param {Context} context
 * @param {string} color
 * @param {number} width
 * @param {Path2D} [path] the current one if absent
 */
export function stroke(context, color, width, path) {
  context.strokeStyle = color;
  context.lineWidth = width;
  if (path) context.stroke(path);
  else context.stroke();
}

/**
 * @param {Context} context
 * @param {Spot} at
 * @param {number} radius
 * @param {string} color
 * @param {number} [rim] width of the white line around it
 */
export function drawDot(context, at, radius, color, rim = 1.5) {
  circle(context, at, radius + rim);
  fill(context, "#ffffff");
  circle(context, at, radius);
  fill(context, color);
}

/** @param {Context} context @param {Spot} at @param {Sign} sign @param {number} arm length of an arm */
function drawSign(context, at, sign, arm) {
  context.beginPath();
  const turns = { "*": [0, 1 / 3, 2 / 3], "+": [0, 1 / 2], "−": [1 / 2] }[sign]; // of half a turn, from upright
  for (const turn of turns) {
    const [dx, dy] = [arm * Math.sin(Math.PI * turn), arm * Math.cos(Math.PI * turn)];
    context.moveTo(at.x - dx, at.y - dy);
    context.lineTo(at.x + dx, at.y + dy);
  }
  context.lineCap = "round";
  stroke(context, "#ffffff", 2);
}

/**
 * A disc with a sign, dark so that the sign reads on every colour.
 * @param {Context} context
 * @param {Spot} at
 * @param {Sign} sign
 * @param {string} color
 * @param {number} rim wider where it is pointed at or selected
 */
export function drawPoint(context, at, sign, color, rim) {
  drawDot(context, at, 9, DARK, rim);
  circle(context, at, 8);
  stroke(context, sign === "+" ? color : REMOVES, 2);
  drawSign(context, at, sign, 4);
}

/**
 * Tells before the click what it does.
 * @param {Context} context
 * @param {Spot} pointer
 * @param {Sign} sign
 * @param {string} color
 */
export function drawBadge(context, pointer, sign, color) {
  const at = { x: pointer.x + 17, y: pointer.y + 17 };
  context.globalAlpha = 0.92;
  drawDot(context, at, 7, sign === "−" ? "#8f2c17" : DARK);
  context.globalAlpha = 1;
  if (sign !== "−") {
    circle(context, at, 6.5);
    stroke(context, color, 1.5);
  }
  drawSign(context, at, sign, 3.5);
}

/**
 * The name of what a click selects, above the pointer and within the canvas.
 * @param {Context} context
 * @param {Spot} pointer
 * @param {string} name
 * @param {string} color
 */
export function drawName(context, pointer, name, color) {
  context.font = "600 13px system-ui, sans-serif";
  const width = context.measureText(name).width + 30;
  const room = context.canvas.clientWidth - width - 4;
  const x = Math.max(4, Math.min(room, pointer.x + 12));
  const y = pointer.y > 44 ? pointer.y - 36 : pointer.y + 20;
  context.beginPath();
  context.roundRect(x, y, width, 24, 12);
  fill(context, `${DARK}eb`);
  drawDot(context, { x: x + 13, y: y + 12 }, 4.5, color, 1);
  context.fillStyle = "#ffffff";
  context.textBaseline = "middle";
  context.fillText(name, x + 23, y + 12.5);
}

/** @param {Context} context @param {Spot} from @param {Spot} to @param {string} color */
export function drawBox(context, from, to, color) {
  context.beginPath();
  context.rect(from.x, from.y, to.x - from.x, to.y - from.y);
  stroke(context, "#00000080", 3.5);
  context.setLineDash([6, 4]);
  stroke(context, color, 1.5);
  context.setLineDash([]);
}

/**
 * Where a brush went that is still down.
 * @param {Context} context @param {readonly Spot[]} path @param {number} radius @param {string} color
 */
export function drawStroke(context, path, radius, color) {
  context.beginPath();
  for (const { x, y } of [path[0], ...path]) context.lineTo(x, y);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.globalAlpha = 0.55;
  stroke(context, color, 2 * radius);
  context.globalAlpha = 1;
}

/** The size of a brush. @param {Context} context @param {Spot} at @param {number} radius @param {string} color */
export function drawRing(context, at, radius, color) {
  circle(context, at, Math.max(2, radius));
  stroke(context, "#000000a0", 3);
  stroke(context, "#ffffff", 2);
  circle(context, at, 1);
  fill(context, color);
}

/** @param {Context} context @param {Spot} at */
export function drawCross(context, at) {
  context.beginPath();
  for (const [dx, dy] of /** @type {const} */ ([[1, 0], [-1, 0], [0, 1], [0, -1]])) {
    context.moveTo(at.x + dx * 4, at.y + dy * 4);
    context.lineTo(at.x + dx * 14, at.y + dy * 14);
  }
  stroke(context, "#000000a0", 4);
  stroke(context, "#ffffff", 2);
}

/**
 * A pattern of slanted lines.
 * @param {Context} context
 * @param {string} color
 * @param {1 | -1} slant 1 rises to the right
 * @param {number} ratio pixels of the screen for a CSS pixel
 * @returns {CanvasPattern | null}
 */
export function hatch(context, color, slant, ratio) {
  const side = Math.max(4, Math.round(8 * ratio));
  const tile = new OffscreenCanvas(side, side);
  const drawn = tile.getContext("2d");
  if (drawn === null) return null;
  drawn.fillStyle = `${color}3d`;
  drawn.fillRect(0, 0, side, side);
  drawn.strokeStyle = color;
  drawn.lineWidth = side / 3.2;
  for (const shift of [-side, 0, side]) {
    drawn.moveTo(shift - side / 2, slant === 1 ? side * 1.5 : -side / 2);
    drawn.lineTo(shift + side * 1.5, slant === 1 ? -side / 2 : side * 1.5);
  }
  drawn.stroke();
  const pattern = context.createPattern(/** @type {any} */ (tile), "repeat");
  pattern?.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
  return pattern;
}

/** The squares that stand for transparency, light and dark, and their side, CSS pixels. */
const SQUARES = ["#ffffff", "#d3d7de"];
const SQUARE_PX = 8;

/**
 * What shows through where a picture is transparent.
 * @param {Context} context
 * @param {Rect} rect CSS pixels; its corner is one of the squares'
 */
export function drawSquares(context, { x, y, width, height }) {
  const tile = new OffscreenCanvas(2 * SQUARE_PX, 2 * SQUARE_PX);
  const drawn = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
  for (const [i, color] of [0, 1, 1, 0].entries()) {
    drawn.fillStyle = SQUARES[color];
    drawn.fillRect(SQUARE_PX * (i % 2), SQUARE_PX * Math.floor(i / 2), SQUARE_PX, SQUARE_PX);
  }
  const pattern = context.createPattern(/** @type {any} */ (tile), "repeat");
  pattern?.setTransform(new DOMMatrix([1, 0, 0, 1, Math.round(x), Math.round(y)]));
  context.fillStyle = pattern ?? SQUARES[0];
  context.fillRect(x, y, width, height);
}
