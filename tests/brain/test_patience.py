"""How long a pause may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain.openness import Openness
from claudiad.brain.patience import HABIT_FROM, HABIT_OF, PROFILES, Patience, habit_ms, longest_wait_ms, waits_of
from claudiad.config import Settings, TurnSettings


@pytest.mark.parametrize(
    ("profile", "openness", "ms"),
    [
        ("snappy", Openness.COMPLETE, 200),
        ("snappy", Openness.BETWEEN, 600),
        ("snappy", None, 600),
        ("snappy", Openness.OPEN, 1000),
        ("calm", Openness.COMPLETE, 300),
        ("calm", Openness.BETWEEN, 800),
        ("calm", None, 800),
        ("calm", Openness.OPEN, 1200),
    ],
)
def test_the_profiles(profile: str, openness: Openness | None, ms: int) -> None:
    """The table of docs/turn-taking.md."""
    assert Patience(TurnSettings(profile=profile)).wait_ms(openness) == ms  # type: ignore[arg-type]


def test_a_setting_stands_before_the_profile() -> None:
    """Each wait by itself; 0 leaves it to the profile."""
    waits = waits_of(TurnSettings(profile="calm", complete_ms=250, open_ms=1500))
    assert (waits.complete, waits.between, waits.open) == (250, PROFILES["calm"].between, 1500)


def test_a_less_complete_phrase_never_waits_less() -> None:
    """Contradicting settings are put in order, upwards."""
    waits = waits_of(TurnSettings(complete_ms=700, between_ms=100, open_ms=300))
    assert waits.complete == waits.between == waits.open == 700


@pytest.mark.parametrize(
    ("pauses", "ms"),
    [
        ([], 0),
        ([500] * (HABIT_FROM - 1), 0),
        ([500] * HABIT_FROM, 600),
        ([300] * 9 + [900], 1000),
        ([300] * 18 + [800, 900], 900),
    ],
    ids=["none", "too few", "enough", "nine in ten are the ninth", "one in twenty does not count"],
)
def test_a_habit_is_what_nine_pauses_in_ten_fit_into(pauses: list[int], ms: int) -> None:
    """With 100 ms to spare."""
    assert habit_ms(pauses) == ms


def test_a_slow_speaker_is_waited_for_and_a_command_acts_as_soon_as_ever() -> None:
    """Long pauses lengthen only what lies between complete and open, and never beyond open."""
    patience = Patience(TurnSettings())
    for _ in range(HABIT_FROM):
        patience.paused(750)
    assert patience.wait_ms(Openness.BETWEEN) == patience.wait_ms(None) == 850
    assert patience.wait_ms(Openness.COMPLETE) == 200
    for _ in range(HABIT_OF):
        patience.paused(2500)
    assert patience.wait_ms(Openness.BETWEEN) == patience.wait_ms(Openness.OPEN) == 1000
    for _ in range(HABIT_OF):
        patience.paused(200)
    assert patience.wait_ms(Openness.BETWEEN) == 600


@given(st.lists(st.integers(0, 5000)), st.sampled_from(["snappy", "calm"]))
def test_whatever_the_habit_the_order_stays(pauses: list[int], profile: str) -> None:
    """complete ≤ between ≤ open, within the profile's bounds."""
    patience = Patience(TurnSettings(profile=profile))  # type: ignore[arg-type]
    for ms in pauses:
        patience.paused(ms)
    complete, between, waits = (patience.wait_ms(o) for o in (Openness.COMPLETE, Openness.BETWEEN, Openness.OPEN))
    assert waits_of(TurnSettings(profile=profile)).complete == complete <= between <= waits  # type: ignore[arg-type]


def test_the_longest_wait() -> None:
    """What a recording needs behind it: the open wait, or the fixed hangover."""
    assert longest_wait_ms(Settings()) == 1000
    assert longest_wait_ms(Settings(turn=TurnSettings(adaptive=False))) == 300
