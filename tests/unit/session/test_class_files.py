"""Lists of classes as other programs write them, and files that hold none."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadMessageError
from app.protocol.fields import MAX_CLASSES
from app.session.class_files import MAX_TEXT_BYTES, read_classes
from app.session.names import readable


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("classes.txt", "cat\ndog\n", ["cat", "dog"]),
        ("classes.txt", "cat\r\ndog\r\n\r\n  \r\n", ["cat", "dog"]),
        ("classes.txt", "\ufeffcat\n traffic light \n#1\n", ["cat", "traffic light", "#1"]),
        ("obj.names", "cat\rdog", ["cat", "dog"]),
        ("labels", "__ignore__\n_background_\nKäfer 🐞", ["__ignore__", "_background_", "Käfer 🐞"]),
        ("data.yaml", "names: [cat, dog]\n", ["cat", "dog"]),
        ("data.yaml", "path: ../x\ntrain: images\nnc: 2\nnames:\n- cat\n- 'dog: big'\n", ["cat", "dog: big"]),
        ("coco8.YML", "names:\n  0: cat\n  1: dog # a comment\n", ["cat", "dog"]),
        ("data.yaml", "names: {1: dog, 0: cat}", ["cat", "dog"]),
        ("data.yaml", "names: [no, 1, 2.50, null, ~, 2026-01-01]", ["no", "1", "2.50", "null", "~", "2026-01-01"]),
        ("data.yaml", "a: &a cat\nnames: [*a, dog]", ["cat", "dog"]),
        ("coco.json", '{"categories": [{"id": 18, "name": "dog", "x": 1}, {"id": 1, "name": "cat"}]}', ["cat", "dog"]),
        ("COCO.JSON", '{"images": [{}], "annotations": [1], "categories": [{"id": 0, "name": "cat"}]}', ["cat"]),
    ],
)  # fmt: skip
def test_a_list_is_read_in_its_order(name: str, text: str, names: list[str]) -> None:
    assert list(read_classes(text.encode(), name)) == names


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_notepads_encodings_are_read(encoding: str) -> None:
    assert read_classes("cat\r\nKäfer\r\n".encode(encoding), "classes.txt") == ("cat", "Käfer")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("classes.txt", "", "without a class"),
        ("classes.txt", " \n\n", "without a class"),
        ("classes.txt", "cat\n\ndog\n", "line 2: a class without a name"),
        ("classes.txt", "cat\ndog\ncat\n", "line 3: 'cat' is there already, at line 1"),
        ("classes.txt", "cat\n" + "x" * 257, "line 2: a name takes 256 characters, got 257"),
        ("classes.txt", "\n".join(map(str, range(MAX_CLASSES + 1))), f"most {MAX_CLASSES} classes"),
        ("classes.txt", "x" * (MAX_TEXT_BYTES + 1), f"at most {MAX_TEXT_BYTES} bytes"),
        ("data.yaml", "nc: 1\n", "expected names in a data.yaml"),
        ("data.yaml", "names: cat", "expected names in a data.yaml"),
        ("data.yaml", "- cat", "expected names in a data.yaml"),
        ("data.yaml", "", "expected names in a data.yaml"),
        ("data.yaml", "names: []", "without a class"),
        ("data.yaml", "nc: 3\nnames: [cat, dog]", "line 1: nc is 3, but names has 2"),
        ("data.yaml", "names:\n  0: cat\n  2: dog\n", "no class 1; number them from 0"),
        ("data.yaml", "names:\n  1: cat\n  2: dog\n", "no class 0; number them from 0"),
        ("data.yaml", "names:\n  0: cat\n  0: dog\n", "line 3: expected each number once, counting from 0, got '0'"),
        ("data.yaml", "names:\n  cat: 0\n", "line 2: expected each number once, counting from 0, got 'cat'"),
        ("data.yaml", "names:\n  -1: cat\n", "line 2: expected each number once"),
        ("data.yaml", "names:\n- cat\n- [dog]\n", "line 3: expected a name, got a list or map"),
        ("data.yaml", "names:\n- cat\n-\n", "line 3: a class without a name"),
        ("data.yaml", "names:\n- cat\n- dog\n- cat", "line 4: 'cat' is there already, at line 2"),
        ("data.yaml", "names: [cat, dog\ntrain: x", "line 2: no YAML"),
        ("data.yaml", "a: b\n\tnames: [cat]", "line 2: no YAML"),
        ("data.yaml", "[" * 10_000, "no YAML"),
        ("coco.json", "{}", "expected a COCO JSON with categories"),
        ("coco.json", "[]", "expected a COCO JSON with categories"),
        ("coco.json", "not JSON", "expected a COCO JSON with categories"),
        ("coco.json", '{"categories": [{"name": "cat"}]}', "expected a COCO JSON with categories"),
        ("coco.json", '{"categories": []}', "without a class"),
        ("coco.json", '{"categories": [{"id": 3, "name": "a"}, {"id": 3, "name": "b"}]}', "category 3: two categories"),
        ("coco.json", '{"categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]}', "category 2: 'a' is there"),
        ("coco.json", '{"categories": [{"id": 1, "name": ""}]}', "category 1: a class without a name"),
        ("coco.json", '{"a":' * 100_000, "expected a COCO JSON with categories"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_with_the_line_and_why(name: str, text: str, words: str) -> None:
    with pytest.raises(BadMessageError) as caught:
        read_classes(text.encode(), name)
    assert words in caught.value.message


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(BadMessageError, match="line 2: expected text in UTF-8"):
        read_classes("cat\nKäfer".encode("latin-1"), "classes.txt")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(["a.txt", "a.yaml", "a.json"]))
def test_whatever_comes_is_a_list_or_a_clear_error(data: bytes, name: str) -> None:
    with contextlib.suppress(BadMessageError):
        names = read_classes(data, name)
        assert names
        assert len(set(names)) == len(names)


NAMES = st.text(min_size=1, max_size=8).map(readable).filter(bool)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_what_we_write_we_read(names: list[str]) -> None:
    text = "".join(f"{name}\n" for name in names)
    assert list(read_classes(text.encode(), "classes.txt")) == names
    yaml = "names:\n" + "".join(
        f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in enumerate(names)
    )
    assert list(read_classes(yaml.encode(), "data.yaml")) == names
    coco = {"categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)]}
    assert list(read_classes(json.dumps(coco).encode(), "coco.json")) == names
