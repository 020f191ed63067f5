"""Every word that the page shows is from its table: it is walked through in an imagined language.

That language is longer, accented, and written from right to left; what shows Latin letters of its own is no message.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.test_reach import FONT_PX, told, unreached
from tests.helpers.pseudo import PSEUDO
from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, Studio, discs, huge

pytestmark = pytest.mark.browser

NOTE_CANVAS = """
  globalThis.painted = new Set();
  for (const name of ["fillText", "strokeText"]) {
    const paint = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (text, ...rest) {
      globalThis.painted.add(text);
      return paint.call(this, text, ...rest);
    };
  }
"""
SAID = """() => {
  const said = [["title", document.title], ...[...globalThis.painted].map((text) => ["canvas", text])];
  const roots = [document.body, ...[...document.querySelectorAll("template")].map(({ content }) => content)];
  for (const root of roots) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const around = node.parentElement;
      if (around?.closest("script, style, .foot li")) continue;
      said.push([around?.id || around?.className || "text", node.data]);
    }
    for (const element of root.querySelectorAll("*")) {
      for (const name of ["title", "aria-label", "placeholder", "alt", "aria-valuetext", "aria-description", "label"]) {
        if (element.hasAttribute(name)) said.push([`${element.id} ${name}`, element.getAttribute(name)]);
      }
    }
  }
  return said;
}"""
"""All that the page shows or says now, hidden parts too."""
OWN = re.compile(
    r"\b(HoverSAM|Object \d+|discs2?\.png|notes\.txt"
    r"|classes\.txt|data\.yaml|categories\.json|geometry on cpu|huge\.png"
    r"|mine|fake|torch|tiny|small|base_plus|large|nano|p50|p95"
    r"|(Ctrl|Shift|Page(Up|Down)|Alt|Enter|Tab|Delete|Backspace)(?=\W|$)|\d[\d.]*(?:\+\w+)?)"
)
"""What isn't translated: names of files, objects, classes and models."""
LETTERS = re.compile(r"[A-Za-z]{2}")


def foreign(studio: Studio) -> list[str]:
    """Return what the page says that is no message of its table, and where."""
    return [
        f"{where}: {text.strip()}" for where, text in studio.page.evaluate(SAID) if LETTERS.search(OWN.sub("", text))
    ]


def walked_by_keys(studio: Studio) -> dict[str, list[str]]:
    """Return what is foreign in the picker of classes, in the help and with each tool."""
    page, found = studio.page, {}
    studio.press("c")
    page.locator("#class-written").fill("mine")
    found["picker"] = foreign(studio)
    page.keyboard.press("Enter")
    studio.until("s.objects[0].name === 'mine'")
    for keys in ("?", "Escape", "b", "e", "n", "Tab"):
        studio.press(keys)
        found[keys] = foreign(studio)
    return found


def gone_wrong(studio: Studio, folder: Path) -> dict[str, list[str]]:
    """Return what is foreign in the errors of files."""
    page, found = studio.page, {}
    page.locator("#show-classes-menu").click()
    page.locator("#classes-file").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"a\n\nb"})
    expect(page.locator("#notice")).to_contain_text("notes.txt")
    found["a list of classes that is wrong"] = foreign(studio)
    page.locator("#labels-file").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"0 1\n9 .2 .2 .1 .1\n"}
    )
    expect(page.locator("#notice")).to_contain_text("2")
    found["labels that are wrong"] = foreign(studio)
    studio.press("Delete")
    expect(page.locator("#toast")).to_be_visible()
    page.locator("#file").set_input_files(huge(folder))
    expect(page.locator("#notice")).to_contain_text("huge.png")
    found["toast, and a picture that is too large"] = foreign(studio)
    page.locator("#file").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"<p>no picture"})
    expect(page.locator("#notice")).not_to_contain_text("huge.png")
    found["no picture"] = foreign(studio)
    return found


def opened_menus(studio: Studio) -> dict[str, list[str]]:
    """Return what is foreign in the menus."""
    page, found = studio.page, {}
    for name in ("save-menu", "times-menu", "look-menu", "model-menu", "pictures-menu"):
        page.evaluate("name => document.getElementById(name).showPopover()", name)
        found[name] = foreign(studio)
        page.evaluate("name => document.getElementById(name).hidePopover()", name)
    return found


def mirrored(studio: Studio) -> None:
    """Check that all but the picture is mirrored."""
    page = studio.page
    sides = page.evaluate("""() => Object.fromEntries([".brand", "#show-help", ".panel", "#undo", "#redo"].map(
      (name) => [name, document.querySelector(name).getBoundingClientRect().left]))""")
    assert sides[".brand"] > sides["#show-help"]
    assert sides[".panel"] == 0
    assert sides["#undo"] > sides["#redo"]
    cells = page.evaluate(
        "() => [...document.querySelectorAll('.film-cell')].map((e) => e.getBoundingClientRect().left)"
    )
    assert cells[0] > cells[1]  # the first picture is where lines begin
    lefts = page.evaluate("""() => {
      const range = document.createRange();
      const text = document.getElementById("file-size").firstChild;
      const left = (at) => {
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().left;
      };
      return [text.data.indexOf("640"), text.data.indexOf("400")].map(left);
    }""")
    assert lefts[0] < lefts[1]  # 640 x 400, not 400 x 640
    studio.press("n")
    studio.click(DISC_B)  # the picture itself is not mirrored
    studio.until("s.objects.at(-1)?.points.length > 0")
    assert studio.state()["objects"][-1]["points"][0][:2] == pytest.approx(DISC_B, abs=2)


def test_every_word_is_from_the_table_and_fits_and_the_page_is_mirrored(
    open_studio: OpenStudio, tmp_path: Path
) -> None:
    studio = open_studio(before=lambda page: page.add_init_script(NOTE_CANVAS), locale=PSEUDO)
    studio.expected = ("WebSocket connection", "status of 4")
    page = studio.page
    found = {"welcome": foreign(studio)}
    troubles = {"welcome": unreached(studio, 11, themes=("light",), fonts_px=(FONT_PX,))}
    other: FilePayload = {**discs((10, 20, 30)), "name": "discs2.png"}
    page.locator("#file").set_input_files([discs(), other])
    studio.until("s.image !== null && s.pending === null")
    expect(page.locator(".film-cell")).to_have_count(2)
    found["pictures"] = foreign(studio)
    studio.add_object(DISC_A)
    studio.hover(DISC_A)  # its name is painted
    page.evaluate("() => { document.getElementById('show-panel').ariaExpanded = 'true'; }")
    troubles["objects"] = unreached(studio, 25, with_menus=True, themes=("light",), fonts_px=(FONT_PX,))
    page.set_viewport_size({"width": 1280, "height": 800})
    found |= walked_by_keys(studio) | gone_wrong(studio, tmp_path) | opened_menus(studio)
    assert "\n".join(f"{state}, {text}" for state, said in found.items() for text in said) == ""
    assert "\n".join(told(troubles)) == ""
    mirrored(studio)
