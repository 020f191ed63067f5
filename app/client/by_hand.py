"""What a client does to masks by hand: gives them, combines them, paints, changes their shape."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from app.client.pending_requests import UNNUMBERED
from app.client.values import Object
from app.errors import BadCoordError, TooManyPointsError
from app.protocol import messages as m
from app.protocol.fields import Morphology, SetOperation, WindowXyxy
from app.protocol.messages import Class, Classes, ClientMessage, File, Given, Gone, Image, Progress, Regions, Window

if TYPE_CHECKING:
    from app.arrays import MaskArray

R = TypeVar("R", bound="Image | Classes | Object | Gone | Regions | Window | File")
PointXy: TypeAlias = tuple[float, float]
"""`(x, y)` in pixels of the upright picture."""
MAX_PATH_POINTS: Final = 2048
"""Of one stroke, as a server takes them; a far longer one wouldn't even fit a message."""


class ByHand(ABC):
    """The part of a session that changes masks themselves."""

    _window: WindowXyxy | None

    @property
    @abstractmethod
    def objects(self) -> Mapping[int, Object]:
        """The objects by their id."""

    async def give(self, objects: Iterable[Given], classes: Iterable[str | Class] = ()) -> list[Object]:
        """Return objects that were made elsewhere, in one step: of given masks, boxes, whole trails out of a recipe.

        Args:
            objects: what makes each, and its class.
            classes: come to the end of the session's list first, where it hasn't got them.
        """
        message = m.Give(seq=UNNUMBERED, objects=tuple(objects), classes=tuple(classes))
        known = set(self.objects)
        await self._ask(message, Classes, Object)
        return [each for number, each in self.objects.items() if number not in known]

    async def give_mask(self, mask: MaskArray, *, name: str = "") -> Object:
        """Return a new object of a mask of one's own, shown as it is until it is refined or clicked.

        Args:
            mask: (H, W) bool, at the picture's size.
            name: of the object, which is its class.
        """
        from app.client.mask_array import mask_step  # NumPy only for who has an array

        [made] = await self.give([Given(trail=(mask_step(mask),), name=name)])
        return made

    async def combine(self, operation: SetOperation, objects: Iterable[int]) -> Object:
        """Return the first of some objects, once it is their union, difference or intersection.

        In a union the others become part of it and are gone. On a clip it is so on the frame that is shown, from which
        `track` takes it to the others; what is gone is gone from all frames.
        """
        wanted = tuple(objects)
        message = m.Combine(seq=UNNUMBERED, operation=operation, objects=wanted)
        await self._ask(message, Object)
        return self.objects[wanted[0]]

    async def refine(self, object: int) -> Object:
        """Return an object whose given mask the model has made sharp."""
        return await self._ask(m.Refine(seq=UNNUMBERED, object=object, window=self._window), Object)

    async def paint(
        self,
        path: Iterable[PointXy],
        radius: float,
        *,
        label: int = 1,
        object: int | None = None,
        smart: bool = False,
        click: PointXy | None = None,
        name: str | None = None,
    ) -> Object:
        """Return the object after a stroke of a round brush: a new object, or the one whose id is `object`.

        What is painted is final: later clicks, other models and undo of other steps leave it as it is.

        Args:
            path: `(x, y)` of the places that the brush goes through.
            radius: of the brush, in pixels of the picture.
            label: 1 paints, 0 erases.
            object: the id of the object; None begins a new one.
            smart: True also gives the model one click, where most of the stroke is new to it.
            click: that click's own place.
            name: of a new object, which is its class.
        """
        places = tuple((finite(x), finite(y)) for x, y in path)
        if len(places) > MAX_PATH_POINTS:
            raise TooManyPointsError(f"a stroke takes at most {MAX_PATH_POINTS} points, got {len(places)}; split it")
        message = m.Paint(
            seq=UNNUMBERED,
            path=places,
            radius=finite(radius),
            label=label,
            object=object,
            smart=smart,
            click=click,
            name=name,
            window=self._window,
        )
        return await self._ask(message, Object)

    async def morph(self, object: int, operation: Morphology, size: float | None = None) -> Object:
        """Return the object after its holes were filled, its specks removed, its edge smoothed, moved out or in.

        Args:
            object: its id.
            operation: `fill_holes`, `remove_specks`, `smooth`, `grow` or `shrink`.
            size: largest area of a hole or speck in pixels, None for all; else a distance in pixels, None for 2.
        """
        return await self._ask(m.Morph(seq=UNNUMBERED, object=object, operation=operation, size=size), Object)

    @abstractmethod
    async def _ask(
        self,
        message: ClientMessage,
        *kinds: type[R],
        timeout_s: float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> R: ...


def finite(value: float) -> float:
    """Return a coordinate as it is sent.

    Raises:
        BadCoordError: it isn't finite.
    """
    try:
        is_finite = math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        is_finite, value = False, math.inf
    if not is_finite:
        raise BadCoordError(f"expected a finite coordinate in pixels of the picture, got {value}")
    return float(value)
