from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from claudiad.tts.cache import ClauseCache
from claudiad.types import Pcm


def pcm(samples: int) -> Pcm:
    return np.zeros(samples, np.int16)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 60), st.booleans())))
def test_it_never_holds_more_than_its_bound(puts: list[tuple[str, int, bool]]) -> None:
    """Whatever is put in, the bytes held stay within the bound and are counted right."""
    cache = ClauseCache(max_bytes=100)
    for clause, samples, pin in puts:
        kept = cache.put(clause, pcm(samples), pin=pin)
        assert (cache.get(clause) is not None) == kept
        assert cache.size <= 100
    held = [cache.get(clause) for clause in "abcdef"]
    assert cache.size == sum(samples.nbytes for samples in held if samples is not None)


def test_the_least_recently_used_goes_first() -> None:
    """Asking for a clause keeps it; the one nobody asked for makes room."""
    cache = ClauseCache(max_bytes=40)
    cache.put("old", pcm(10))
    cache.put("used", pcm(10))
    cache.get("old")
    cache.put("new", pcm(10))
    assert cache.get("used") is None
    assert cache.get("old") is not None


def test_pinned_clauses_stay() -> None:
    """A pinned clause is never dropped for another; what does not fit beside it is not kept."""
    cache = ClauseCache(max_bytes=40)
    cache.put("はい。", pcm(15), pin=True)
    assert not cache.put("long", pcm(6))
    assert cache.put("short", pcm(5))
    assert cache.get("はい。") is not None
