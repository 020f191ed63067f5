"""A ZIP of labels: which of its files are those of the picture, and reading them. Pure.

Decision: a file of the picture's own name goes before all others. Context: data sets hold the labels of many pictures,
often the pictures too, and lists of them; systems add files that nobody sees. Choice: what bears the picture's name, as
a file or a folder, is its own, first JSON, then YOLO's text, then masks; a lone label file is taken whatever it is
called, and masks where none bears a name of a picture. Price: labels that were renamed have to be taken out of the ZIP.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from app.arrays import MaskArray
from app.errors import BadMessageError, Reason
from app.exports.names import fit_for_files
from app.imports.documents import KINDS, has_picture, read_json
from app.imports.label_map import BY_CLASS, BY_OBJECT, STEM, ClassPicture, read_label_map
from app.imports.names import folded, is_upload_of, stem
from app.imports.pictures import opened, read_mask, rgb_of
from app.imports.texts import text_of
from app.imports.values import LabelCollector
from app.imports.yolo import read_yolo
from app.protocol.fields import MAX_FILE_BYTES
from app.session.class_files import MAX_TEXT_BYTES, read_classes

MAX_MEMBERS: Final = 10_000
PICTURE_ENDINGS: Final = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif")
PICTURE_FOLDERS: Final = ("images", "jpegimages", "imgs", "img")
"""Where data sets keep the pictures themselves."""
UNSEEN: Final = (".", "__MACOSX")
"""How files and folders begin that a system adds and doesn't show."""
LIST_ENDINGS: Final = ("yaml", "yml", "names")
LIST_STEMS: Final = ("classes", "obj.names")
MIN_LINE: Final = 5
"""Numbers of the shortest line of YOLO's labels."""
HEAD_BYTES: Final = 2**10
PARTED: Final = " ._-"
"""What stands between a picture's name and the word `mask`."""


class Archive:
    """The files of a ZIP that a person put there, and the picture that labels are wanted for."""

    def __init__(self, archive: ZipFile, picture_name: str | None) -> None:
        """Look at a ZIP for the labels of a picture, by its file name where it has one."""
        self._archive = archive
        self._room = MAX_FILE_BYTES
        own = stem(picture_name or "")
        self.wanted = own or "the picture"
        self._own = {folded(own), folded(fit_for_files(own))} if own else set[str]()
        self.members = [each for each in archive.infolist()[:MAX_MEMBERS] if not each.is_dir() and is_seen(each)]
        if not any(map(self.is_own_mask, self.members)):
            names = {folded(stem(each.filename)) for each in self.members}
            self._own |= {name for name in names if any(is_upload_of(name, each) for each in self._own)}

    def of_ending(self, *endings: str) -> list[ZipInfo]:
        """Return the files of some endings, in their order."""
        return [each for each in self.members if ending_of(each) in endings]

    def is_own(self, member: ZipInfo) -> bool:
        """Return whether a file bears the name of the picture."""
        return folded(stem(member.filename)) in self._own

    def is_own_mask(self, member: ZipInfo) -> bool:
        """Return whether a mask bears the name of the picture, also with the word `mask`, or lies in a folder of it."""
        name = folded(stem(member.filename))
        bare = name.removesuffix("masks").removesuffix("mask").rstrip(PARTED)
        folders = {folded(folder) for folder in PurePosixPath(member.filename).parts[:-1]}
        return bool({name, bare} & self._own or folders & self._own)

    def has_room(self, member: ZipInfo) -> bool:
        """Return whether a file may be read beside those that were."""
        return member.file_size <= self._room

    def data_of(self, member: ZipInfo, max_bytes: int | None = None) -> bytes:
        """Return a file out of the ZIP; all together take no more than one file may.

        Raises:
            BadMessageError: it is larger than it may be.
        """
        most = self._room if max_bytes is None else max_bytes
        with self._archive.open(member) as file:
            data = file.read(most + 1)
        if len(data) > most:
            text = "{name} in the ZIP has more than {most} bytes"
            raise BadMessageError(Reason("zip_member", text, name=member.filename[-100:], most=most))
        self._room -= 0 if max_bytes is not None else len(data)
        return data

    def head_of(self, member: ZipInfo) -> bytes:
        """Return the first bytes of a file."""
        with self._archive.open(member) as file:
            return file.read(HEAD_BYTES)


def read_archive(data: bytes, found: LabelCollector, picture_name: str | None, names: Sequence[str]) -> None:
    """Take in the labels of a picture out of a ZIP: of COCO, LabelMe or YOLO, or masks.

    Args:
        data: the ZIP.
        found: where they go.
        picture_name: file name of the picture.
        names: of the session's classes, for labels of YOLO whose list isn't in the ZIP.

    Raises:
        BadMessageError: it can't be read, or has nothing for the picture.
    """
    try:
        with ZipFile(io.BytesIO(data)) as zipped:
            archive = Archive(zipped, picture_name)
            document = document_in(archive, found, picture_name)
            labels = None if document else labels_in(archive)
            if document is not None:
                read_json(document, found, picture_name)
            elif labels is not None:
                read_yolo(text_of(archive.data_of(labels)), found, classes_in(archive) or names)
            else:
                read_masks(archive, found)
    except (BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error) as error:
        raise BadMessageError(
            Reason("zip_unread", "the ZIP can't be read ({cause})", cause=str(error)[:100])
        ) from error


def document_in(archive: Archive, found: LabelCollector, picture_name: str | None) -> bytes | None:
    """Return the JSON with the labels of the picture, None where there is none."""
    documents = sorted(archive.of_ending("json"), key=lambda each: not archive.is_own(each))
    labels = []
    for member in documents:
        if not archive.has_room(member):
            continue
        data = archive.data_of(member)
        answer = has_picture(data, found.image, picture_name, is_own=archive.is_own(member))
        if answer:
            return data
        labels += [data] if answer is False else []
    return labels[0] if len(labels) == 1 else None


def labels_in(archive: Archive) -> ZipInfo | None:
    """Return the text with the labels of the picture, None where the ZIP has no labels in text.

    Raises:
        BadMessageError: it has those of several pictures, and none of this one's name.
    """
    texts = [each for each in archive.of_ending("txt") if stem(each.filename) not in LIST_STEMS]
    own = [each for each in texts if archive.is_own(each)]
    lines = own or [each for each in texts if are_labels(archive.head_of(each))]
    if not lines and len(texts) == 1 and not archive.of_ending(*PICTURE_ENDINGS):
        lines = texts
    if len(lines) > 1:
        raise BadMessageError(
            Reason(
                "zip_labels",
                "expected labels named {wanted}.txt in the ZIP, which has {count}; rename one of them",
                wanted=archive.wanted,
                count=len(lines),
            )
        )
    return lines[0] if lines else None


def are_labels(head: bytes) -> bool:
    """Return whether a text begins as labels of YOLO do; an empty one is those of a picture without objects."""
    words = head.decode("latin-1").partition("\n")[0].split()
    try:
        return not head.strip() or len([float(word) for word in words]) >= MIN_LINE
    except ValueError:
        return False


def classes_in(archive: Archive) -> tuple[str, ...]:
    """Return the classes of a data set; none where it has no list of them."""
    lists = [each for each in archive.of_ending("txt") if stem(each.filename) in LIST_STEMS]
    lists = [*archive.of_ending(*LIST_ENDINGS), *lists]
    return read_classes(archive.data_of(lists[0], MAX_TEXT_BYTES), lists[0].filename) if lists else ()


def read_masks(archive: Archive, found: LabelCollector) -> None:
    """Take in the masks of the picture; one that can't be read is told."""
    masks = masks_in(archive)
    if not masks:
        raise BadMessageError(
            Reason("zip_nothing", "expected {kinds}; the ZIP has neither labels nor masks", kinds=KINDS)
        )
    names = class_colors_in(archive)
    found.classes = tuple(dict.fromkeys(names.values()))
    for member in masks:
        if found.is_full:
            found.beyond()
            continue
        try:
            read_mask(archive.data_of(member), found, member.filename, classes_of(member, archive, names, found))
        except BadMessageError as error:
            found.problem(member.filename[-100:], error.reason or error.message)


def class_colors_in(archive: Archive) -> dict[int, str]:
    """Return the classes by their colour in masks; none where the ZIP has no label map."""
    maps = [each for each in archive.of_ending("txt") if folded(stem(each.filename)) == STEM]
    return read_label_map(text_of(archive.data_of(maps[0], MAX_TEXT_BYTES))) if maps else {}


def classes_of(
    member: ZipInfo, archive: Archive, names: dict[int, str], found: LabelCollector
) -> Callable[[MaskArray], str]:
    """Return what knows the class of each object in a mask, by the colour that it has in the mask by class.

    Raises:
        BadMessageError: it is itself the mask by class, and can't be read.
    """
    by_class = by_class_of(member, archive)
    if not names or by_class is None:
        return lambda mask_hw: ""
    try:
        return ClassPicture(rgb_of(opened(archive.data_of(by_class), found.image)), names).name_of
    except BadMessageError as error:
        if by_class is member:
            raise
        found.problem(by_class.filename[-100:], error.reason or error.message)  # the objects come without their class
        return lambda mask_hw: ""


def by_class_of(member: ZipInfo, archive: Archive) -> ZipInfo | None:
    """Return the mask by class beside a mask by object, None where there is none; of any other mask itself."""
    if BY_OBJECT not in PurePosixPath(member.filename).parts:
        return member
    wanted = member.filename.replace(BY_OBJECT, BY_CLASS)
    return next((each for each in archive.members if each.filename == wanted), None)


def masks_in(archive: Archive) -> list[ZipInfo]:
    """Return the masks of the picture: those of its name, else all where they are of one picture.

    Raises:
        BadMessageError: they are of several pictures, and none bears the name of this one.
    """
    pictures = archive.of_ending(*PICTURE_ENDINGS)
    drawn = [each for each in pictures if not is_photo(each)]
    own = [each for each in drawn if archive.is_own_mask(each)]
    if (
        drawn
        and not own
        and (len(drawn) < len(pictures) or len({PurePosixPath(each.filename).parent for each in drawn}) > 1)
    ):
        text = "expected masks of the name {wanted} in the ZIP, which has those of other pictures; rename one of them"
        raise BadMessageError(Reason("zip_masks", text, wanted=archive.wanted))
    objects = [each for each in own if BY_OBJECT in PurePosixPath(each.filename).parts]
    masks = objects or own or drawn  # Pascal VOC has them by object, and by class once more
    return [each for each in masks if stem(each.filename) != "indexed"] or masks


def is_photo(member: ZipInfo) -> bool:
    """Return whether a picture lies where data sets keep those that masks are of."""
    return any(folder.lower() in PICTURE_FOLDERS for folder in PurePosixPath(member.filename).parts[:-1])


def is_seen(member: ZipInfo) -> bool:
    """Return whether a person put a file into the ZIP."""
    return not any(part.startswith(UNSEEN) for part in PurePosixPath(member.filename).parts)


def ending_of(member: ZipInfo) -> str:
    """Return the ending of a file's name, without its dot."""
    return member.filename.lower().rpartition(".")[2]
