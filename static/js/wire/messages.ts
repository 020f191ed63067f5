/**
 * The messages of the wire protocol, version 1: types alone, which no browser fetches.
 *
 * Not covered: encoding (protocol.js), sending (connection.js), what they do to the page (session/dispatcher.js).
 */

/** What an error is about, by the names that its sentence has for it. */
export type Values = Record<string, string | number>;
/** How the socket stands. */
export type LineState = "connecting" | "ready" | "waiting" | "full" | "ended";
/** 1 adds, 0 takes away. */
export type Label = 0 | 1;
export type ObjectId = number;
/** Pixels of the upright image. */
export type Point = [x: number, y: number, label: Label];
/** Pixels; the end is exclusive for a mask's crop. */
export type Box = [x0: number, y0: number, x1: number, y1: number];

/** Whole pixels of the image: a part that the model has seen by itself. */
export type Window = [x0: number, y0: number, x1: number, y1: number];

/** Run lengths inside a crop of a grid that covers the whole image, or its window. */
export interface Mask {
  /** The grid. */
  size: [h: number, w: number];
  /** The crop, in grid cells, end exclusive; all zero for an empty mask. */
  box: Box;
  /** LEB128 run lengths, row-major, background first. */
  runs: Uint8Array;
  /** The model's own predicted IoU. */
  score: number;
  /** Pixels of the image. */
  area: number;
  /** The part of the image that the grid covers; all of it if absent. */
  window?: Window | null;
}

/** A thing that a click may take, found before anybody asked: its mask, no promise, and the click that gives it. */
export type Region = { mask: Mask; x: number; y: number; candidate: number };

/** What made an object, with the candidate that was picked after it; on a clip each step says its frame. */
export type TrailStep = { frame?: number } & (
  | { t: "point"; x: number; y: number; label?: Label; pick?: number; window?: Window }
  | { t: "box"; box: Box; pick?: number; window?: Window }
  | { t: "refine"; pick?: number; window?: Window }
  | { t: "mask"; size: [h: number, w: number]; counts: string }
  | { t: "stroke"; path: [x: number, y: number][]; radius: number; label?: Label }
  | { t: "morph"; operation: Morphology; size?: number }
  | { t: "track"; direction: Direction; last: number; fast?: boolean });
/** Of a clip's time. */
export type Direction = "forward" | "backward";
/** What is done to the shape of a mask. */
export type Morphology = "fill_holes" | "remove_specks" | "smooth" | "grow" | "shrink";
export type SetOperation = "union" | "difference" | "intersection";
/** An object that was made elsewhere. */
export type GivenObject = { trail: TrailStep[]; name?: string };
/** An object without its masks. */
export type RecipeObject = { id: ObjectId; name: string; color: number; trail: TrailStep[] };
/** A class of objects: the name of all of them, and their palette index. Its number is its place in the list. */
export type Class = { name: string; color: number };
/** What one undo or redo does; `classes` is the list that comes back, where it is another. */
export type UndoStep = { objects?: RecipeObject[]; gone?: ObjectId[]; classes?: readonly Class[] };

/** What makes a session again; the next undo or redo comes last. */
export interface Recipe {
  format: "hoversam-recipe";
  version: 1;
  image_id: string;
  name?: string;
  width: number;
  height: number;
  model: string;
  classes?: readonly Class[];
  objects?: RecipeObject[];
  past?: UndoStep[];
  future?: UndoStep[];
}

/** What came out of a label file. */
export type Labels = {
  objects: GivenObject[]; classes: string[]; problems: { where: string; why: string; reason?: string; values?: Values }[]; left_out: number;
};

// ---- from the page

export type Hello = { t: "hello"; version: number; session?: string; token?: string; client?: string };
export type Ping = { t: "ping"; at: number };
/** `provisional`: nano may answer until the model has seen it. */
export type Open = { t: "open"; image_id: string; name?: string; recipe?: Recipe; provisional?: boolean; frame?: number };
/** Show a frame of the clip: prompts go to it from now on. */
export type ShowFrame = { t: "frame"; index: number };
/** Follow objects from the frame that is shown: those that are on it, or those named. */
export type Track = { t: "track"; objects?: ObjectId[]; direction?: Direction | "both"; fast?: boolean; last?: number };
export type Stop = { t: "stop"; of?: number };
export type Hover = { t: "hover"; x: number; y: number; label: Label; object?: ObjectId; ack?: number; window?: Window };
/** `candidate` is the one that was shown there, `name` that of a new object, and so its class. */
export type Click = {
  t: "click"; x: number; y: number; label: Label; object?: ObjectId; candidate?: number; name?: string; window?: Window;
};
export type BoxPrompt = { t: "box"; box: Box; object?: ObjectId; name?: string; window?: Window };
/** Make objects of whole trails in one step, each with its name, and so its class. */
export type Give = { t: "give"; objects: GivenObject[]; classes?: readonly string[] };
export type Combine = { t: "combine"; operation: SetOperation; objects: ObjectId[] };
export type Refine = { t: "refine"; object: ObjectId; window?: Window };
/** `smart` has the model clicked besides, where most of the stroke is new to it. */
export type Paint = {
  t: "paint"; path: [x: number, y: number][]; radius: number; label: Label; object?: ObjectId; smart?: boolean; name?: string;
  window?: Window;
};
export type Morph = { t: "morph"; object: ObjectId; operation: Morphology; size?: number };
export type Move = { t: "move"; object: ObjectId; point: number; x: number; y: number };
export type Unpoint = { t: "unpoint"; object: ObjectId; point: number };
export type Choose = { t: "choose"; object: ObjectId; candidate: number };
export type Rename = { t: "label"; object: ObjectId; name: string };
/** A class that comes as its name alone keeps its colour, or gets one. */
export type SetClasses = { t: "classes"; classes: readonly (Class | string)[] };
/** Under the name of another class both become one; an empty one takes it off the list. */
export type RenameClass = { t: "rename"; name: string; to: string };
export type Delete = { t: "delete"; object: ObjectId };
export type Plain = { t: "leave" } | { t: "clear" } | { t: "undo" } | { t: "redo" };
export type SwitchModel = { t: "model"; name: string };
/** Look for the things of the picture, whenever nobody waits for the model. */
export type FindRegions = { t: "regions" };
/** Have what is seen encoded by itself; `scale` is pixels of the screen for one of the image. */
export type Look = { t: "look"; view: Box; scale: number };
export type ExportFormat = "coco" | "yolo" | "labelme" | "svg" | "mask" | "cutout" | "overlay" | "recipe";
/** How a file is made: of a cutout, and of outlines; see the protocol. */
export type ExportOptions = { trim?: boolean; edge?: "hard" | "soft"; ground?: string; tolerance?: number };
export type Export = { t: "export"; format: ExportFormat; objects?: ObjectId[]; options?: ExportOptions };

/** Answered, but for leave. */
export type Request =
  | Open | Click | BoxPrompt | Give | Combine | Refine | Paint | Morph | Move | Unpoint | Choose | Rename | SetClasses | RenameClass | Delete | Plain | SwitchModel | Export
  | ShowFrame | Track | Stop;
export type Numbered = (Request | Hover | FindRegions | Look) & { seq: number };
export type ClientMessage = Hello | Ping | Numbered;

// ---- from the server; `last` ends an answer of several messages

export type Limits = { max_upload_bytes?: number; max_points?: number; max_objects?: number };
export type ModelInfo = {
  name: string; params_m: number; available: boolean; bundled: boolean; fetchable?: boolean;
};
export type Welcome = {
  t: "welcome"; version: number; session: string; token: string; resumed: boolean; model: string;
  models?: ModelInfo[]; limits?: Limits;
};
export type Progress = {
  t: "progress"; seq: number; stage: string; position?: number | null; fraction?: number | null;
};
export type ImageReady = {
  t: "image"; seq: number; image_id: string; width: number; height: number; model: string; cached: boolean;
  encode_ms: number; orientation?: number; rendered?: boolean; provisional?: boolean; frame?: number | null; last?: boolean;
};
/** Comes before the image of the frame that is shown; a time in seconds for each frame. */
export type ClipReady = {
  t: "clip"; seq: number; clip_id: string; width: number; height: number; times: number[]; duration: number;
};
/** An object's mask on a frame; null where it has none any more. */
export type ObjectMask = { id: ObjectId; mask: Mask | null };
export type MasksMessage = { t: "masks"; seq: number; frame: number; objects: ObjectMask[] };
/** How far a `track` has come, or what another change has had followed again; each object's frames count. */
export type Tracked = { t: "tracked"; seq: number; done: number; frames: number; last?: boolean };
export type PreviewMessage = {
  t: "preview"; seq: number; x: number; y: number; object?: ObjectId | null; best: number; masks: Mask[];
  provisional?: boolean;
};
export type ObjectMessage = {
  t: "object"; seq: number; id: ObjectId; name: string; color: number; points: Point[]; box?: Box | null;
  trail?: TrailStep[]; chosen: number; masks: Mask[]; can_undo: boolean; can_redo: boolean; provisional?: boolean;
  frame?: number | null; last?: boolean;
};
/** The list as it is now, before the objects that have changed with it. */
export type Classes = {
  t: "classes"; seq: number; classes: Class[]; can_undo: boolean; can_redo: boolean; last?: boolean;
};
export type Gone = {
  t: "gone"; seq: number; objects: ObjectId[]; can_undo: boolean; can_redo: boolean; last?: boolean;
};
/** What was found so far, the best first, in the place of what was told before. */
export type Regions = { t: "regions"; seq: number; regions: Region[]; last?: boolean };
/**
 * The part that prompts may name from now on; null where all of the image is as sharp, or where it had to make room: then
 * it comes again once it is there.
 */
export type WindowMessage = { t: "window"; seq: number; window: Window | null };
/** A large one has no data, and an address under the server's. */
export type FileMessage = {
  t: "file"; seq: number; name: string; media_type: string; data: Uint8Array<ArrayBuffer>; url?: string | null;
};
export type Pong = { t: "pong"; at: number; queue_ms: number; decode_ms: number };
export type ErrorMessage = {
  t: "error"; seq?: number | null; code: string; message: string; fatal: boolean; retry_after?: number | null; reason?: string | null; values?: Values | null;
};
export type ServerMessage =
  | Welcome | Progress | ClipReady | ImageReady | PreviewMessage | Classes | ObjectMessage | Gone | MasksMessage | Tracked | Regions
  | WindowMessage | FileMessage | Pong
  | ErrorMessage;
