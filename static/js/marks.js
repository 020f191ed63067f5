/**
 * Small signs on the picture: points, boxes, the keyboard's cursor, the badge beside the pointer. CSS pixels.
 */

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {{ x: number, y: number }} XY CSS pixels of the canvas */
/** @typedef {"+" | "−" | "×"} Sign */

const FULL_TURN = 2 * Math.PI;
const DARK = "#14171d";
const REMOVES = "#ff6b4a";

/** @param {Context} context @param {XY} at @param {number} radius @param {string} color */
export function drawDot(context, at, radius, color) {
  context.beginPath();
  context.arc(at.x, at.y, radius + 1.5, 0, FULL_TURN);
  context.fillStyle = "#ffffff";
  context.fill();
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, FULL_TURN);
  context.fillStyle = color;
  context.fill();
}

/** @param {Context} context @param {XY} at @param {Sign} sign @param {number} arm length of an arm */
function drawSign(context, at, sign, arm) {
  context.beginPath();
  const turned = sign === "×" ? Math.SQRT1_2 * arm : 0;
  if (turned) {
    context.moveTo(at.x - turned, at.y - turned);
    context.lineTo(at.x + turned, at.y + turned);
    context.moveTo(at.x - turned, at.y + turned);
    context.lineTo(at.x + turned, at.y - turned);
  } else {
    context.moveTo(at.x - arm, at.y);
    context.lineTo(at.x + arm, at.y);
    if (sign === "+") {
      context.moveTo(at.x, at.y - arm);
      context.lineTo(at.x, at.y + arm);
    }
  }
  context.lineWidth = 2;
  context.lineCap = "round";
  context.strokeStyle = "#ffffff";
  context.stroke();
}

/** A disc with a sign, dark so that the sign reads on every colour. @param {Context} context @param {XY} at @param {Sign} sign @param {string} color */
export function drawPoint(context, at, sign, color) {
  drawDot(context, at, 9, DARK);
  context.beginPath();
  context.arc(at.x, at.y, 8, 0, FULL_TURN);
  context.lineWidth = 2;
  context.strokeStyle = sign === "+" ? color : REMOVES;
  context.stroke();
  drawSign(context, at, sign, 4);
}

/** Tells before the click what it does. @param {Context} context @param {XY} pointer @param {Sign} sign @param {string} color */
export function drawBadge(context, pointer, sign, color) {
  const at = { x: pointer.x + 17, y: pointer.y + 17 };
  context.globalAlpha = 0.92;
  drawDot(context, at, 7, sign === "+" ? DARK : "#8f2c17");
  context.globalAlpha = 1;
  if (sign === "+") {
    context.beginPath();
    context.arc(at.x, at.y, 6.5, 0, FULL_TURN);
    context.lineWidth = 1.5;
    context.strokeStyle = color;
    context.stroke();
  }
  drawSign(context, at, sign, 3.5);
}

/** @param {Context} context @param {XY} from @param {XY} to @param {string} color */
export function drawBox(context, from, to, color) {
  context.lineWidth = 3.5;
  context.strokeStyle = "#00000080";
  context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
  context.setLineDash([6, 4]);
  context.lineWidth = 1.5;
  context.strokeStyle = color;
  context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
  context.setLineDash([]);
}

/** @param {Context} context @param {XY} at */
export function drawCross(context, at) {
  for (const [width, color] of /** @type {const} */ ([[4, "#000000a0"], [2, "#ffffff"]])) {
    context.beginPath();
    for (const [dx, dy] of /** @type {const} */ ([[1, 0], [-1, 0], [0, 1], [0, -1]])) {
      context.moveTo(at.x + dx * 4, at.y + dy * 4);
      context.lineTo(at.x + dx * 14, at.y + dy * 14);
    }
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
  }
}

/**
 * A pattern of slanted lines.
 * @param {Context} context @param {string} color @param {1 | -1} slant 1 rises to the right @param {number} ratio pixels of the screen for a CSS pixel
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
    drawn.beginPath();
    drawn.moveTo(shift - side / 2, slant === 1 ? side * 1.5 : -side / 2);
    drawn.lineTo(shift + side * 1.5, slant === 1 ? -side / 2 : side * 1.5);
    drawn.stroke();
  }
  const pattern = context.createPattern(/** @type {any} */ (tile), "repeat");
  pattern?.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
  return pattern;
}
