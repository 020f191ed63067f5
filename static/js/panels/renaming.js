/**
 * Names that are written where they stand, in the lists of objects and of classes.
 */

/** @typedef {{ choose: HTMLElement, name: HTMLElement, input: HTMLElement, rename: HTMLElement }} Parts of an entry */

/**
 * A name becomes a field to write in by the pencil, or what is returned. Enter and leaving the field take the name, Esc
 * closes the field and leaves the name; the focus goes back to where it was.
 * @param {Parts} entry @param {(name: string) => void} rename @param {() => void} [begun] the field is there
 * @returns {() => void} begin
 */
export function bindRenaming({ choose, name, input, rename: pencil }, rename, begun = () => {}) {
  const field = /** @type {HTMLInputElement} */ (input);
  /** @type {Element | null} */
  let before = null;
  const begin = () => {
    begun();
    before = document.activeElement;
    field.value = name.textContent ?? "";
    field.hidden = false;
    choose.hidden = true;
    field.focus();
    field.select();
  };
  /** @param {boolean} take @param {boolean} [refocus] */
  const end = (take, refocus = true) => {
    if (field.hidden) return;
    choose.hidden = false;
    field.hidden = true;
    if (take) rename(field.value);
    if (refocus) (before instanceof HTMLCanvasElement ? before : choose).focus({ preventScroll: true });
  };
  pencil.addEventListener("click", begin);
  field.addEventListener("blur", () => end(true, false));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return; // an input method's own Enter
    event.preventDefault();
    end(event.key === "Enter");
  });
  return begin;
}
