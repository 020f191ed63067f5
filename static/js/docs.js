/**
 * Writes the address that this page came from into its commands. The server names its own, which a reverse proxy may
 * hide.
 */

const { root = "", baseUrl = "" } = document.body.dataset;
const own = new URL(`${root}.`, location.href).href.replace(/\/$/, "");
const webSocket = (/** @type {string} */ url) => url.replace(/^http/, "ws");

for (const code of document.querySelectorAll("code.command, #socket-title code")) {
  code.textContent = (code.textContent ?? "").replace(baseUrl, own).replace(webSocket(baseUrl), webSocket(own));
}
