/**
 * What a session needs of the browser and the server, and hands to its parts: types alone, which no browser fetches.
 */

import type { History } from "../model/history.js";
import type { Latency } from "../model/latency.js";
import type { ClipFacts, Entry, KeptWork, Picture, PictureFacts, Trouble, View, Work } from "../model/types.ts";
import type { Store } from "../model/store.js";
import type { ClientMessage, ErrorMessage, Welcome } from "../wire/messages.ts";
import type { Actions } from "./actions.js";
import type { Clips } from "./clips.js";
import type { Exchange } from "./exchange.js";
import type { Restorer } from "./restorer.js";
import type { Sight } from "./sight.js";

/** The socket. */
export interface Line {
  /** Returns false where there is no session to send it in. */
  send(message: ClientMessage): boolean;
  /** The session is there. */
  begin(message: Welcome): void;
  /** Measure the way there and back. */
  ping(): void;
  /** The server refuses something; returns true where it is the session itself. */
  refuse(message: ErrorMessage): boolean;
}

export interface Outside {
  line: Line;
  /** Send a picture or a clip; `onFraction` is told how much of it has left, 0 to 1. */
  upload(picture: Pick<Picture, "file" | "name" | "clip">, onFraction: (fraction: number) => void, signal: AbortSignal): Promise<PictureFacts>;
  /** Return the picture as the server sees it; the bitmap is as the browser does. */
  view(file: Blob, facts: PictureFacts, bitmap: ImageBitmap | null): Promise<View>;
  /** Return what the models run on, in words; null where nobody answers. */
  engines(): Promise<Record<string, string> | null>;
  /** Milliseconds. */
  now(): number;
  /** Wait before an attempt; `attempt` counts from 0. */
  pause(attempt: number): Promise<void>;
  /** The newest number that may have been used in the session that is to be resumed. */
  lastSeq: number;
  /** Keep the number up to which numbers may be used. */
  reserve(seq: number): void;
  /** Gets how long things take. */
  latency: Latency;
}

/** Where the browser keeps an album: its entries under their keys, and their files. */
export interface AlbumStorage {
  /** Keep an entry as it is now. */
  put(entry: Readonly<Entry>): void;
  /** What is kept outlives the page. */
  readonly isLasting: boolean;
  /** Why what was done last isn't kept; null where it is, or where nothing ever is. */
  readonly trouble: Trouble | null;
  /** Keep a picture's file; returns why it isn't kept, null where it is. */
  putFile(key: string, file: Blob): Promise<Trouble | null>;
  /** Return a picture's file, null where it isn't kept. */
  file(key: string): Promise<Blob | null>;
  /** Keep which picture is looked at. */
  stand(key: string): void;
  /** Forget a picture. */
  remove(key: string): Promise<void>;
}

/** What going from picture to picture needs of the browser. */
export interface AlbumOutside {
  storage: AlbumStorage;
  /** Return the picture of a file, or that frame of a clip; one that can't be shown has no bitmap. */
  read(file: Blob, name: string, clip?: ClipFacts, work?: Work | null): Promise<Picture>;
  /** Return the SHA-256 of a file, hex. */
  hash(file: Blob): Promise<string>;
  /** Ask the browser not to throw away what is kept. */
  persist(): void;
  /** Have a person choose a picture that isn't kept. */
  askFor(): void;
  /** Of a file that the server takes. */
  maxBytes: { picture: number; clip: number };
}

/** What going from frame to frame needs of the browser. */
export interface ClipOutside {
  /** Return a frame's picture, where it is here. */
  held(clipId: string, index: number): ImageBitmap | null;
  /** Return a frame's picture as soon as it is here; null where others were wanted more. */
  read(clipId: string, index: number): Promise<ImageBitmap | null>;
  /** A frame is likely to be wanted. */
  ahead(clipId: string, index: number): void;
  /** Milliseconds. */
  now(): number;
  /** Call before the browser draws next. */
  next(callback: () => void): void;
}

/** What clips are joined to. */
export interface ClipParts {
  store: Store;
  exchange: Exchange;
  actions: Actions;
}

/** What the server's messages are for. */
export interface Parts {
  store: Store;
  line: Line;
  exchange: Exchange;
  restorer: Restorer;
  history: History;
  sight: Sight;
  latency: Latency;
  /** What clips are for; null before there was one. */
  clips(): Clips | null;
  /** Ask what the models run on. */
  learnEngines(): Promise<void>;
}

/** The work as it was. */
export type Saved = KeptWork & { picture: Picture };
