"""Sessions on a clip without a model: prompts are answered and objects followed by what they depend on alone."""

from __future__ import annotations

import contextlib

from app.errors import HoverError
from app.protocol import messages as m
from app.protocol.recipe import Recipe, RecipeObject
from app.protocol.run_lengths import encode_mask
from app.session.clip_objects import ClipObject, as_clip_object
from app.session.following import frame_masks, unfollowed
from app.session.limits import SessionLimits
from app.session.query import Query
from app.session.recipe import timeline_of
from app.session.session import Change, Session
from app.session.values import OpenClip, OpenImage
from tests.helpers.assertions import MODEL, answer_to, bits

COUNT, WIDTH, HEIGHT = 8, 100, 80
CLIP = OpenClip("clip-0", WIDTH, HEIGHT, tuple(index / 25 for index in range(COUNT)), COUNT / 25)
LIMITS = SessionLimits(max_points=8, max_objects=8, max_history=1000, max_history_bytes=2**30)
ClipChange = Change | m.ShowFrame | m.Track | m.Stop
MasksById = dict[int, dict[int, m.Mask]]


def frame_image(index: int) -> OpenImage:
    return OpenImage(f"{CLIP.clip_id}#{index}", WIDTH, HEIGHT)


def on_clip(frame: int = 0, limits: SessionLimits = LIMITS) -> Session:
    session = Session(limits, MODEL)
    session.open(0, frame_image(frame), clip=CLIP, frame=frame)
    return session


def items(session: Session) -> list[ClipObject]:
    return [as_clip_object(item) for item in session.objects.values()]


def item(session: Session, id_: int = 1) -> ClipObject:
    return as_clip_object(session.objects[id_])


def step(session: Session, message: ClipChange) -> list[m.ServerMessage]:
    """Make a change as the server does; return the replies. Raises where it can't be made."""
    if isinstance(message, m.ShowFrame):
        session.show_frame(message.seq, message.index, frame_image(message.index))
        return [*session.shown(message.seq)]
    if isinstance(message, m.Track):
        return [*session.track(message)]
    if isinstance(message, m.Stop):
        return [*session.stop(message.seq)]
    found = session.step(message)
    return [*(session.commit(found, answer_to(found)) if isinstance(found, Query) else found)]


def may(session: Session, message: ClipChange) -> None:
    """Make a change; one that can't be made is left out."""
    with contextlib.suppress(HoverError):
        step(session, message)


def follow(session: Session, most: int = 10**6) -> None:
    """Follow what is to be followed, so many frames of each pass at most; answer what isn't answered."""
    clip = session.require_clip()
    for each in items(session):
        for frame, steps in each.prompted.items():
            view = each.on(frame)
            assert view.trail == steps
            if view.answer is None:
                session.renew([(view, answer_to(Query(0, view)))], frame)
    for each in items(session):
        for one, frames in unfollowed(each, clip.tracked):
            for frame in frames[:most]:
                mark = hash((one.key, frame)) % 2**32
                mask = encode_mask(bits(mark | 1), score=0.5)
                clip.tracked.put(one.key, frame, mask, {one.key for other in items(session) for one in other.passes})


def masks(session: Session) -> MasksById:
    clip = session.require_clip()
    return {
        each.id: {frame: one.mask for frame, one in sorted(frame_masks(each, clip.tracked).items())}
        for each in items(session)
    }


def recipe(session: Session) -> Recipe:
    return Recipe(
        format="hoversam-recipe",
        version=1,
        image_id=CLIP.clip_id,
        width=WIDTH,
        height=HEIGHT,
        model=MODEL,
        objects=tuple(RecipeObject(id=o.id, name=o.name, color=o.color, trail=o.trail) for o in items(session)),
    )


def again(session: Session) -> Session:
    """Return the session as it is made from its recipe, followed."""
    made = Session(session.limits, MODEL)
    timeline = timeline_of(recipe(session), CLIP, session.limits)
    made.open(0, frame_image(0), clip=CLIP, timeline=timeline)
    follow(made)
    return made
