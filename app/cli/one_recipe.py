"""A recipe made again on its picture, in this process: no server, no scheduler."""

from __future__ import annotations

import contextlib
from functools import partial

from app.engine.contract import Engine
from app.exports.recipe import Recipe, replay
from app.exports.selection import Selection
from app.pictures import PictureLimits, read_native, read_picture
from app.realtime.exporter import export_object
from app.realtime.predictor import object_answer, prompt_of
from app.session.objects import Answer
from app.session.session import Limits, OpenImage, Query, Session


def remake(
    engine: Engine, data: bytes, limits: PictureLimits, recipe: Recipe, *, bounds: Limits, speck_share: float
) -> Session:
    """Return a session with the objects of a recipe; with the model and engine that it was made with, bit for bit.

    Args:
        engine: a loaded model.
        data: the picture's file.
        limits: its bounds.
        recipe: what to make again.
        bounds: of the session.
        speck_share: specks and holes up to this share of the picture are left out.

    Raises:
        HoverError: the picture is refused, see `read_picture`, or the recipe, see `replay`; or the device gave up.
    """
    picture = read_picture(data, limits)
    image = OpenImage(picture.image_id, picture.width, picture.height)
    session = Session(bounds, engine.model)
    session.open(0, image, recipe.name)
    asking = replay(recipe, session)
    query = next(asking, None)  # a recipe of another picture is refused before anything is encoded
    embedding = engine.encode(picture.working)

    def answer(query: Query) -> Answer:
        prompt = prompt_of(query, image.size_hw, embedding.size_hw)
        return object_answer(engine.decode(embedding, [prompt])[0], image.size_hw, speck_share, query.subject)

    with contextlib.suppress(StopIteration):
        while query is not None:
            query = asking.send(answer(query))
    return session


def selection_of(session: Session, data: bytes, name: str, limits: PictureLimits, *, speck_share: float) -> Selection:
    """Return all objects of a session, to be written; `name` is the picture's, the rest as in `remake`."""
    image = session.image
    if image is None:
        raise ValueError("expected a session with a picture, got one without; call remake first")
    objects = tuple(export_object(item, image, speck_share) for item in session.objects.values())
    return Selection(image, name, session.model, objects, partial(read_native, data, limits))
