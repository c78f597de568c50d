"""What is remembered of a conversation."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from claudiad.llm.memory import Exchange, Memory


def turn(said: str, at: float, spoken: str = "はい。", *actions: int) -> Exchange:
    return Exchange(said, spoken, actions, at)


def test_the_last_turns_are_remembered_oldest_first() -> None:
    """Of four with room for three, the first is gone."""
    memory = Memory(3, 300.0)
    for i, said in enumerate("一二三四"):
        memory.add(turn(said, float(i)), float(i))
    assert [each.said for each in memory.recent(4.0)] == ["二", "三", "四"]


def test_what_is_older_than_it_may_be_is_forgotten() -> None:
    """At the limit it is still there."""
    memory = Memory(3, 300.0)
    memory.add(turn("一", 0.0), 0.0)
    memory.add(turn("二", 10.0), 10.0)
    assert len(memory.recent(300.0)) == 2
    assert [each.said for each in memory.recent(300.1)] == ["二"]
    assert memory.recent(1000.0) == ()


def test_a_turn_in_which_nothing_happened_is_not_kept() -> None:
    """Nothing spoken and nothing done; one of the two is enough."""
    memory = Memory(3, 300.0)
    memory.add(turn("一", 0.0, ""), 0.0)
    memory.add(turn(" ", 0.0), 0.0)
    memory.add(turn("二", 0.0, "", 1016), 0.0)
    memory.add(turn("三", 0.0, "はい、そ"), 0.0)
    assert [(each.said, each.spoken) for each in memory.recent(0.0)] == [("二", ""), ("三", "はい、そ")]


def test_without_turns_there_is_no_memory() -> None:
    """`llm.memory_turns = 0`."""
    memory = Memory(0, 300.0)
    memory.add(turn("一", 0.0), 0.0)
    assert memory.recent(0.0) == ()


def test_it_can_be_told_to_forget() -> None:
    """At once and all of it."""
    memory = Memory(3, 300.0)
    memory.add(turn("一", 0.0), 0.0)
    memory.clear()
    assert memory.recent(0.0) == ()


@given(st.integers(0, 5), st.lists(st.floats(0.0, 50.0), max_size=20))
def test_it_never_holds_more_or_older_than_it_may(turns: int, pauses: list[float]) -> None:
    """Whatever the pauses between turns."""
    memory, now = Memory(turns, 100.0), 0.0
    for pause in pauses:
        now += pause
        memory.add(turn("一", now), now)
        kept = memory.recent(now)
        assert len(kept) <= turns
        assert all(now - each.at <= 100.0 for each in kept)
