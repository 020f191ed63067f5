/**
 * The words of the page's model: types alone, which no browser fetches.
 */

import type { Class, Label, LineState, Mask, ModelInfo, ObjectId, ObjectMessage, Recipe, Region, SetOperation, Window } from "../wire/messages.ts";

/** Image pixels. */
export type XY = { x: number; y: number };
/** Pixels. */
export type Size = { width: number; height: number };
/** What a plain click does. */
export type Tool = "new" | "add" | "remove" | "brush" | "eraser";
/** Radius in image pixels, null for one that suits the picture; with `smart` the model is clicked, too. */
export type Brush = { radius: number | null; smart: boolean };
/** What was done, and whether one undo takes it back. */
export type Toast = { text: string; undo: boolean };

// ---- pictures

export type Stage = "uploading" | "queued" | "decoding" | "encoding" | "downloading";

/** How far something has come. */
export interface Progress {
  stage: Stage;
  /** 0 to 1. */
  fraction: number | null;
  /** In the queue for the model. */
  position: number | null;
}

/** What is shown of a picture. */
export interface View {
  bitmap: ImageBitmap | null;
  /** How its pixels are turned: 1 to 8, as EXIF numbers it; upright if absent. */
  orientation?: number;
}

/** What the server says of a picture. */
export interface PictureFacts {
  imageId: string;
  /** Pixels, upright, as `height` is. */
  width: number;
  height: number;
  /** 1 to 8, how the pixels of the file are turned where no mark of it is heeded. */
  orientation: number;
  /** The browser would show it not at all or otherwise; the server has pixels for it. */
  rendered: boolean;
  /** Where it is a clip, and the frame of it that is to be shown. */
  clip?: ClipFacts;
  frame?: number;
}

/** A part of a clip: from `begin` to before `end`, seconds, at most `rate` frames of it in one. */
export type ClipPart = { begin: number; end: number; rate: number };

/** What is known of a file that is worked on as a clip. */
export interface ClipFacts {
  /** The part that is worked on; all of it if null. */
  part: ClipPart | null;
  /** Its name on the server; known once it has been there, as the rest is. */
  id?: string;
  /** When each frame is shown, seconds, and when the last one ends. */
  times?: readonly number[];
  duration?: number;
}

export interface Picture {
  /** Its place in the album: the SHA-256 of the file that was chosen, hex. */
  key?: string;
  /** Of the file; text, never markup. */
  name: string;
  /** Kept to open the picture again where the server lost it. */
  file: Blob;
  /** Null until there is something to show. */
  bitmap: ImageBitmap | null;
  /** How the bitmap is turned, see `View`. */
  orientation?: number;
  /** Pixels, upright, as `height` is. */
  width: number;
  height: number;
  /** Where it is a clip: the bitmap is that of a frame. */
  clip?: ClipFacts;
}

export interface OpenPicture extends Picture {
  /** Of a clip, that of the frame. */
  imageId: string;
  encodeMs: number;
  cached: boolean;
  /** A smaller model answers, until the one that runs has studied the picture. */
  provisional?: boolean;
}

export type PendingPicture = Picture & Progress;

// ---- objects

export type ObjectState = Omit<ObjectMessage, "t" | "seq" | "can_undo" | "can_redo" | "last">;

/** The answer to a hover at x, y, image pixels. */
export interface Preview {
  seq: number;
  x: number;
  y: number;
  /** Its candidates. */
  masks: Mask[];
  /** Index of the candidate that the model prefers. */
  best: number;
  label: Label;
  /** That a click would change. */
  object: ObjectId | null;
}

/** A place that is pointed at or clicked. */
export interface Place {
  point: XY;
  /** The one that is up, or the one that a held key stands for. */
  tool: Tool;
  /** How near one's own point is meant, image pixels. */
  reach: number;
  /** A new object is meant, also where there is one. */
  onTop: boolean;
}

/**
 * What a click gives: a new object, a selected object, a selected point of the active object, a change of an object.
 */
export type Aim =
  | { does: "new" }
  | { does: "select"; object: ObjectId }
  | { does: "point"; object: ObjectId; point: number }
  | { does: "add" | "remove"; object: ObjectId }
  | { does: "paint"; object: ObjectId | null }
  | { does: "erase"; object: ObjectId }
  | { does: "nothing" };

/** Which candidate was shown, and of which prompt. */
export type Lit = { of: string; candidate: number };
/** What brings the work on a picture back; `key` is the picture's place in the album. */
export type KeptWork = { key?: string; recipe: Recipe; active: ObjectId | null; frame?: number };

// ---- clips

/** Masks by frame, and there by object. */
export type FrameMasks = ReadonlyMap<number, ReadonlyMap<ObjectId, Mask>>;
/** The frame that is shown, and the objects as they are on it; what is absent is as it was. */
export type SeenFrame = { picture?: OpenPicture; objects?: ReadonlyMap<ObjectId, ObjectState> };
/** How many frames are done, of how many; each object's count. */
export type Pass = { done: number; frames: number };

/** The clip that is open. */
export interface OpenClip {
  id: string;
  times: readonly number[];
  duration: number;
  /** Number of the frame that is shown. */
  shown: number;
  /** The frame that the server has open: prompts go there. Null until it has one. */
  ready: number | null;
  playing: boolean;
  /** Prompted and followed; those of the frame that is shown are the objects' own, too. */
  masks: FrameMasks;
  /** Objects are being followed. */
  tracking: Readonly<Pass> | null;
  /** A file of it is being made, which was asked for under a number; 0 to 1. */
  saving: Readonly<{ seq: number; fraction: number }> | null;
}

// ---- the album

/** What was done on a picture of the album, and what it looks like. */
export interface Work extends KeptWork {
  /** The mask of each object, so that it is shown and exported without a model. */
  masks: readonly [ObjectId, Mask][];
  /** The masks are those of a smaller model. */
  provisional: boolean;
}

/** What the selected object and others are to make together, and which of them were chosen so far. */
export interface Combining {
  operation: SetOperation;
  others: ReadonlySet<ObjectId>;
}

/** Why a browser doesn't keep something: it has no room, or can't write. */
export type Trouble = "full" | "failed";

/** A picture of the album. */
export interface Entry {
  /** The SHA-256 of the file that was chosen, hex. */
  key: string;
  /** Of the file; text, never markup. */
  name: string;
  /** A person has said so. */
  done: boolean;
  /** Null until it was open. */
  work: Work | null;
  /** The browser has its file; where it hasn't, the file is asked for again. */
  here: boolean;
  /** Why it can't be opened, in the server's words. */
  trouble: string | null;
  /** Where it is worked on as a clip. */
  clip?: ClipFacts;
}

export type Album = ReadonlyMap<string, Readonly<Entry>>;

// ---- the state

export interface Fields {
  /** The pictures of this work by their keys, in the order in which they came. */
  album: Album;
  connection: LineState;
  /** Of the last ping. */
  roundTripMs: number | null;
  /** Name of the model that runs. */
  model: string;
  /** That the server knows. */
  models: readonly ModelInfo[];
  /** Objects that a picture may have, as the server says. */
  maxObjects: number;
  /** What each loaded model runs on, in words. */
  engines: Readonly<Record<string, string>>;
  /** The model that is being changed to. */
  switching: Readonly<Progress & { name: string }> | null;
  /** The person points with fingers: other words for the same thing. */
  byTouch: boolean;
  /** The one that the server has open. */
  picture: Readonly<OpenPicture> | null;
  /** The one on its way there; shown in its place. */
  pending: Readonly<PendingPicture> | null;
  /** The clip that the picture is a frame of. */
  clip: Readonly<OpenClip> | null;
  /** The picture and its prompts are being brought back. */
  restoring: boolean;
  /** Oldest first. */
  objects: ReadonlyMap<ObjectId, Readonly<ObjectState>>;
  /** In their order, which is that of their numbers; they go on from picture to picture. */
  classes: readonly Class[];
  /** The class that new objects get, by name: the one that was given last. */
  sticky: string | null;
  /** Palette index that the next new object is likely to get. */
  nextColor: number;
  /** The object that is selected: what Add and Remove change. */
  active: ObjectId | null;
  /** Index of the point that is selected, of the active object. */
  point: number | null;
  /** What a click would give where the pointer is. */
  aim: Aim | null;
  /** Where the pointer is, image pixels. */
  at: XY | null;
  /** The part of the picture that the server has seen by itself: what is asked in it is answered sharp. */
  sharp: Window | null;
  /** What the server found before anybody asked, the best first. */
  regions: readonly Region[];
  /** The one where the pointer is: outlined until the answer to the hover is there. */
  underPointer: Region | null;
  /** The one that the Tab key has come to: Enter takes it. */
  walkedRegion: Region | null;
  /** All that no object lies on are shown. */
  showsRegions: boolean;
  /** The newest answer to a hover; shown where it is of what is aimed at. */
  preview: Preview | null;
  /** Of the candidate that hovers show, 0 for the smallest; null for the best. */
  rank: number | null;
  /** The next click of the tool New makes an object, also where there is one. */
  onTop: boolean;
  canUndo: boolean;
  canRedo: boolean;
  tool: Tool;
  brush: Readonly<Brush>;
  /** What the selected object and others are to make together. */
  combining: Combining | null;
  /** Objects that are not shown. */
  hidden: ReadonlySet<ObjectId>;
  /** The one object that is shown alone. */
  isolated: ObjectId | null;
  /** The object that the list or the Tab key points at. */
  pointed: ObjectId | null;
  /** The object that the Tab key has come to: keys are meant for it. */
  walked: ObjectId | null;
  /** What went wrong, in the server's words. */
  notice: string | null;
  /** The newest event, for those who listen. */
  said: string;
  /** The newest event that is shown, too. */
  toast: Readonly<Toast> | null;
  /** The file that the server is making. */
  making: string | null;
  /** Counts the changes of what the pointer may rest on: the picture, the objects, the selection. */
  ground: number;
}

/** What the page knows; only model/store.js writes it. */
export type State = Readonly<Fields>;

// ---- the scene: what is drawn beside the state; the stage's own, and changed by it

/** Screen = image * scale + (x, y). */
export interface Viewport {
  /** CSS pixels an image pixel takes. */
  scale: number;
  /** CSS pixels from the canvas's left edge to the image's. */
  x: number;
  /** CSS pixels from the canvas's top edge to the image's. */
  y: number;
}

export interface Scene {
  viewport: Viewport;
  /** Corners of the box being drawn. */
  band: [XY, XY] | null;
  /** Where the brush that is down went through. */
  stroke: XY[] | null;
  /** A point of the active object on its way; its index. */
  dragged: { point: number; to: XY } | null;
  /** Of the keyboard. */
  cursor: XY | null;
  /** Where the pointer is, with a sign of what a click gives beside it, CSS pixels. */
  badge: { x: number; y: number } | null;
  /** A finger looks, and doesn't click. */
  resting: boolean;
  /** Masks are hidden while H is held. */
  hidden: boolean;
}
