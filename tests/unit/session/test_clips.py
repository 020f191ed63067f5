"""A clip in a session: one object over all frames, what it is on each, and how far it was followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from app.errors import BadCoordError, BadMessageError, HoverError, TooManyObjectsError, UnknownObjectError
from app.protocol import messages as m
from app.protocol.counts import mask_of
from app.protocol.recipe import BoxStep, MaskStep, PointStep, RecipeObject, Step, TrackStep
from app.protocol.run_lengths import encode_mask
from app.session.clip_state import check_frame
from app.session.following import unfollowed
from app.session.passes import merged, passes_of, standing
from app.session.recipe import timeline_of
from app.session.session import Session
from app.session.told_masks import ToldMasks
from app.session.tracked_masks import MASK_BYTES, TrackedMasks
from tests.helpers.assertions import bits
from tests.helpers.clip_sessions import (
    CLIP,
    COUNT,
    HEIGHT,
    LIMITS,
    WIDTH,
    again,
    follow,
    item,
    items,
    masks,
    on_clip,
    recipe,
    step,
)

MASK = encode_mask(bits(9), score=0.5)


def point(frame: int, x: float = 1) -> PointStep:
    return PointStep(frame=frame, x=x, y=2)


def ahead(frame: int, last: int) -> TrackStep:
    return TrackStep(frame=frame, direction="forward", last=last)


def back(frame: int, last: int = 0) -> TrackStep:
    return TrackStep(frame=frame, direction="backward", last=last)


def click(seq: int, object: int | None = None, x: float = 10) -> m.Click:
    return m.Click(seq=seq, x=x, y=10, object=object)


@pytest.fixture
def tracked() -> Session:
    """Object 1, clicked on frame 3 and followed both ways."""
    session = on_clip(3)
    step(session, click(1))
    step(session, m.Track(seq=2))
    follow(session)
    return session


def test_an_object_has_one_trail_whose_steps_say_their_frame_and_on_each_frame_its_own_prompts() -> None:
    session = on_clip(3)
    made = step(session, click(1))[0]
    assert isinstance(made, m.Object)
    assert (made.frame, made.points, made.trail) == (3, ((10, 10, 1),), (PointStep(frame=3, x=10, y=10),))
    [_, elsewhere] = step(session, m.ShowFrame(seq=2, index=5))
    assert isinstance(elsewhere, m.Object)
    assert (elsewhere.frame, elsewhere.chosen) == (5, 0)
    assert not (*elsewhere.points, *elsewhere.masks)
    assert elsewhere.trail == made.trail
    [there] = step(session, click(3, object=1, x=20))
    assert isinstance(there, m.Object)
    assert [*there.points] == [(20, 10, 1)]
    assert [each.frame for each in there.trail] == [3, 5]
    assert masks(session)[1].keys() == {3, 5}


def test_a_followed_object_has_a_mask_on_every_frame_and_a_click_goes_on_from_the_one_that_is_seen(
    tracked: Session,
) -> None:
    assert item(tracked).trail[1:] == (ahead(3, COUNT - 1), back(3))
    assert masks(tracked)[1].keys() == set(range(COUNT))
    seen = masks(tracked)[1][6]
    [_, shown] = step(tracked, m.ShowFrame(seq=3, index=6))
    assert isinstance(shown, m.Object)
    assert (shown.masks, shown.points) == ((seen,), ())
    [corrected] = step(tracked, click(4, object=1))
    assert isinstance(corrected, m.Object)
    given, clicked = corrected.trail[-2:]
    assert isinstance(given, MaskStep)
    assert (given.frame, clicked.frame) == (6, 6)
    assert mask_of(given.counts, given.size).shape == (HEIGHT, WIDTH)


def test_a_corrected_frame_is_never_written_over(tracked: Session) -> None:
    step(tracked, m.ShowFrame(seq=3, index=6))
    step(tracked, click(4, object=1))
    corrected = masks(tracked)[1][6]
    for frame in (0, 3):
        step(tracked, m.ShowFrame(seq=5 + frame, index=frame))
        step(tracked, m.Track(seq=20 + frame))
        follow(tracked)
        assert masks(tracked)[1][6] == corrected


def test_a_pass_goes_past_frames_that_are_prompted() -> None:
    passes = list(passes_of([point(2), point(5), ahead(2, 7), back(5)]))
    assert [(each.start, each.frames) for each in passes] == [(2, (3, 4, 6, 7)), (5, (4, 3, 1, 0))]
    assert all(each.prompts.keys() == {2, 5} for each in passes)


def test_what_is_prompted_later_changes_no_pass_before() -> None:
    [one] = passes_of([point(2), ahead(2, 7)])
    [other] = passes_of([point(2), ahead(2, 7), point(5), point(2, x=9)])
    [third] = passes_of([point(2), point(2, x=9), ahead(2, 7)])
    assert one == other
    assert one.key != third.key


@pytest.mark.parametrize(
    ("trail", "steps", "expected"),
    [
        ([point(2)], [PointStep(x=1, y=2), PointStep(x=9, y=2)], [point(2), point(2, 9)]),
        ([point(2), ahead(2, 4)], [PointStep(x=1, y=2), PointStep(x=9, y=2)], [point(2), ahead(2, 4), point(2, 9)]),
        ([point(2), ahead(2, 4)], [PointStep(x=9, y=2)], [point(2, 9), ahead(2, 4)]),
        ([point(2), ahead(2, 4), point(2, 5)], [PointStep(x=1, y=2)], [point(2), ahead(2, 4)]),
        ([point(2), ahead(2, 4), point(5)], [], [point(5)]),
        (
            [point(2), ahead(2, 4)],
            [BoxStep(box=(0, 0, 9, 9)), PointStep(x=1, y=2)],
            [BoxStep(frame=2, box=(0, 0, 9, 9)), point(2), ahead(2, 4)],
        ),
        ([point(5)], [PointStep(x=1, y=2)], [point(5), point(2)]),
    ],
    ids=["grown", "grown after it was followed", "moved", "one less", "none left", "boxed", "on another frame"],
)
def test_what_changes_on_a_frame_comes_to_its_place_in_the_trail(
    trail: list[Step], steps: list[Step], expected: list[Step]
) -> None:
    assert merged(tuple(trail), 2, steps) == tuple(expected)


def test_nothing_is_followed_from_where_nothing_is_prompted() -> None:
    assert standing([ahead(2, 4), point(2), ahead(2, 5), ahead(3, 5)]) == (point(2), ahead(2, 5))


def test_undo_and_redo_find_the_masks_that_were_followed(tracked: Session) -> None:
    before = masks(tracked)
    step(tracked, m.Undo(seq=3))
    assert masks(tracked)[1].keys() == {3}
    step(tracked, m.Redo(seq=4))
    assert masks(tracked) == before
    assert not any(unfollowed(each, tracked.require_clip().tracked) for each in items(tracked))


def test_a_moved_point_has_what_was_followed_after_it_followed_again(tracked: Session) -> None:
    before = masks(tracked)[1]
    step(tracked, m.Move(seq=3, object=1, point=0, x=50, y=50))
    assert sum(len(each.frames) for each in unfollowed(item(tracked), tracked.require_clip().tracked)) == COUNT - 1
    follow(tracked)
    after = masks(tracked)[1]
    assert after.keys() == before.keys()
    assert all(after[frame] != before[frame] for frame in after)


def test_stop_leaves_what_was_found_and_no_step_where_that_is_nothing() -> None:
    session = on_clip(3)
    step(session, click(1))
    step(session, m.Track(seq=2))
    follow(session, most=2)
    [stopped] = step(session, m.Stop(seq=3))
    assert isinstance(stopped, m.Object)
    assert stopped.trail[1:] == (ahead(3, 5), back(3, 1))
    assert masks(session)[1].keys() == {1, 2, 3, 4, 5}
    step(session, m.Track(seq=4))
    assert [each.frames for each in unfollowed(item(session), session.require_clip().tracked)] == [(6, 7), (0,)]
    step(session, m.Stop(seq=5))
    assert item(session).trail[1:] == (ahead(3, 5), back(3, 1))
    [undone] = step(session, m.Undo(seq=6))
    assert isinstance(undone, m.Object)
    assert undone.trail == (PointStep(frame=3, x=10, y=10),)


def test_what_was_stopped_in_the_middle_leaves_the_masks_of_before(tracked: Session) -> None:
    before = masks(tracked)[1]
    step(tracked, click(3, object=1, x=30))
    step(tracked, m.Track(seq=4, direction="forward"))
    follow(tracked, most=1)
    step(tracked, m.Stop(seq=5))
    after = masks(tracked)[1]
    assert [frame for frame in before if after[frame] != before[frame]] == [3, 4]
    assert masks(again(tracked)) == masks(tracked)


def test_steps_that_were_gone_over_wholly_go(tracked: Session) -> None:
    for seq in range(3, 12, 2):
        step(tracked, click(seq, object=1, x=seq))
        step(tracked, m.Track(seq=seq + 1))
        follow(tracked)
    assert sum(isinstance(each, TrackStep) for each in item(tracked).trail) <= 4
    trail = item(tracked).trail
    step(tracked, m.Track(seq=50))
    assert item(tracked).trail == trail, "nothing would be found that isn't there"


def test_an_object_without_a_prompt_left_on_any_frame_is_gone(tracked: Session) -> None:
    step(tracked, m.ShowFrame(seq=3, index=6))
    step(tracked, click(4, object=1))
    step(tracked, m.Unpoint(seq=5, object=1, point=0))
    assert isinstance(item(tracked).trail[-1], MaskStep), "the mask that it began with"
    step(tracked, m.ShowFrame(seq=6, index=3))
    step(tracked, m.Unpoint(seq=7, object=1, point=0))
    assert [each.frame for each in item(tracked).trail] == [6]


def test_tracking_from_a_frame_that_was_followed_takes_its_mask_as_said(tracked: Session) -> None:
    step(tracked, m.ShowFrame(seq=3, index=6))
    seen = masks(tracked)[1][6]
    step(tracked, m.Track(seq=4, direction="forward"))
    assert [type(each) for each in item(tracked).trail[-2:]] == [MaskStep, TrackStep]
    assert msgspec.structs.replace(masks(tracked)[1][6], score=seen.score) == seen


REFUSED: dict[str, tuple[m.Track | m.Stop, type[HoverError], str]] = {
    "an object that isn't on this frame": (m.Track(seq=9, objects=(2,)), BadMessageError, "track_prompt"),
    "one way off the clip": (m.Track(seq=9, direction="forward", last=COUNT), BadMessageError, "track_last"),
    "a last frame behind": (m.Track(seq=9, direction="forward", last=2), BadMessageError, "track_last"),
    "a last frame both ways": (m.Track(seq=9, last=5), BadMessageError, "track_last"),
    "a stop of nothing": (m.Stop(seq=9), BadMessageError, "track_idle"),
}


@pytest.mark.parametrize(("message", "kind", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_refused_and_nothing_changes(
    tracked: Session, message: m.Track | m.Stop, kind: type[HoverError], reason: str
) -> None:
    step(tracked, m.ShowFrame(seq=3, index=6))
    step(tracked, click(4))
    step(tracked, m.ShowFrame(seq=5, index=3))
    before = dict(tracked.objects)
    with pytest.raises(kind) as refused:
        step(tracked, message)
    assert refused.value.reason is not None
    assert refused.value.reason.key == reason
    assert dict(tracked.objects) == before


def test_an_empty_frame_an_unknown_object_and_a_picture_have_nothing_to_follow() -> None:
    session = on_clip()
    with pytest.raises(BadMessageError, match="click one first"):
        step(session, m.Track(seq=1))
    with pytest.raises(UnknownObjectError):
        step(session, m.Track(seq=1, objects=(7,)))
    with pytest.raises(BadMessageError, match="open one first"):
        Session(LIMITS, "tiny").track(m.Track(seq=1))
    with pytest.raises(BadCoordError, match="0 to 7, got frame 8"):
        check_frame(CLIP, COUNT)


@pytest.mark.parametrize("objects", [2, 3, 4])
def test_objects_that_are_followed_at_once(objects: int) -> None:
    session = on_clip(limits=replace(LIMITS, max_tracked_objects=3))
    for seq in range(1, objects + 1):
        step(session, click(seq))
    if objects > 3:
        with pytest.raises(TooManyObjectsError, match="at most 3 objects are followed at once"):
            step(session, m.Track(seq=20))
        step(session, m.Track(seq=21, objects=(1, 2, 3)))
        follow(session)
    step(session, m.Track(seq=22))
    assert all(len(each.passes) == 1 for each in items(session))


@pytest.mark.parametrize("frames", [2, 3, 4])
def test_bytes_of_followed_masks(frames: int) -> None:
    kept = TrackedMasks(3 * (MASK_BYTES + len(MASK.runs)))
    kept.put("old", 0, MASK, {"old"})
    for frame in range(min(frames, 3)):
        kept.put("new", frame, MASK, {"new"})
    assert (kept.of("old") == {}) is (frames > 2), "what nobody shows makes room"
    if frames > 3:
        with pytest.raises(TooManyObjectsError, match="delete an object"):
            kept.put("new", 3, MASK, {"new"})
    assert len(kept.of("new")) == min(frames, 3)


def test_history_counts_an_answer_of_another_frame_once(tracked: Session) -> None:
    one = item(tracked)
    grown = replace(one, answers={**one.answers, 5: one.answers[3]})
    assert one.nbytes_beside(grown) == one.trail_bytes
    assert grown.nbytes_beside(one) == grown.trail_bytes + one.answers[3].nbytes


def test_a_client_is_told_what_it_has_not_got_and_once(tracked: Session) -> None:
    clip, told = tracked.require_clip(), ToldMasks()
    first = told.untold(items(tracked), clip)
    assert [frame for frame, _ in first] == [0, 1, 2, 4, 5, 6, 7], "the frame that is shown comes with its object"
    assert told.untold(items(tracked), clip) == []
    step(tracked, m.Undo(seq=3))
    gone = told.untold(items(tracked), clip)
    assert [(frame, one.mask) for frame, [one] in gone] == [(frame, None) for frame in (0, 1, 2, 4, 5, 6, 7)]
    step(tracked, m.Redo(seq=4))
    assert told.untold(items(tracked), clip) == first


def test_another_model_follows_all_again_and_takes_nothing_away_before(tracked: Session) -> None:
    told = ToldMasks()
    told.untold(items(tracked), tracked.require_clip())
    before = masks(tracked)
    tracked.switch(3, "large", [(view, view.answer) for view in tracked.prompted() if view.answer])
    assert told.untold(items(tracked), tracked.require_clip()) == []
    follow(tracked)
    assert masks(tracked) == before
    assert len(told.untold(items(tracked), tracked.require_clip())) == COUNT - 1


WRONG: dict[str, Callable[[], tuple[Step, ...]]] = {
    "a step without a frame": lambda: (PointStep(x=1, y=1),),
    "a frame off the clip": lambda: (point(COUNT),),
    "followed from where nothing is": lambda: (point(1), ahead(2, 5)),
    "followed before it was prompted": lambda: (ahead(1, 5), point(1)),
    "followed off the clip": lambda: (point(1), ahead(1, COUNT)),
    "followed the other way": lambda: (point(3), ahead(3, 2)),
    "followed to where it is": lambda: (point(3), back(3, 3)),
    "a box that isn't first on its frame": lambda: (point(3), BoxStep(frame=3, box=(1, 1, 9, 9))),
    "a point off the clip": lambda: (point(3, x=WIDTH + 1),),
}


@pytest.mark.parametrize("trail", WRONG.values(), ids=WRONG)
def test_a_recipe_that_no_session_could_have_made_is_refused(trail: Callable[[], tuple[Step, ...]]) -> None:
    made = RecipeObject(id=1, name="", color=0, trail=trail())
    wrong = msgspec.structs.replace(recipe(on_clip()), objects=(made,))
    with pytest.raises(HoverError):
        timeline_of(wrong, CLIP, LIMITS)
