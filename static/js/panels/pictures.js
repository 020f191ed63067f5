/**
 * The album and its filmstrip, put together; fetched when the first picture comes.
 */

import { shrunk } from "../canvas/halving.js";
import { Thumbs } from "../files/thumbs.js";
import { Browsing } from "../session/browsing.js";
import { AlbumMenu } from "./album-menu.js";
import { Film } from "./film.js";

/** @import { AlbumStorage } from "../files/album-storage.js" */
/** @import { Store } from "../model/store.js" */
/** @import { AlbumOutside } from "../session/types.ts" */
/** @import { Studio } from "../session/studio.js" */

/** @import { Ways } from "./album-menu.js" */

/**
 * @typedef {object} Pictures
 * @property {Browsing} browsing
 * @property {(file: File) => Promise<void>} openProject
 * @property {(key: string) => void} thumbed a picture has got a thumbnail
 * @property {() => void} update brings their panels up to the state
 */

/**
 * @param {Store} store @param {Studio} studio
 * @param {AlbumOutside & { storage: AlbumStorage }} outside @param {Ways} ways
 * @returns {Pictures}
 */
export function gather(store, studio, outside, ways) {
  const browsing = new Browsing(store, studio, outside);
  /** @type {Film} */
  const film = new Film(store, browsing, new Thumbs(outside.storage, (key) => film.shows(key), shrunk));
  const menu = new AlbumMenu(store, browsing, outside.storage, ways);
  return {
    browsing,
    thumbed: (key) => film.redraw(key),
    openProject: (file) => menu.openProject(file),
    update() {
      film.update();
      menu.update();
    },
  };
}
