"""The store of embeddings: what it keeps, what it forgets first, and what it counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.service.embeddings import EmbeddingKey, EmbeddingStore, StoreStats
from tests.helpers.fake_engine import FakeEmbedding

A, B, C, D = (EmbeddingKey("tiny", name) for name in "abcd")


def embedding(nbytes: int = 100) -> FakeEmbedding:
    return FakeEmbedding((1, 1), 0.0, nbytes)


@pytest.fixture
def store() -> EmbeddingStore:
    """A store with room for three embeddings."""
    return EmbeddingStore(300)


def kept(store: EmbeddingStore) -> str:
    return "".join(key.source for key in (A, B, C, D) if store.get(key))


def test_what_was_put_is_got_back(store: EmbeddingStore) -> None:
    one = embedding()
    assert store.put(A, one)
    assert store.get(A) is one


def test_the_same_picture_of_another_model_is_another_embedding(store: EmbeddingStore) -> None:
    store.put(A, embedding())
    assert store.get(EmbeddingKey("large", A.source)) is None


def test_the_least_recently_used_is_forgotten_first(store: EmbeddingStore) -> None:
    for key in (A, B, C):
        store.put(key, embedding())
    store.get(A)
    store.put(D, embedding())
    assert kept(store) == "acd"


def test_as_many_are_forgotten_as_a_large_one_needs(store: EmbeddingStore) -> None:
    for key in (A, B, C):
        store.put(key, embedding())
    store.put(D, embedding(200))
    assert kept(store) == "cd"


def test_a_pinned_one_is_not_forgotten(store: EmbeddingStore) -> None:
    for key in (A, B, C):
        store.put(key, embedding())
    with store.pinned(A):
        store.put(D, embedding())
    assert kept(store) == "acd"


def test_an_unpinned_one_is_forgotten_again(store: EmbeddingStore) -> None:
    for key in (A, B, C):
        store.put(key, embedding())
    with store.pinned(A), store.pinned(A):
        pass
    store.put(D, embedding())
    assert kept(store) == "bcd"


def test_a_pin_holds_until_its_last_user_lets_go(store: EmbeddingStore) -> None:
    for key in (A, B, C):
        store.put(key, embedding())
    with store.pinned(A):
        with store.pinned(A):
            pass
        store.put(D, embedding())
    assert kept(store) == "acd"


def test_one_that_does_not_fit_beside_the_pinned_ones_is_not_kept_and_drives_nothing_out(
    store: EmbeddingStore,
) -> None:
    for key in (A, B, C):
        store.put(key, embedding())
    with store.pinned(A), store.pinned(B):
        assert not store.put(D, embedding(101))
    assert kept(store) == "abc"


def test_one_larger_than_the_whole_budget_is_not_kept(store: EmbeddingStore) -> None:
    assert not store.put(A, embedding(301))
    assert store.stats().bytes == 0


def test_one_of_the_same_key_takes_the_place_of_the_old(store: EmbeddingStore) -> None:
    store.put(A, embedding(100))
    with store.pinned(A):
        store.put(A, embedding(250))
    assert store.stats() == StoreStats(bytes=250, hits=0, misses=0)


def test_hits_and_misses_are_counted(store: EmbeddingStore) -> None:
    for key in (A, B, C, D):
        store.put(key, embedding())
    assert kept(store) == "bcd"
    assert store.stats() == StoreStats(bytes=300, hits=3, misses=1)


def test_threads_that_put_get_pin_and_drop_together_never_exceed_the_budget(store: EmbeddingStore) -> None:
    def work(seed: int) -> int:
        most = 0
        for step in range(300):
            key = (A, B, C, D)[(seed + step) % 4]
            with store.pinned(key):
                store.put(key, embedding(40 + (seed * 7 + step * 13) % 100))
                store.get(key)
            if step % 5 == 0:
                store.drop(key.model)
            most = max(most, store.stats().bytes)
        return most

    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(work, range(4))) <= 300
    store.drop()
    assert store.stats().bytes == 0


def test_a_drop_forgets_one_model_or_all_that_nobody_has_pinned(store: EmbeddingStore) -> None:
    other = EmbeddingKey("large", "a")
    for key in (A, B, other):
        store.put(key, embedding())
    assert store.drop("large") == 1
    assert store.get(other) is None
    with store.pinned(B):
        assert store.drop() == 1
    assert kept(store) == "b"
    assert store.stats().bytes == 100


def test_fifty_pictures_stay_under_a_budget_of_256_mib() -> None:
    store = EmbeddingStore(256 * 2**20)
    for number in range(50):
        key = EmbeddingKey("tiny", str(number))
        assert store.put(key, embedding(11_534_336))  # what a picture takes with tiny in bf16
        assert store.get(key) is not None
        assert store.stats().bytes <= 256 * 2**20
    assert store.stats().bytes == 23 * 11_534_336


def test_an_embedding_that_shrank_is_counted_as_when_it_came() -> None:
    store, kept = EmbeddingStore(1000), Shrinking()
    store.put(A, kept)
    kept.nbytes = 10
    store.drop()
    assert store.stats().bytes == 0


class Shrinking:
    size_hw = (1, 1)
    nbytes = 100
