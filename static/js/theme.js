// Before the first paint, so that a page in the dark doesn't flash: the theme that was chosen here. Not a module, so as
// to be early.
try {
  const { theme } = JSON.parse(localStorage.getItem("hoversam.preferences") ?? "{}");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off, or holds something else: the system's theme it is.
}
