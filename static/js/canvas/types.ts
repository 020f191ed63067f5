/**
 * What the pointer means, and how masks look: types alone, which no browser fetches.
 */

import type { Viewport } from "../model/types.ts";

/** CSS pixels of the canvas. */
export type Spot = { x: number; y: number };
export type Rect = { x: number; y: number; width: number; height: number };
/** Keys and buttons that turn a click into another; `right` is the eraser of a pen, too. */
export type Held = { shift: boolean; alt: boolean; right: boolean };
/** A button or a finger that is down; `rested`: it looks, and clicks nothing. */
export type Press = { from: Spot; held: Held; touch: boolean; rested: boolean };

/** What a pointer does, as it is told to the stage. */
export interface Intents {
  hover(at: Spot, held: Held): void;
  leave(): void;
  click(at: Spot, held: Held): void;
  /** A finger has rested; returns whether it looks: lifted now, it clicks nothing. */
  rest(): boolean;
  /** Returns whether a drag that begins there draws or moves something. */
  isDraggable(at: Spot, held: Held): boolean;
  /** A box is being drawn. */
  boxing(from: Spot, to: Spot): void;
  box(from: Spot, to: Spot, held: Held): void;
  /** The box that was being drawn is void. */
  cancel(): void;
  pan(dx: number, dy: number): void;
  zoom(at: Spot, factor: number): void;
  /** Another candidate. */
  cycle(step: 1 | -1): void;
  isPanKeyDown(): boolean;
  /** The wheel turns; returns whether it was for the brush. */
  resize(steps: number): boolean;
}

/** How masks look: opacity of their fill, 0 to 1, or no fill at all. */
export type Look = { opacity: number; outlines: boolean };
/** Opacity of the fill; width of the line, CSS pixels; a white line around. */
export type Style = { fill: number; line: number; halo?: boolean };
/** What a click gives, beside the pointer: a new object, more of one, less of one. */
export type Sign = "*" | "+" | "−";
export type Context = CanvasRenderingContext2D;
/**
 * Draws something of the picture, on a canvas that a view lies on, all widths times `thin`; returns how many points it
 * has, which is how long that takes.
 */
export type Piece = (context: Context, view: Viewport, thin: number) => number;
/** A mask's outlines at some size. */
export type Drawing = { path: Path2D; points: number };
