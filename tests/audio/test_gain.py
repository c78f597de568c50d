"""A gain that changes while something sounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.audio.gain import RAMP_S, Gain, checked
from tests.audio.sounds import tone

RATE = 16_000
RAMP = int(RAMP_S * RATE)


def test_full_volume_changes_nothing() -> None:
    """The very same samples."""
    sound = tone(440, 20)
    assert Gain(RATE).apply(sound) is sound


def test_a_lower_target_is_reached_within_the_ramp_and_stays() -> None:
    """A constant goes down in a straight line, then is a quarter, in this block and the next."""
    gain = Gain(RATE)
    gain.target = 0.25
    first = gain.apply(np.full(320, 8000, np.int16))
    assert np.all(np.diff(first[: RAMP * 3 // 4].astype(int)) < 0)
    assert np.all(np.abs(np.diff(first.astype(int))) <= 8000 / RAMP + 1)
    assert np.all(first[RAMP:] == 2000)
    assert np.all(gain.apply(np.full(320, 8000, np.int16)) == 2000)


def test_back_to_full_volume() -> None:
    """It rises as gently, and is then out of the way."""
    gain = Gain(RATE)
    gain.target = 0.0
    gain.apply(np.full(320, 8000, np.int16))
    gain.target = 1.0
    rising = gain.apply(np.full(320, 8000, np.int16))
    assert np.all(np.diff(rising.astype(int)) >= 0)
    assert rising[0] < 8000 / RAMP + 1
    sound = tone(440, 20)
    assert gain.apply(sound) is sound


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 50)), max_size=20))
def test_never_a_click_and_never_louder(changes: list[tuple[float, int]]) -> None:
    """Property: whatever it is set to and however short the blocks, neighbours differ by no more than the ramp."""
    gain, heard = Gain(RATE), [np.full(1, 30_000, np.int16)]
    for target, length in changes:
        gain.target = target
        heard.append(gain.apply(np.full(length, 30_000, np.int16)))
    sound = np.concatenate(heard).astype(int)
    assert np.all(np.abs(np.diff(sound)) <= 30_000 / RAMP + 1)
    assert np.all((sound >= 0) & (sound <= 30_000))


@pytest.mark.parametrize("gain", [-0.1, 1.1, float("nan")])
def test_what_is_no_gain_is_refused(gain: float) -> None:
    """With the value in the message."""
    with pytest.raises(ValueError, match="gain"):
        checked(gain)
