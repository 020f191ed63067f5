"""The page's words on the server: which language, and that templates and errors have theirs."""

from __future__ import annotations

import ast
import pickle
import re
from functools import cache
from pathlib import Path

import pytest

from app.errors import HoverError, Reason, TooManyPointsError
from app.realtime.closing import error_message
from app.web.problems import problem
from app.web.words import Words, chosen, load_words
from tests.helpers.pseudo import pseudo
from tests.helpers.sources import tree_of

ROOT = Path(__file__).parents[3]
ENGLISH = load_words(ROOT / "static" / "words")["en"].table
FILE_ERRORS = {
    "BadMessageError",
    "ClipTooLongError",
    "CorruptImageError",
    "ImageTooLargeError",
    "TooManyPixelsError",
    "UnsupportedImageError",
}
LANGUAGES = {name: Words(name, {"page.direction": "ltr"}) for name in ("en", "de", "pt-BR")}


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-AT, en;q=0.8", "de"),
        ("fr, de;q=0.2, en;q=0.9", "en"),
        ("pt-br", "pt-BR"),
        ("de;q=0, *", "en"),
        ("de;q=2, \x00;;, " + "x," * 99, "en"),
    ],
)
def test_a_browser_gets_the_language_that_it_likes_best_of_those_there_are(asked: str, language: str) -> None:
    assert chosen(LANGUAGES, asked).language == language


def test_markup_of_a_message_is_escaped_but_for_keys_and_stress() -> None:
    words = Words("en", {"a": "<strong>Press</strong> <kbd>C</kbd> <script>x</script> & go"})
    assert str(words.rich("a")) == ("<strong>Press</strong> <kbd>C</kbd> &lt;script&gt;x&lt;/script&gt; &amp; go")


@cache
def reasons() -> dict[str, set[str]]:
    """Return the key of every reason of an error, and the values that it comes with."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                values = {keyword.arg or "" for keyword in node.keywords}
                for name in ast.walk(node.args[0]):
                    if isinstance(name, ast.Constant):
                        found[str(name.value)] = found.get(str(name.value), values) & values
    return found


def test_every_reason_of_an_error_has_its_sentence_with_values_that_come_with_it() -> None:
    made = reasons()
    assert len(made) > 50
    for key, values in made.items():
        sentences = [
            text for name, text in ENGLISH.items() if name == f"error.{key}" or (name.endswith(key) and key[:1] == "_")
        ]
        assert sentences, key
        for sentence in sentences:
            assert set(re.findall(r"\{(\w+)[,}]", sentence)) <= values, (key, sentence)


def test_every_code_of_an_error_has_its_sentence() -> None:
    kinds = [HoverError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert [kind.code for kind in kinds if f"code.{kind.code}" not in ENGLISH] == []


@pytest.mark.parametrize("package", ["clips", "imports", "pictures"])
def test_whatever_is_wrong_with_a_file_is_said_in_the_pages_words(package: str) -> None:
    plain = [
        f"{path.name}:{node.lineno}"
        for path in (ROOT / "app" / package).rglob("*.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in FILE_ERRORS
        and (isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp) or ast.unparse(node.args[0]).isupper())
    ]
    assert plain == []


def test_no_sentence_is_there_for_nothing() -> None:
    files = [*(ROOT / "static" / "js").rglob("*.js"), *(ROOT / "templates").rglob("*.html")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    said = {*re.findall(r"""["'`]([\w.]+)["'`]""", text), *(f"error.{key}" for key in reasons())}
    beginnings = tuple({*re.findall(r"""[`"']([\w.]+\.)(?:\$\{|["'] ?~)""", text), "error.kind_"})
    endings = tuple({*re.findall(r"\}(\w+)`", text), *(key for key in reasons() if key.startswith("_"))})
    unsaid = [
        key for key in ENGLISH if key not in said and not key.startswith(beginnings) and not key.endswith(endings)
    ]
    assert unsaid == []


def test_a_reason_reaches_the_socket_and_http_and_another_process() -> None:
    error = TooManyPointsError(Reason("points", "an object takes at most {most} points", most=64))
    message = error_message(error, 3)
    assert (message.message, message.reason, message.values) == (
        "an object takes at most 64 points",
        "points",
        {"most": 64},
    )
    assert problem(400, "BAD_REQUEST", error.reason or "", {}).content == {
        "detail": {"code": "BAD_REQUEST", "message": message.message, "reason": "points", "values": {"most": 64}}
    }
    again = pickle.loads(pickle.dumps(error.reason))
    assert (again, again.key, again.values) == (message.message, "points", {"most": 64})
    plain = error_message(TooManyPointsError("no more"), None)
    assert (plain.reason, plain.values) == (None, None)


def test_the_imagined_language_leaves_what_a_message_is_made_of() -> None:
    assert pseudo("{count, plural, one {# cat} other {# cats}} of {name}: <kbd>C</kbd>") == (
        "⟦{count, plural, one {# çàţ} other {# çàţš}} öƒ {name}: <kbd>Ç</kbd>·········⟧"
    )
