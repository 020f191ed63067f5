/**
 * How each object came about: the prompts in the order in which they were given, for every version the page has seen. Pure.
 *
 * Decision: a version is known by its content, not by when it was seen. Context: undo and redo bring versions back
 * without their prompts' order, and a mask depends on that order. Choice: a map from a version's content to the prompt
 * that made it and the version before. Price: a few bytes for each prompt; beyond the bound the oldest are forgotten,
 * and `promptsOf` has to guess.
 */

/** @import { BoxPrompt, Choose, Click, Move, Point, Request, Unpoint } from "./protocol.js" */
/** @import { ObjectState } from "./state.js" */

/** @typedef {Omit<Click, "object"> | Omit<BoxPrompt, "object"> | Omit<Move, "object"> | Omit<Unpoint, "object"> | Omit<Choose, "object">} Step a prompt without the object's id */
/** @typedef {{ step: Step, before: Line | null }} Line */

const MAX_VERSIONS = 4096;

/** @param {ObjectState} object @returns {string} the same for the same version */
function versionOf({ id, points, box, chosen, masks }) {
  return JSON.stringify([id, points, box, chosen, masks.map((mask) => [mask.area, mask.score])]);
}

/** @param {Request} request @returns {Step | null} */
function stepOf(request) {
  switch (request.t) {
    case "click": return { t: "click", x: request.x, y: request.y, label: request.label, ...(request.candidate === undefined ? {} : { candidate: request.candidate }) };
    case "box": return { t: "box", box: request.box };
    case "move": return { t: "move", point: request.point, x: request.x, y: request.y };
    case "unpoint": return { t: "unpoint", point: request.point };
    case "choose": return { t: "choose", candidate: request.candidate };
    default: return null;
  }
}

/**
 * The prompts that make an object's points and box, where nobody saw in which order they came: the box first.
 * @param {Pick<ObjectState, "box" | "points">} object
 * @returns {Step[]}
 */
export function promptsOf(object) {
  /** @type {Step[]} */
  const prompts = object.box ? [{ t: "box", box: object.box }] : [];
  for (const [x, y, label] of object.points) prompts.push({ t: "click", x, y, label });
  return prompts;
}

export class History {
  /** @type {Map<string, Line>} */
  #lines = new Map();

  /**
   * Note that a request made one version out of another.
   * @param {ObjectState | undefined} before @param {Request} request @param {ObjectState} after
   */
  note(before, request, after) {
    const step = stepOf(request);
    const version = versionOf(after);
    if (step === null || this.#lines.has(version)) return;
    this.#put(version, { step, before: before ? this.#lineOf(before) : null });
  }

  /** Forget everything: another picture is open. */
  clear() {
    this.#lines.clear();
  }

  /** Note a version whose steps are known from before. @param {ObjectState} object @param {Step[]} steps */
  plant(object, steps) {
    const line = lineOfSteps(steps);
    if (line) this.#put(versionOf(object), line);
  }

  /** The steps that make this version, oldest first. @param {ObjectState} object @returns {Step[]} */
  stepsOf(object) {
    /** @type {Step[]} */
    const steps = [];
    for (let line = this.#lineOf(object); line; line = line.before) steps.unshift(line.step);
    return explains(steps, object) ? steps : promptsOf(object);
  }

  /** @param {ObjectState} object @returns {Line | null} */
  #lineOf(object) {
    return this.#lines.get(versionOf(object)) ?? lineOfSteps(promptsOf(object));
  }

  /** @param {string} version @param {Line} line */
  #put(version, line) {
    this.#lines.set(version, line);
    if (this.#lines.size > MAX_VERSIONS) this.#lines.delete(/** @type {string} */ (this.#lines.keys().next().value));
  }
}

/** @param {Step[]} steps @returns {Line | null} */
function lineOfSteps(steps) {
  return steps.reduce((/** @type {Line | null} */ before, step) => ({ step, before }), null);
}

/** @param {Step[]} steps @param {ObjectState} object @returns {boolean} they lead to its points and box */
function explains(steps, object) {
  /** @type {Point[]} */
  const points = [];
  let box = null;
  for (const step of steps) {
    if (step.t === "click") points.push([step.x, step.y, step.label]);
    else if (step.t === "box") box = step.box;
    else if (step.t === "unpoint") points.splice(step.point, 1);
    else if (step.t === "move" && points[step.point]) points[step.point] = [step.x, step.y, points[step.point][2]];
  }
  return JSON.stringify([points, box]) === JSON.stringify([object.points, object.box ?? null]);
}
