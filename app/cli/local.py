"""A picture and a model in this process: objects answered and written without a server, a session or a scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from cachetools import LRUCache

from app.arrays import ImageArray
from app.engine.contract import Candidates, Embedding, Engine
from app.exports.selection import Selection
from app.imports.read import read_labels
from app.masks.regions import RegionCollector, gates_of, windows_of
from app.pictures import PictureLimits, part_for_model, read_native, read_opaque, read_picture
from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.labels import Labels
from app.protocol.recipe import BoxStep, PointStep, Recipe, RefineStep, Step
from app.protocol.windows import is_cut, larger, size_of, whole
from app.service.answers import Replay, decodes_left, export_object, object_answer, packed_of
from app.service.by_hand import by_hand
from app.service.windows import first_part, gone_on, layered, moved_into, on_picture
from app.session.checks import check_trail
from app.session.classes import ClassList
from app.session.contrast import grid_colors, visible_color
from app.session.limits import SessionLimits
from app.session.names import unnamed
from app.session.objects import PointXyl, SessionObject, in_window
from app.session.query import Query, lone_click
from app.session.recipe import timeline_of
from app.session.values import OpenImage

MAX_PARTS: Final = 16
"""Parts of the picture whose embeddings are kept: the objects of a recipe may have been made in many."""


class LocalPicture:
    """A picture that a loaded model answers prompts on; it is encoded when the first is answered.

    Attributes:
        image: its id and size.
    """

    def __init__(self, engine: Engine, data: bytes, limits: PictureLimits, *, speck_share: float) -> None:
        """Read a picture.

        Args:
            engine: a loaded model.
            data: the picture's file.
            limits: its bounds.
            speck_share: specks and holes up to this share of the picture are left out.

        Raises:
            HoverError: the picture is refused, see `read_picture`.
        """
        self._engine, self._data, self._limits, self._speck_share = engine, data, limits, speck_share
        self._picture = read_picture(data, limits)
        self._parts: LRUCache[WindowXyxy, Embedding] = LRUCache(MAX_PARTS)
        colors = grid_colors(self._picture.working)
        self.image = OpenImage(self._picture.image_id, self._picture.width, self._picture.height, colors=colors)

    def prompted(
        self,
        points: Sequence[PointXyl],
        box: BoxXyxy | None,
        candidate: int | None,
        bounds: SessionLimits,
        name: str | None = None,
        *,
        window: WindowXyxy | None = None,
    ) -> SessionObject:
        """Return the object that a prompt makes, as a session makes it: the box first, then each point.

        Args:
            points: `(x, y, label)` in pixels of the picture.
            box: `(x0, y0, x1, y1)` in pixels of the picture, or None.
            candidate: which of the last step's candidates to take, None for the one with the highest score.
            bounds: of a session.
            name: the object's, and so its class; None leaves it without one.
            window: the part of the picture that the model is to see by itself; a thing that its edge cuts is asked
                about again in a larger one.

        Raises:
            HoverError: the window, a point or the box isn't on the picture, there is no such candidate, or the device
                gave up.
        """
        boxes: tuple[Step, ...] = () if box is None else (BoxStep(box=box),)
        steps = [*boxes, *(PointStep(x=x, y=y, label=label) for x, y, label in points)]
        item = SessionObject(1, name or unnamed(1), 0, in_window(steps, window))
        check_trail(item, self.image, bounds)
        while True:
            found = self._answered(item)
            found = found if candidate is None else self._answered(found.with_candidate(candidate))
            if not is_cut(found.shown[found.chosen], self.image.size_hw):
                return self._visible(found)
            item = item.seen_in(None if item.window is None else larger(item.window, self.image.size_hw))

    def everything(self, most: int, name: str | None = None) -> list[SessionObject]:
        """Return the things of the picture, found without a prompt: what clicks at them give.

        Args:
            most: so many at most, those that the model is surest of.
            name: of each, and so its class; None leaves them without one.

        Raises:
            HoverError: the device gave up.
        """
        model, size_hw = self._engine.model, self.image.size_hw
        found = RegionCollector(size_hw, gates_of(model), self._speck_share, windows_of(model, size_hw))
        while (ask := found.ask) is not None:
            answer = self._replayed(lone_click(*ask))
            found.add(answer.logits, answer.scores)
        best = found.best_first[:most]
        clicks = (PointStep(x=at.x, y=at.y, pick=at.candidate, window=at.mask.window) for at in best)
        return [
            self._visible(self._answered(SessionObject(number, name or unnamed(number), number - 1, (click,))))
            for number, click in enumerate(clicks, 1)
        ]

    def labels(self, file: Path, picture_name: str, bounds: SessionLimits, names: Sequence[str]) -> Labels:
        """Return what a label file has for the picture.

        Args:
            file: of another program, or a mask.
            picture_name: file name of the picture, by which a data set knows it.
            bounds: of a session.
            names: of the classes, for a file that has their numbers alone.

        Raises:
            OSError: it can't be read.
            BadMessageError: it is no label file, or one of another picture.
        """
        data = file.read_bytes()
        return read_labels(data, file.name, self.image, picture_name=picture_name, names=names, limits=bounds)

    def given(
        self, labels: Labels, bounds: SessionLimits, name: str | None = None, *, refine: bool = False
    ) -> list[SessionObject]:
        """Return the objects that a label file has.

        Args:
            labels: what came out of it.
            bounds: of a session.
            name: of each that has none, and so its class.
            refine: True has the model make their masks sharp.

        Raises:
            HoverError: the device gave up.
        """
        items = []
        for number, made in enumerate(labels.objects, 1):
            item = SessionObject(number, made.name or name or unnamed(number), number - 1, made.trail)
            item = item.with_step(RefineStep()) if refine and item.given and not item.prompts else item
            check_trail(item, self.image, bounds)
            items.append(self._visible(self._answered(item)))
        return items

    def remade(self, recipe: Recipe, bounds: SessionLimits) -> tuple[list[SessionObject], ClassList]:
        """Return the objects and classes of a recipe; with the model and engine that it was made with, bit for bit.

        Args:
            recipe: what to make again.
            bounds: of a session.

        Raises:
            HoverError: the recipe is refused, see `timeline_of`, or the device gave up.
        """
        now = timeline_of(recipe, self.image, bounds).now
        return [self._answered(item) for item in now.objects.values()], now.classes

    def selection(self, items: Sequence[SessionObject], name: str, classes: ClassList | None = None) -> Selection:
        """Return objects, to be written; `name` is the picture's, for the formats that tell it."""
        objects = tuple(export_object(item, self.image, self._speck_share) for item in items)
        pixels = partial(read_native, self._data, self._limits)
        return Selection(self.image, name, self._engine.model, objects, pixels, classes or ClassList())

    @cached_property
    def embedding(self) -> Embedding:
        """What the model remembers of the picture."""
        return self._engine.encode(self._picture.working)

    @cached_property
    def _pixels(self) -> ImageArray:
        return read_opaque(self._data, self._limits)

    def _seen(self, window: WindowXyxy | None) -> Embedding:
        """Return what the model saw of the picture or of a part of it; the last parts are remembered."""
        if window is None:
            return self.embedding
        if window not in self._parts:
            self._parts[window] = self._engine.encode(part_for_model(self._pixels, window))
        return self._parts[window]

    def _visible(self, item: SessionObject) -> SessionObject:
        return replace(item, color=visible_color(item.color, self.image, item.shown[item.chosen]))

    def _answered(self, item: SessionObject) -> SessionObject:
        query, size_hw = Query(0, item), self.image.size_hw
        while (part := first_part(query)) is not None:
            query = gone_on(query, part, packed_of(self._replayed(part), part.subject.pick))
        local, part_hw = moved_into(query, size_hw), size_of(item.window or whole(size_hw))
        if decodes_left(query):
            answer = object_answer(self._replayed(query), part_hw, self._speck_share, local.subject)
        else:
            answer = by_hand(local, part_hw, self._speck_share)
        answer = on_picture(answer, item.window)
        return item.answered(
            layered(answer, item.layers, size_hw) if query.subject.is_windowed and item.layers else answer
        )

    def _replayed(self, query: Query) -> Candidates:
        """Return what the model makes of steps that one window answers."""
        window, size_hw = query.subject.window, self.image.size_hw
        local, part_hw = moved_into(query, size_hw), size_of(window or whole(size_hw))
        return Replay(local, part_hw, self._engine, self._seen(window)).all()
