"""Every control that is shown can be hit: nothing lies over its middle, nothing cuts it off, in whatever window.

By fingers, too: there each takes 44 pixels of the page both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import CDPSession, Page, Route, expect

from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, Studio, discs, huge, open_clip

pytestmark = pytest.mark.browser

SIZES: dict[str, tuple[int, int, bool]] = {
    "desk": (1280, 800, False),
    "laptop": (1024, 640, False),
    "52rem": (832, 900, False),
    "tablet": (768, 1024, True),
    "phone": (390, 844, True),
    "small phone": (320, 568, True),
    "phone on its side": (844, 390, True),
    "small phone on its side": (568, 320, True),
}
"""Width and height in CSS pixels, and whether fingers point."""
LARGE_TEXT = ("desk", "52rem", "tablet", "phone")
"""The windows that are also looked at with text of twice the size."""
Theme = Literal["light", "dark", "forced colours"]
THEMES: tuple[Theme, ...] = ("light", "dark", "forced colours")
FONT_PX = 16

REACH = """async (withMenus) => {
  await new Promise(requestAnimationFrame); // the page has taken its window in
  const ROLES = ["button", "link", "menuitem", "tab", "radio", "checkbox", "switch", "slider", "option"];
  const CONTROLS = ["button", "a[href]", "input", "select", "textarea", "summary", "canvas:not([role=img])",
    "[tabindex]", ...ROLES.map((role) => `[role=${role}]`)].join();
  const said = (e) => e.id || e.ariaLabel || e.textContent.trim().slice(0, 30) || e.outerHTML.slice(0, 60);
  const whole = (rect) => [rect.left, rect.top, rect.right, rect.bottom].map(Math.round).join(" ");
  const scrolls = (box, axis) => /auto|scroll/.test(getComputedStyle(box)["overflow" + axis]);

  // As a person would: only what scrolls by itself is scrolled.
  function bringIntoView(control) {
    for (let box = control.parentElement; box; box = box.parentElement) {
      const [outer, inner] = [box.getBoundingClientRect(), control.getBoundingClientRect()];
      if (scrolls(box, "Y")) box.scrollTop += (inner.top + inner.bottom - outer.top - outer.bottom) / 2;
      if (scrolls(box, "X")) box.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
    }
  }

  // What of the page may show of it: the window, and every box around it that clips.
  function frameOf(control) {
    const frame = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    let position = getComputedStyle(control).position;
    for (let box = control.parentElement; box && position !== "fixed"; box = box.parentElement) {
      const style = getComputedStyle(box);
      const holds = style.position !== "static" || style.transform !== "none" || style.containerType !== "normal";
      if (position === "absolute" && !holds) continue;
      position = style.position;
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const rect = box.getBoundingClientRect();
      frame.left = Math.max(frame.left, rect.left);
      frame.top = Math.max(frame.top, rect.top);
      frame.right = Math.min(frame.right, rect.right);
      frame.bottom = Math.min(frame.bottom, rect.bottom);
    }
    return frame;
  }

  function troubleWith(control) {
    bringIntoView(control);
    let rect = control.getBoundingClientRect();
    if (rect.bottom <= 0 || rect.right <= 0) { // waits outside for the focus, as a link to skip the rest does
      control.focus();
      rect = control.getBoundingClientRect();
    }
    const trouble = troubleAt(control, rect);
    if (document.activeElement === control) control.blur();
    return trouble;
  }

  function troubleAt(control, rect) {
    const frame = frameOf(control);
    if (rect.left < frame.left - 1 || rect.right > frame.right + 1
      || rect.top < frame.top - 1 || rect.bottom > frame.bottom + 1) {
      return `is cut off: ${whole(rect)} in ${whole(frame)}`;
    }
    const [wide, high] = [control.scrollWidth - control.clientWidth, control.scrollHeight - control.clientHeight];
    if (control.matches("button") && Math.max(wide, high) > 1) return `lacks room for its text: ${wide} by ${high}`;
    const target = (control.labels?.[0] ?? control).getBoundingClientRect();
    const least = Math.min(target.width, target.height);
    if (matchMedia("(pointer: coarse)").matches && least < 43.5 && !control.matches("a, pre")) {
      return `is too small for a finger: ${Math.round(target.width)} by ${Math.round(target.height)}`;
    }
    const hit = document.elementFromPoint((rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2);
    const isIt = hit !== null && (control.contains(hit) || (hit.closest("label")?.control ?? null) === control);
    return isIt ? null : `lies below ${hit ? said(hit) : "nothing"}`;
  }

  function isShown(control) {
    if (!control.checkVisibility({ visibilityProperty: true })) return false;
    if (control.matches('[tabindex="-1"]')) return false; // another control stands for it
    if (getComputedStyle(control).clipPath === "inset(50%)") return false; // for screen readers alone
    // The picture is pointed at once there is one: until then the welcome lies over it.
    return !control.matches("canvas") || (control.ariaHidden !== "true" && globalThis.hoversam.state().shown !== null);
  }

  function look(root) {
    const controls = [...root.querySelectorAll(CONTROLS)].filter(isShown);
    return { count: controls.length, troubles: controls.map((control) => [control, troubleWith(control)])
      .filter(([, trouble]) => trouble).map(([control, trouble]) => `${said(control)} ${trouble}`) };
  }

  const open = document.querySelector("dialog:modal, [popover]:popover-open");
  if (open) return { [said(open)]: look(open) };
  const all = { page: look(document) };
  if (!withMenus) return all;
  for (const menu of document.querySelectorAll("[popover]")) {
    menu.showPopover();
    all[said(menu)] = look(menu);
    menu.hidePopover();
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.showModal();
    all[said(dialog)] = look(dialog);
    dialog.close();
  }
  return all;
}"""
"""Looks at the page, and where asked at each of its menus and dialogs; where one is open already, at that alone."""


class Window:
    """One page, turned from window to window and from theme to theme."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wire: CDPSession = page.context.new_cdp_session(page)

    def each(self, themes: tuple[Theme, ...], fonts_px: tuple[int, ...] = (FONT_PX, 2 * FONT_PX)) -> Iterator[str]:
        """Yield what the window is like, for each that there is."""
        for font_px in fonts_px:
            self.wire.send("Page.setFontSizes", {"fontSizes": {"standard": font_px, "fixed": font_px}})
            for size, (width, height, by_touch) in SIZES.items():
                if font_px > FONT_PX and size not in LARGE_TEXT:
                    continue
                self.wire.send("Emulation.setTouchEmulationEnabled", {"enabled": by_touch, "maxTouchPoints": 5})
                self.page.set_viewport_size({"width": width, "height": height})
                for theme in themes[: len(themes) if font_px == FONT_PX else 1]:
                    self.dress(theme)
                    yield f"{size}, {theme}{', large text' if font_px > FONT_PX else ''}"
        self.wire.send("Page.setFontSizes", {"fontSizes": {"standard": FONT_PX, "fixed": FONT_PX}})

    def dress(self, theme: Theme) -> None:
        forced: Literal["active", "none"] = "active" if theme == "forced colours" else "none"
        self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light", forced_colors=forced)


def unreached(
    studio: Studio,
    least: int,
    *,
    with_menus: bool = False,
    themes: tuple[Theme, ...] = THEMES,
    fonts_px: tuple[int, ...] = (FONT_PX, 2 * FONT_PX),
) -> dict[str, list[str]]:
    """Return what can't be hit on the page as it is, and in which windows; `least` controls are there at any rate."""
    troubles: dict[str, list[str]] = {}
    for window in Window(studio.page).each(themes, fonts_px):
        for place, found in studio.page.evaluate(REACH, with_menus).items():
            if place == "page":
                assert found["count"] >= least, (window, found["count"])
            for trouble in found["troubles"]:
                troubles.setdefault(f"{place}: {trouble}", []).append(window)
    return troubles


def told(troubles: dict[str, dict[str, list[str]]]) -> Iterator[str]:
    for state, found in troubles.items():
        for what, windows in found.items():
            yield f"{state}, {what} ({len(windows)} windows: {'; '.join(windows[:4])})"


def test_every_control_is_reached_in_every_window_theme_and_state(open_studio: OpenStudio, tmp_path: Path) -> None:
    held: list[Route] = []
    studio = open_studio(before=lambda page: page.route("**/api/upload*", lambda route: held.append(route)))  # noqa: PLW0108
    studio.expected = ("WebSocket connection",)
    troubles = {"welcome": unreached(studio, 11)}

    with studio.page.expect_request("**/api/upload*"):
        studio.choose(discs())
    studio.until("s.pending !== null")
    troubles["opening"] = unreached(studio, 11, themes=("light",))

    held[0].continue_()
    studio.until("s.image !== null && s.pending === null")
    troubles["picture"] = unreached(studio, 15)

    studio.page.unroute_all()
    studio.page.locator("#stage").scroll_into_view_if_needed()
    studio.add_object(DISC_A)
    studio.click(DISC_B)
    studio.until("s.objects.length === 2 && s.active !== null")
    troubles["objects, the list put away"] = unreached(studio, 15, themes=("light",))
    studio.page.evaluate("""() => {
      document.getElementById("show-panel").ariaExpanded = "true";
      document.getElementById("found").hidden = false; // as where the model finds something
    }""")
    troubles["objects"] = unreached(studio, 25, with_menus=True)

    studio.keep_toasts()
    studio.press("Delete")
    expect(studio.page.locator("#toast")).to_be_visible()
    studio.page.locator("#file").set_input_files(huge(tmp_path))
    expect(studio.page.locator("#notice")).to_be_visible()
    troubles["notice and toast"] = unreached(studio, 22)
    expect(studio.page.locator("#toast")).to_be_visible()
    studio.press("Escape")
    open_clip(studio)
    troubles["clip"] = unreached(studio, 30, themes=("light",))
    assert "\n".join(told(troubles)) == ""
