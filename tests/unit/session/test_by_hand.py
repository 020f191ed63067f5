"""What is done to masks by hand, and what no session takes."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from app.arrays import MaskArray
from app.errors import BadCoordError, BadMessageError, HoverError, TooManyObjectsError, TooManyPointsError
from app.protocol import messages as m
from app.protocol.counts import counts_of, mask_of
from app.protocol.recipe import BoxStep, MaskStep, MorphStep, PointStep, RefineStep, Step, StrokeStep
from app.protocol.run_lengths import decode_mask, encode_mask
from app.service.by_hand import strays
from app.session.limits import SessionLimits
from app.session.session import Session
from tests.helpers.assertions import HEIGHT, IMAGE, MODEL, WIDTH
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.recipes import Worker

WORKER = Worker(FakeEngine(), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
SQUARE = np.zeros((HEIGHT, WIDTH), np.bool_)
SQUARE[20:60, 30:70] = True
GIVEN = MaskStep(size=(HEIGHT, WIDTH), counts=counts_of(SQUARE))
POINT = PointStep(x=5, y=5)
STROKE = StrokeStep(path=((5, 5),), radius=2)


def fresh(**limits: int) -> Session:
    session = Session(SessionLimits(**limits), MODEL)
    session.open(0, IMAGE)
    return session


def given(*steps: Step, seq: int = 1) -> m.Give:
    return m.Give(seq=seq, objects=(m.Given(trail=(*steps,), name="cup"),))


def shown(session: Session, id_: int = 1) -> MaskArray:
    item = session.objects[id_]
    return decode_mask(item.shown[item.chosen])


def test_a_given_mask_is_shown_as_it_is_and_refined_only_when_that_is_asked_for() -> None:
    session, engine = fresh(), WORKER.engine
    assert isinstance(engine, FakeEngine)
    engine.decoded.clear()
    WORKER.change(session, given(GIVEN))
    assert np.array_equal(shown(session), SQUARE)
    assert engine.decoded == []
    WORKER.change(session, m.Refine(seq=2, object=1))
    [[prompt]] = engine.decoded
    [(x, y)] = prompt.points_xy
    assert SQUARE[int(y), int(x)]
    assert (prompt.box_xyxy, prompt.multimask) == ((30, 20, 70, 60), False)
    assert prompt.mask_logits is not None
    assert (prompt.mask_logits.min(), prompt.mask_logits.max()) == pytest.approx((-8, 8), abs=0.2)
    WORKER.change(session, m.Undo(seq=3))
    assert np.array_equal(shown(session), SQUARE)


@pytest.mark.parametrize(
    ("operation", "left", "expected"),
    [
        ("union", [1], lambda a, b: a | b),
        ("difference", [1, 2], lambda a, b: a & ~b),
        ("intersection", [1, 2], lambda a, b: a & b),
    ],
)
def test_objects_are_combined_to_the_pixel_in_one_step(operation: str, left: list[int], expected: object) -> None:
    session, other = fresh(), np.roll(SQUARE, 15, axis=1)
    WORKER.change(session, given(GIVEN))
    WORKER.change(session, given(MaskStep(size=(HEIGHT, WIDTH), counts=counts_of(other)), seq=2))
    WORKER.change(session, m.Combine(seq=3, operation=operation, objects=(1, 2)))  # type: ignore[arg-type]
    assert callable(expected)
    assert np.array_equal(shown(session), expected(SQUARE, other))
    assert list(session.objects) == left
    assert session.objects[1].name == "cup"
    WORKER.change(session, m.Undo(seq=4))
    assert np.array_equal(shown(session), SQUARE)
    assert list(session.objects) == [1, 2]


def test_a_smart_stroke_clicks_where_most_of_it_is_new() -> None:
    session = fresh()
    WORKER.change(session, given(GIVEN))
    WORKER.change(session, m.Paint(seq=2, path=((50, 50), (80, 50)), radius=4, object=1, smart=True))
    [click] = session.objects[1].points
    assert click[0] > 70
    assert shown(session)[50, 80]
    WORKER.change(session, m.Paint(seq=3, path=((72, 50), (78, 50)), radius=2, object=1, smart=True))
    assert len(session.objects[1].points) == 1, "all of it was painted before: nothing to click"
    WORKER.change(session, m.Undo(seq=4))
    WORKER.change(session, m.Undo(seq=5))
    assert np.array_equal(shown(session), SQUARE), "click and stroke are one step"


@pytest.mark.parametrize(
    ("operation", "size", "area"),
    [("grow", 1, 1600 + 160), ("shrink", 1, 38 * 38), ("smooth", None, None), ("fill_holes", None, 1600)],
)
def test_a_change_of_shape_is_a_step_with_its_own_undo(operation: str, size: float | None, area: int | None) -> None:
    session = fresh()
    WORKER.change(session, given(GIVEN))
    WORKER.change(session, m.Morph(seq=2, object=1, operation=operation, size=size))  # type: ignore[arg-type]
    assert session.objects[1].trail[1:] == (MorphStep(operation=operation, size=size),)  # type: ignore[arg-type]
    assert area is None or shown(session).sum() == area
    WORKER.change(session, m.Undo(seq=3))
    assert np.array_equal(shown(session), SQUARE)


@pytest.mark.parametrize(
    ("trail", "error", "told"),
    [
        ((POINT, GIVEN), BadMessageError, "first"),
        ((), BadMessageError, "a point, a box, a stroke or a given mask"),
        ((MorphStep(operation="grow"),), BadMessageError, "a point, a box, a stroke or a given mask"),
        ((RefineStep(),), BadMessageError, "begin with a given mask"),
        ((POINT, BoxStep(box=(1, 1, 9, 9))), BadMessageError, "box of object 3 before its points"),
        ((MaskStep(size=(3, 4), counts="321O4"),), BadMessageError, "100 x 80, got 4 x 3"),
        ((MaskStep(size=(HEIGHT, WIDTH), counts="321O4"),), BadMessageError, "counts of 8000 pixels"),
        ((MaskStep(size=(HEIGHT, WIDTH), counts="o"),), BadMessageError, "cut or damaged"),
        ((MaskStep(size=(HEIGHT, WIDTH), counts="päper"),), BadMessageError, "cut or damaged"),
        ((MaskStep(size=(HEIGHT, WIDTH), counts=counts_of(~SQUARE & SQUARE)),), BadMessageError, "at least one pixel"),
        ((StrokeStep(path=((5, 5), (5, 81)), radius=2),), BadCoordError, "within 0 to 100 and 0 to 80"),
    ],
)
def test_what_no_session_takes_is_refused_by_its_reason_and_nothing_is_lost(
    trail: tuple[Step, ...], error: type[HoverError], told: str
) -> None:
    session = fresh()
    WORKER.change(session, given(GIVEN, seq=1))
    before = session.objects
    with pytest.raises(error, match=told):
        WORKER.change(session, m.Give(seq=2, objects=(m.Given(trail=(GIVEN,)), m.Given(trail=trail))))
    assert session.objects is before


def taken(trail: tuple[Step, ...], **limits: int) -> bool:
    """Return whether a session takes an object; one that it doesn't is refused by its reason, and nothing is lost."""
    session = fresh(**limits)
    try:
        WORKER.change(session, m.Give(seq=1, objects=(m.Given(trail=trail),)))
    except TooManyPointsError:
        assert not session.objects
        return False
    return True


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_strokes_of_an_object(more: int) -> None:
    grow = MorphStep(operation="grow")
    trail: tuple[Step, ...] = (STROKE, grow, STROKE, grow, STROKE, grow, STROKE)
    assert taken(trail, max_strokes=7 - more) == (more <= 0)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_points_of_a_stroke(more: int) -> None:
    assert taken((StrokeStep(path=((5, 5),) * (9 + more), radius=2),), max_path_points=9) == (more <= 0)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_length_and_width_of_strokes(more: int) -> None:
    assert taken((StrokeStep(path=((5, 5),) * 8, radius=2), STROKE), max_paint=18 - more) == (more <= 0)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_bytes_of_trails(more: int) -> None:
    nbytes = len(msgspec.msgpack.encode((STROKE,)))
    assert taken((STROKE,), max_trail_bytes=nbytes - more) == (more <= 0)


@pytest.mark.parametrize(
    ("message", "error", "told"),
    [
        (m.Paint(seq=9, path=((5, 5),), radius=2, label=0), BadMessageError, "erase"),
        (m.Combine(seq=9, operation="union", objects=(1, 1)), BadMessageError, "once"),
        (m.Combine(seq=9, operation="intersection", objects=(1, 2)), BadMessageError, "nothing is left"),
        (m.Refine(seq=9, object=2), BadMessageError, "given mask"),
        (m.Give(seq=9, objects=(m.Given(trail=(GIVEN,)),) * 2), TooManyObjectsError, "room for 1, got 2"),
    ],
)
def test_an_act_that_can_not_be_done_says_why(message: m.Give, error: type[HoverError], told: str) -> None:
    session = fresh(max_objects=3)
    WORKER.change(session, given(GIVEN))
    WORKER.change(session, m.Paint(seq=2, path=((5, 5),), radius=2))
    before = session.objects
    with pytest.raises(error, match=told):
        WORKER.change(session, message)
    assert session.objects is before


def test_the_counts_of_a_mask_are_those_of_cocos_tools() -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        mask_hw = random.random(tuple(random.integers(1, 20, 2))) < random.random()
        height, width = mask_hw.shape
        assert np.array_equal(mask_of(counts_of(mask_hw), (height, width)), mask_hw)


DAB = StrokeStep(path=((78, 40),), radius=4)
FAR_DAB = StrokeStep(path=((92, 10),), radius=4)


@pytest.mark.parametrize(
    ("stroke", "grown", "about"),
    [
        (DAB, (20, 60, 30, 84), True),  # the object and what it reaches to
        (DAB, (0, 80, 0, 100), False),  # the whole picture
        (DAB, (30, 50, 70, 90), False),  # something beside it, in its place
        (FAR_DAB, (18, 62, 28, 72), True),
        (FAR_DAB, (0, 60, 30, 85), False),  # the ground between the two
        (StrokeStep(path=((50, 40),), radius=4, label=0), (20, 36, 30, 70), True),  # the half that was meant
        (StrokeStep(path=((50, 40),), radius=4, label=0), (20, 26, 30, 70), True),  # a part: the rest was too much
        (StrokeStep(path=((50, 40),), radius=4, label=0), (20, 21, 30, 70), False),  # all but a rim
        (StrokeStep(path=((50, 40),), radius=4, label=0), (0, 80, 0, 100), False),
    ],
)
def test_a_strokes_click_is_taken_only_where_the_model_makes_the_same_object_of_it(
    stroke: StrokeStep, grown: tuple[int, int, int, int], about: bool
) -> None:
    session = fresh()
    WORKER.change(session, given(GIVEN))
    after = np.zeros((HEIGHT, WIDTH), np.bool_)
    after[grown[0] : grown[1], grown[2] : grown[3]] = True
    mask = encode_mask(after, score=0.9, area=int(after.sum()))
    assert strays(session.objects[1], mask, stroke, (HEIGHT, WIDTH)) != about
