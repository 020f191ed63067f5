"""Whatever is done, undone and switched, an object never shows or refines what another model made."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.protocol import messages as m
from app.session.limits import SessionLimits
from app.session.objects import Answer, SessionObject
from app.session.query import Query
from app.session.session import Change, Session
from tests.helpers.assertions import HEIGHT, IMAGE, MODEL, WIDTH, answer_to

LIMITS = SessionLimits(max_points=20, max_objects=20, max_history=1000, max_history_bytes=2**30)
MODELS = (MODEL, "nano", "large")
Act = tuple[str, int, int, int]
acts = st.tuples(
    st.sampled_from(["click", "refine", "choose", "move", "delete", "undo", "redo", "switch"]),
    st.integers(0, WIDTH),
    st.integers(0, HEIGHT),
    st.integers(0, 2),
)


class Player:
    """Does what a connection does: asks the session's model, and predicts again after a switch or on undo."""

    def __init__(self, stand_in: str | None = None) -> None:
        self.session = Session(LIMITS, MODEL)
        self.session.open(0, IMAGE, stand_in=stand_in)
        self.seq = 0

    def ask(self, query: Query, model: str) -> Answer:
        """Return an answer of this model; its best candidate and its memory are its own."""
        assert query.feedback is None or query.feedback.startswith(model.encode())
        found = answer_to(query)
        memory = tuple(model.encode() + part for part in found.memory)
        return replace(found, memory=memory, best=MODELS.index(model) % len(memory))

    def predicted(self, item: SessionObject, model: str) -> Answer:
        return self.ask(Query(0, item), model)

    def change(self, message: Change) -> None:
        missing = self.session.missing(message) if isinstance(message, (m.Undo, m.Redo)) else []
        if missing:
            self.session.renew([(item, self.predicted(item, self.session.answering)) for item in missing])
        step = self.session.step(message)
        if isinstance(step, Query):
            self.session.commit(step, self.ask(step, self.session.answering))

    def switch(self, model: str) -> None:
        self.seq += 1
        answered = [(item, self.predicted(item, model)) for item in self.session.objects.values()]
        self.session.switch(self.seq, model, answered)

    def own(self) -> None:
        """Let the session's own model take the place of the stand-in, if there is one still."""
        if self.session.stand_in is not None:
            answered = [(item, self.predicted(item, self.session.model)) for item in self.session.objects.values()]
            self.session.switch(self.session.stand_in.seq, self.session.model, answered)

    def act(self, act: Act) -> None:
        kind, x, y, pick = act
        self.seq += 1
        last = max(self.session.objects, default=None)
        if kind == "switch":
            self.switch(MODELS[pick])
        elif kind in ("undo", "redo"):
            self.change(m.Undo(seq=self.seq) if kind == "undo" else m.Redo(seq=self.seq))
        elif kind == "click" or last is None:
            self.change(m.Click(seq=self.seq, x=x, y=y))
        elif kind == "refine" and len(self.session.objects[last].points) < LIMITS.max_points:
            self.change(m.Click(seq=self.seq, x=x, y=y, label=pick % 2, object=last))
        elif kind == "choose":
            answer = self.session.objects[last].answer
            assert answer is not None
            self.change(m.Choose(seq=self.seq, object=last, candidate=pick % len(answer.masks)))
        elif kind == "move":
            self.change(m.Move(seq=self.seq, object=last, point=0, x=x, y=y))
        else:
            self.change(m.Delete(seq=self.seq, object=last))

    def state(self) -> list[tuple[object, ...]]:
        """Return what is remembered of the objects besides what a model made of them."""
        return [(item.id, item.name, item.trail) for item in self.session.objects.values()]

    def check(self) -> None:
        """Every object shows what the session's model makes of its prompts, predicted from nothing."""
        for item in self.session.objects.values():
            assert item.answer == self.predicted(item, self.session.answering)


@given(st.lists(acts, max_size=30))
@settings(max_examples=200)
def test_every_object_shows_what_the_sessions_model_makes_of_its_prompts(script: list[Act]) -> None:
    player = Player()
    for act in script:
        player.act(act)
        player.check()


@given(st.lists(acts, max_size=20), st.sampled_from(MODELS), st.integers(1, 25))
@settings(max_examples=100)
def test_a_switch_is_no_step_and_undo_still_goes_all_the_way_back(script: list[Act], model: str, times: int) -> None:
    switched, alone = Player(), Player()
    for player in (switched, alone):
        for act in script:
            player.act(act)
    switched.switch(model)
    for kind in ["undo"] * times + ["redo"] * times:
        for player in (switched, alone):
            player.act((kind, 0, 0, 0))
        assert switched.state() == alone.state()
        switched.check()


@given(st.lists(acts, max_size=20))
@settings(max_examples=100)
def test_there_and_back_again_gives_the_same_masks(script: list[Act]) -> None:
    player = Player()
    for act in script:
        player.act(act)
    before, model = [item.answer for item in player.session.objects.values()], player.session.model
    player.switch("large" if model != "large" else "nano")
    player.switch(model)
    assert [item.answer for item in player.session.objects.values()] == before


@given(st.lists(acts, max_size=20), st.lists(acts, max_size=20))
@settings(max_examples=100)
def test_a_session_that_began_with_a_stand_in_is_as_if_it_had_waited(before: list[Act], after: list[Act]) -> None:
    quick, patient = Player(stand_in="nano"), Player()
    for act in before:
        for player in (quick, patient):
            player.act(act)
    quick.own()
    for act in after:
        for player in (quick, patient):
            player.act(act)
    assert [unpicked(item) for item in quick.session.objects.values()] == [
        unpicked(item) for item in patient.session.objects.values()
    ]
    quick.check()


def unpicked(item: SessionObject) -> tuple[object, ...]:
    """Return what a person made of an object; which candidate was picked depends on whose they were."""
    return item.id, item.name, item.points, item.box
