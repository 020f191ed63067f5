"""Which worker a source belongs to, which of a mixed fleet are asked, and how long one may take."""

from __future__ import annotations

from collections import Counter

import pytest

from app.fleet.routing import FLOOR_S, Deadline, home_of, pool_of, ranked
from app.service.embeddings import EmbeddingKey

WORKERS = [f"worker-{number}" for number in range(5)]
KEYS = [EmbeddingKey("tiny", f"{number:032x}") for number in range(500)]


def test_every_front_end_ranks_alike_and_each_worker_has_its_share() -> None:
    homes = Counter(ranked(WORKERS, key)[0] for key in KEYS)
    assert homes == Counter(ranked(reversed(WORKERS), key)[0] for key in KEYS)  # type: ignore[arg-type]
    assert all(60 < homes[worker] < 140 for worker in WORKERS)


def test_a_worker_that_goes_moves_only_its_own_sources_to_the_next_in_rank() -> None:
    for key in KEYS:
        before, after = ranked(WORKERS, key), ranked(WORKERS[1:], key)
        assert after == [worker for worker in before if worker != WORKERS[0]]


@pytest.mark.parametrize("count", [2, 4, 5])
def test_no_worker_has_many_more_sources_than_another(count: int) -> None:
    workers, loads, at_best = WORKERS[:count], Counter[str](), 0
    for key in KEYS[:64]:
        home = home_of(workers, key, loads)
        loads[home] += 1
        at_best += home == ranked(workers, key)[0]
    assert max(loads.values()) <= 1.125 * 64 / count + 1
    assert at_best > 40  # most are where every front end looks first


def test_another_model_or_window_of_a_picture_may_be_elsewhere() -> None:
    homes = {ranked(WORKERS, EmbeddingKey(model, f"p{end}"))[0] for model in ("tiny", "large") for end in ("", "@1,2")}
    assert len(homes) > 1


@pytest.mark.parametrize(
    ("computes", "asked"),
    [
        ({"a": "torch on cpu", "b": "torch on cpu"}, ["a", "b"]),
        ({"a": "OpenVINO bf16 on cpu", "b": "torch on cuda", "c": "OpenVINO bf16 on cpu"}, ["b"]),
        ({"a": "OpenVINO bf16 on cpu", "b": "OpenVINO fp32 on cpu", "c": "OpenVINO bf16 on cpu"}, ["a", "c"]),
        ({"a": "", "b": "torch on cpu"}, ["b"]),
        ({"a": "", "b": ""}, ["a", "b"]),
        ({}, []),
    ],
)
def test_only_workers_that_answer_alike_are_asked_the_fastest_first(computes: dict[str, str], asked: list[str]) -> None:
    assert pool_of(computes) == asked


def test_a_deadline_follows_what_answers_took_and_forgets_a_slow_hour() -> None:
    deadline = Deadline()
    assert (deadline.seconds, deadline.median_ms) == (FLOOR_S, 0.0)
    for taken_s in [0.01] * 60 + [2.0] * 2:  # two that met an encode change nothing
        deadline.add(taken_s)
    assert deadline.seconds == FLOOR_S
    for _ in range(64):
        deadline.add(0.2)
    assert deadline.seconds == pytest.approx(1.0)
    assert deadline.median_ms == pytest.approx(200.0)
    for _ in range(64):
        deadline.add(0.01)
    assert deadline.seconds == FLOOR_S
