"""Random work on a clip: whatever was done, the trails alone make every mask of every frame again."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protocol import messages as m
from tests.helpers.clip_sessions import COUNT, HEIGHT, WIDTH, ClipChange, again, follow, items, masks, may, on_clip
from tests.helpers.thorough import examples

ids, frames = st.integers(1, 3), st.integers(0, COUNT - 1)
xs, ys = st.integers(0, WIDTH), st.integers(0, HEIGHT)
KINDS = [
    st.builds(m.ShowFrame, seq=st.just(0), index=frames),
    st.builds(m.Click, seq=st.just(0), x=xs, y=ys, object=st.none() | ids),
    st.builds(m.Click, seq=st.just(0), x=xs, y=ys, object=ids, label=st.integers(0, 1)),
    st.builds(m.Box, seq=st.just(0), box=st.just((1.0, 1.0, 30.0, 40.0)), object=ids),
    st.builds(m.Move, seq=st.just(0), object=ids, point=st.integers(0, 1), x=xs, y=ys),
    st.builds(m.Unpoint, seq=st.just(0), object=ids, point=st.integers(0, 1)),
    st.builds(m.Choose, seq=st.just(0), object=ids, candidate=st.integers(0, 2)),
    st.builds(m.Label, seq=st.just(0), object=ids, name=st.sampled_from(["cat", "dog"])),
    st.builds(m.Delete, seq=st.just(0), object=ids),
    st.builds(m.Undo, seq=st.just(0)),
    st.builds(m.Redo, seq=st.just(0)),
    st.builds(m.Stop, seq=st.just(0)),
]
tracks = st.builds(
    m.Track,
    seq=st.just(0),
    direction=st.sampled_from(["both", "forward", "backward"]),
    last=st.none() | frames,
    fast=st.booleans(),
)
works = st.lists(st.tuples(st.one_of(*KINDS, tracks, tracks), st.integers(0, COUNT)), max_size=20)
"""Changes, and how many frames of each pass are followed after each."""


def worked(work: list[tuple[ClipChange, int]]) -> list[ClipChange]:
    return [msgspec.structs.replace(message, seq=seq) for seq, (message, _) in enumerate(work, 1)]


@given(works)
@settings(max_examples=examples(60, 2000))
def test_every_mask_is_made_again_from_the_trails(work: list[tuple[ClipChange, int]]) -> None:
    session = on_clip(3)
    may(session, m.Click(seq=0, x=5, y=5))
    for message, (_, most) in zip(worked(work), work, strict=True):
        may(session, message)
        follow(session, most)
        for each in items(session):
            shown = masks(session)[each.id]
            assert all(shown[frame] == each.on(frame).mask for frame in each.prompted), "prompted frames keep theirs"
            assert shown.keys() <= each.prompted.keys() | each.owned.keys()
    follow(session)
    assert masks(again(session)) == masks(session)


@given(works, st.integers(1, 20))
@settings(max_examples=examples(40, 2000))
def test_as_many_redos_as_undos_change_no_mask(work: list[tuple[ClipChange, int]], times: int) -> None:
    session = on_clip(3)
    for message in worked(work):
        if not isinstance(message, m.Redo):
            may(session, message)
            follow(session)
    may(session, m.Click(seq=900, x=1, y=1))
    before, steps = masks(session), 0
    for seq in range(1000, 1000 + times):
        objects = session.objects
        may(session, m.Undo(seq=seq))
        steps += session.objects is not objects
    for seq in range(2000, 2000 + steps):
        may(session, m.Redo(seq=seq))
    follow(session)
    assert masks(session) == before
