"""Files of several pictures as one: what `export` gives for each, put together without a server."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from app.protocol.messages import File

DATA_YAML: Final = "data.yaml"
ZIP_TYPE: Final = "application/zip"


def join_files(files: Iterable[File], name: str = "") -> File:
    """Return the exports of several pictures as one file.

    COCO files become one with all images, YOLO's one data set, whatever else a ZIP of what came. Classes have to have
    the same numbers in all: give a session its list before (`set_classes`), or let it grow from picture to picture.

    Args:
        files: of one format, a picture each, in their order.
        name: of the file that is made; by default what its kind is called, such as `all.coco.json`.

    Raises:
        ValueError: there is none, two are of one picture, or a number is another class in two of them.
    """
    all_files = list(files)
    if not all_files:
        raise ValueError("expected files of one picture or more, got none")
    documents = [coco_of(file) for file in all_files]
    if all(documents):
        data = json.dumps(joined_coco([document for document in documents if document])).encode()
        return File(seq=0, name=name or "all.coco.json", media_type="application/json", data=data)
    members = [member for file in all_files for member in members_of(file)]
    yolo = [data for path, data in members if path == DATA_YAML]
    kept = [member for member in members if member[0] != DATA_YAML]
    if yolo:
        kept.insert(0, (DATA_YAML, longest(yolo)))
    return File(seq=0, name=name or "all.zip", media_type=ZIP_TYPE, data=zipped(kept))


def coco_of(file: File) -> dict[str, Any] | None:
    """Return the content of a COCO file, None of any other."""
    if file.media_type != "application/json":
        return None
    content = json.loads(file.data)
    return content if {"images", "annotations", "categories"} <= content.keys() else None


def joined_coco(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one data set of several; their ids are made so that none is there twice."""
    images = [image for document in documents for image in document["images"]]
    ids: set[int] = set()
    for image in images:
        if image["id"] in ids:
            raise ValueError(f"expected each picture once, got {image['file_name']} twice")
        ids.add(image["id"])
    categories: dict[int, dict[str, Any]] = {}
    for category in (category for document in documents for category in document["categories"]):
        known = categories.setdefault(category["id"], category)
        if known["name"] != category["name"]:
            raise ValueError(different(category["id"], known["name"], category["name"]))
    annotations = [annotation for document in documents for annotation in document["annotations"]]
    ordered = [categories[number] for number in sorted(categories)]
    return {**documents[0], "images": images, "annotations": annotations, "categories": ordered}


def members_of(file: File) -> list[tuple[str, bytes]]:
    """Return what is in a ZIP, or the file itself, each with its path."""
    if file.media_type != ZIP_TYPE:
        return [(file.name, file.data)]
    with ZipFile(io.BytesIO(file.data)) as archive:
        own = [(path, archive.read(path)) for path in archive.namelist()]
    stem = file.name.removesuffix(".zip").removesuffix(".masks")
    return own if any(path == DATA_YAML for path, _ in own) else [(f"{stem}/{path}", data) for path, data in own]


def longest(lists: Sequence[bytes]) -> bytes:
    """Return the `data.yaml` that lists most classes, where the others list its first ones."""
    named = [[line for line in text.decode().splitlines() if line.startswith("  ")] for text in lists]
    most = max(named, key=len)
    for lines in named:
        for line, own in zip(most, lines, strict=False):
            if line != own:
                raise ValueError(different(line.split(":")[0].strip(), line.strip(), own.strip()))
    return lists[named.index(most)]


def zipped(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a ZIP."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        seen: set[str] = set()
        for path, data in members:
            if path in seen:
                raise ValueError(f"expected pictures of different names, got {path} twice; rename one of them")
            seen.add(path)
            archive.writestr(path, data)
    return out.getvalue()


def different(number: object, one: object, other: object) -> str:
    """Return what is said of a number that isn't the same class everywhere."""
    return f"expected one list of classes, but {number} is {one!r} and {other!r}; give all pictures the same list"
