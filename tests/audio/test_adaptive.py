"""The filter that learns the way from the speaker to the microphone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.audio.adaptive import AdaptiveFilter, later_by
from claudiad.audio.level import level_dbfs
from claudiad.types import FRAME_SAMPLES, Pcm
from tests.audio.echoes import ROOM_DBFS, echo, mixed, spoken
from tests.audio.sounds import noise, silence

REPLY = "天気はまだ分かりません。空を見てみてくださいね。"


def _cancel(canceller: AdaptiveFilter, heard: Pcm, played: Pcm) -> Pcm:
    whole = range(0, len(played) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    return np.concatenate([canceller(heard[n : n + FRAME_SAMPLES], played[n : n + FRAME_SAMPLES]) for n in whole])


def _gain_db(heard: Pcm, left: Pcm) -> float:
    return level_dbfs(heard[: len(left)]) - level_dbfs(left)


@pytest.mark.parametrize("delay_ms", [0.0, 45.0, 120.0])
@pytest.mark.parametrize(("reverberation_s", "expected_db"), [(0.0, 20.0), (0.3, 16.0)])
def test_what_is_heard_again_is_taken_away(delay_ms: float, reverberation_s: float, expected_db: float) -> None:
    """Of the second reply, whatever the way, a hundredth of the echo or less is left."""
    played, canceller = spoken(REPLY), AdaptiveFilter()
    heard = echo(played, -6, delay_ms, reverberation_s)
    _cancel(canceller, heard, played)
    assert _gain_db(heard, _cancel(canceller, heard, played)) > expected_db


def test_a_voice_over_the_echo_comes_through() -> None:
    """What is left of both is the voice: what differs from it is 15 dB softer than the echo was."""
    played, canceller = spoken(REPLY), AdaptiveFilter()
    for _ in range(2):
        _cancel(canceller, echo(played, -6, 45), played)
    person = mixed((np.zeros(len(played), np.int16), 0), (spoken("止まってください", -3.0, 9000.0), 16_000))
    alone = echo(played, -6, 45)
    left = _cancel(canceller, mixed((alone, 0), (person, 0)), played)
    wrong = left.astype(int) - person[: len(left)]
    over = slice(16_000, 16_000 + 20_000)
    assert level_dbfs(alone[over]) - level_dbfs(np.asarray(wrong[over], np.int16)) > 15
    assert _gain_db(alone, _cancel(canceller, alone, played)) > 18  # and the voice has not spoilt what was known


def test_without_an_echo_nothing_is_taken_away() -> None:
    """Headphones: somebody who speaks over a reply that does not come back is heard as he is."""
    played, canceller = spoken(REPLY), AdaptiveFilter()
    room = noise(ROOM_DBFS, 6000)[: len(played)]
    _cancel(canceller, room, played)
    person = mixed((room, 0), (spoken("止まってください", -3.0, 9000.0), 16_000))
    wrong = _cancel(canceller, person, played).astype(int) - person[: len(played) // FRAME_SAMPLES * FRAME_SAMPLES]
    assert level_dbfs(person) - level_dbfs(np.asarray(wrong, np.int16)) > 15


def test_silence_is_left_alone() -> None:
    """Nothing played, nothing heard; nothing played, something heard."""
    canceller, sound = AdaptiveFilter(), noise(-30, 1000)
    assert not _cancel(canceller, silence(1000), silence(1000)).any()
    assert np.array_equal(_cancel(canceller, sound, silence(1000)), sound)


@pytest.mark.parametrize("shift", [5, -7, 160])
def test_a_way_that_has_grown_is_followed(shift: int) -> None:
    """Between two replies the clocks have drifted apart: one second into the next one, the echo is gone again."""
    played, canceller = spoken(REPLY), AdaptiveFilter()
    for _ in range(2):
        _cancel(canceller, echo(played, -6, 45), played)
    moved = echo(played, -6, 45 + shift / 16)
    left = _cancel(canceller, moved, played)
    assert _gain_db(moved[24_000:], left[24_000:]) > 15


def test_clocks_that_run_apart_are_followed() -> None:
    """At 50 ppm, a sample every one and a quarter seconds, most of the echo stays away."""
    played, canceller = np.tile(spoken(REPLY), 6), AdaptiveFilter()
    time = np.arange(len(played))
    heard = np.asarray(np.interp(time * (1 - 50e-6), time, echo(played, -6, 45)[: len(played)]), np.int16)
    left = _cancel(canceller, heard, played)
    half = len(left) // 2
    assert _gain_db(heard[half:], left[half:]) > 10


def test_later_by_finds_the_shift_and_nothing_else() -> None:
    """Of noise moved by some samples; none for what is unmoved, for unrelated noise, and for silence."""
    base = noise(-20, 400).astype(float)
    for shift in (-300, -1, 1, 8, 300):
        assert later_by(np.roll(base, shift)[600:4440], base[600:4440]) == shift
    assert later_by(base, base) == 0
    assert later_by(base, noise(-20, 400, seed=1).astype(float)) == 0
    assert later_by(base, np.zeros(6400)) == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)), min_size=1, max_size=40))
def test_whatever_comes_the_numbers_stay_sound(levels: list[tuple[int, int]]) -> None:
    """Property: full-scale steps and silences in any order never break it; silence then is silence again."""
    canceller = AdaptiveFilter()
    for heard, played in levels:
        canceller(np.full(FRAME_SAMPLES, heard, np.int16), np.full(FRAME_SAMPLES, played, np.int16))
    for _ in range(12):
        left = canceller(np.zeros(FRAME_SAMPLES, np.int16), np.zeros(FRAME_SAMPLES, np.int16))
    assert not left.any()
