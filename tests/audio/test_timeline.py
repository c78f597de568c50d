"""The times of a stream whose device is looked at by a thread that wakes late."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.audio.timeline import JUMP_S, TOLERANCE_S, WINDOW, Timeline

RATE = 48_000
BLOCK = 960


def test_samples_have_their_distance_whatever_the_thread_does() -> None:
    """Blocks that are fetched up to 8 ms late have times that are 20 ms apart, to the sample."""
    late = np.random.default_rng(0).uniform(0, 0.008, 500)
    line = Timeline(RATE)
    times = [line.time_of(n * BLOCK, 100.0 + n * 0.02 + late[n]) for n in range(500)]
    assert np.diff(times) == pytest.approx(np.full(499, 0.02), abs=1e-9)


def test_the_first_block_may_have_been_late() -> None:
    """Late by 40 ms, and the others are not: the error is gone with the second."""
    line = Timeline(RATE)
    assert line.time_of(0, 100.04) == pytest.approx(100.04, abs=1e-4)
    assert line.time_of(BLOCK, 100.02) == pytest.approx(100.02, abs=1e-4)


def test_two_blocks_at_once_are_no_jump() -> None:
    """A thread that sleeps through one period and then fetches two: nothing moves."""
    line = Timeline(RATE)
    times = [line.time_of(n * BLOCK, 100.0 + n * 0.02 + 0.02 * (n % 2)) for n in range(200)]
    assert np.diff(times[2:]) == pytest.approx(np.full(197, 0.02), abs=1e-9)


def test_a_clock_that_drifts_is_followed_in_few_steps() -> None:
    """At 100 ppm over five minutes, no time is wrong by more than the tolerance and a bit, in at most four steps."""
    line, wrong, moved = Timeline(RATE), [], 0
    before = None
    for n in range(15_000):
        true = 100.0 + n * 0.02 * 1.0001
        time = line.time_of(n * BLOCK, true)
        wrong.append(abs(time - true))
        moved += before is not None and abs(time - before - 0.02) > 1e-6
        before = time
    assert max(wrong) < TOLERANCE_S + 0.002
    assert 0 < moved <= 4


def test_a_buffer_that_ran_empty_is_noticed_within_half_a_second() -> None:
    """From one block to the next everything is 30 ms later, and stays so."""
    line = Timeline(RATE)
    for n in range(100):
        line.time_of(n * BLOCK, 100.0 + n * 0.02)
    times = [line.time_of(n * BLOCK, 100.03 + n * 0.02) - n * 0.02 for n in range(100, 100 + WINDOW)]
    assert times[0] == pytest.approx(100.0, abs=1e-4)
    assert times[-1] == pytest.approx(100.03, abs=1e-4)


def test_a_device_that_was_away_is_believed_at_once() -> None:
    """Half a second in which no samples were counted: the next block has its own time."""
    line = Timeline(RATE)
    line.time_of(0, 100.0)
    assert line.time_of(BLOCK, 100.52) == pytest.approx(100.52, abs=1e-4)


@given(st.lists(st.floats(0.0, JUMP_S / 2), min_size=1, max_size=60), st.floats(0.0, 1e6))
def test_no_time_is_later_than_the_block_was_seen(late: list[float], start: float) -> None:
    """Property: a block is never placed more than the tolerance after the moment at which it was fetched."""
    line = Timeline(RATE)
    for n, delay in enumerate(late):
        seen = start + n * 0.02 + delay
        assert line.time_of(n * BLOCK, seen) <= seen + TOLERANCE_S + 1e-4
