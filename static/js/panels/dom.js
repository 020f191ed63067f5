/**
 * The page's elements: how they are found, and changed only where they differ.
 */

/** @param {string} id @returns {HTMLElement} */
export function find(id) {
  const element = document.getElementById(id);
  if (element === null) throw new ReferenceError(`the page has no #${id}`);
  return element;
}

/**
 * @param {Element} element that a template or the page's markup has in it
 * @param {string} name of the part
 * @returns {HTMLElement}
 */
export function partOf(element, name) {
  const found = element.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new ReferenceError(`the markup has no part ${name}`);
  return found;
}

/** Make an element of a template. @param {string} id of the template @returns {HTMLElement} */
export function stamp(id) {
  const { content } = /** @type {HTMLTemplateElement} */ (find(id));
  return /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (content.cloneNode(true)).firstElementChild);
}

/**
 * Set a text only where it differs, so that screen readers aren't told twice.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} label */
export function setLabel(element, label) {
  if (element.getAttribute("aria-label") !== label) element.setAttribute("aria-label", label);
}

/** @param {Element} button @param {boolean} pressed */
export function setPressed(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

/** Bring the list in where it is a sheet, or put it away. @param {boolean} shown */
export function showPanel(shown) {
  find("show-panel").setAttribute("aria-expanded", String(shown));
}

/** Give the keys to the picture. */
export function focusPicture() {
  find("canvas").focus({ preventScroll: true });
}

/**
 * A control that goes away or dead under the focus would drop it to the page's top.
 * @param {HTMLElement} element that is going
 */
export function giveFocusBack(element) {
  if (element.contains(document.activeElement)) focusPicture();
}
