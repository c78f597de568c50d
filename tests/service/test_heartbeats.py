"""Progress and stalls, with time passed in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.service.heartbeats import Heartbeats, Stalled


def watch(hb: Heartbeats, start: float, seconds: float, step: float = 1.0) -> Stalled | None:
    """Look every `step` seconds; the last answer."""
    found = None
    for index in range(int(seconds / step) + 1):
        found = hb.stalled(start + index * step)
    return found


def test_a_stage_that_beats_never_stalls() -> None:
    """As long as it beats between two looks, however long that goes on."""
    hb = Heartbeats()
    hb.expect("loop", 3.0)
    for now in range(100):
        hb.beat("loop")
        assert hb.stalled(now) is None


def test_a_stage_that_stops_beating_stalls_after_its_deadline() -> None:
    """Not at it, but at the next look behind it; a beat makes it well again."""
    hb = Heartbeats()
    hb.expect("loop", 3.0)
    assert watch(hb, 0.0, 3.0) is None
    assert hb.stalled(4.0) == Stalled("loop", 4.0, 3.0)
    assert "loop has made no progress for 4 s (allowed: 3 s)" in str(hb.stalled(4.0))
    hb.beat("loop")
    assert hb.stalled(5.0) is None


def test_an_idle_worker_may_be_idle_for_ever() -> None:
    """Only work that has begun has to end; new work does not inherit the time of the pause before it."""
    hb = Heartbeats()
    with hb.working("stt", 5.0):
        assert hb.stalled(0.0) is None
    assert watch(hb, 1.0, 1000.0) is None
    hb.busy("stt", 5.0)
    assert watch(hb, 1002.0, 5.0) is None
    stalled = hb.stalled(1008.0)
    assert stalled is not None
    assert stalled.stage == "stt"
    hb.idle("stt")
    assert hb.stalled(1009.0) is None


def test_work_that_ends_with_an_error_has_ended() -> None:
    """`working` is over however its block is left."""
    hb = Heartbeats()
    with pytest.raises(ZeroDivisionError), hb.working("voice", 1.0):
        raise ZeroDivisionError
    assert watch(hb, 0.0, 100.0) is None


def test_work_after_work_is_measured_by_itself() -> None:
    """A worker that is busy at every look, but with something else each time, makes progress."""
    hb = Heartbeats()
    for now in range(100):
        hb.busy("stt", 2.0)
        assert hb.stalled(now) is None
        hb.idle("stt")


def test_a_counter_is_observed_and_excused() -> None:
    """It must change, except while nothing is expected; then its time begins anew."""
    hb, counter = Heartbeats(), [0]
    value: list[int | None] = [0]
    hb.observe("frames", 3.0, lambda: value[0])
    assert watch(hb, 0.0, 3.0) is None
    value[0] = None
    assert watch(hb, 4.0, 50.0) is None
    value[0] = counter[0]
    assert watch(hb, 55.0, 3.0) is None
    assert watch(hb, 59.0, 0.0) is not None


def test_the_worst_is_named() -> None:
    """Of two, the one that is further over its deadline in proportion."""
    hb = Heartbeats(longest_look_s=100.0)
    hb.expect("a", 10.0)
    hb.expect("b", 1.0)
    hb.stalled(0.0)
    stalled = hb.stalled(20.0)
    assert stalled is not None
    assert stalled.stage == "b"


def test_a_stage_nobody_expects_cannot_beat() -> None:
    """A slip of the pen in a stage's name does not feed the watchdog."""
    with pytest.raises(KeyError):
        Heartbeats().beat("nobody")


@given(gap=st.floats(min_value=0, max_value=1e9), deadline=st.floats(min_value=2.5, max_value=100))
def test_a_freeze_of_the_whole_process_stalls_nothing(gap: float, deadline: float) -> None:
    """Suspended, stopped by a signal, a clock that jumped: time in which nobody looked was nobody's."""
    hb = Heartbeats(longest_look_s=2.0)
    hb.expect("loop", deadline)
    hb.beat("loop")
    assert hb.stalled(5.0) is None
    assert hb.stalled(5.0 + gap) is None
    assert hb.stalled(5.0) is None, "a clock that goes back is no time at all"
