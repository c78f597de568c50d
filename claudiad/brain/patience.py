"""How long to wait in a pause before it is the end: from what was said so far, the settings, and the speaker's habit.

Silence alone cannot be both quick and polite: cutting at 300 ms interrupts half of ordinary Japanese turns, and 1.2 s
are needed for one in twenty (docs/facts.md). So the words decide: a complete command waits `complete_ms`, an
unfinished phrase `open_ms`, everything else `between_ms`.

The speaker's own pauses lengthen `between_ms`, never a complete command's wait: what it would cut is joined again
(`same_turn_ms`). Pure: no clock, milliseconds in and out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from claudiad.brain.openness import Openness
from claudiad.config import Settings, TurnSettings

HABIT_OF: Final = 20
"""How many of the last pauses make a habit."""
HABIT_FROM: Final = 4
"""Fewer say nothing about a speaker."""
HABIT_SHARE: Final = 0.9
"""This share of the speaker's pauses fits into the wait."""
HABIT_MARGIN_MS: Final = 100


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds of silence that end an utterance."""

    complete: int
    between: int
    open: int


PROFILES: Final[Mapping[Literal["snappy", "calm"], Waits]] = {
    "snappy": Waits(200, 600, 1000),
    "calm": Waits(300, 800, 1200),
}


def waits_of(settings: TurnSettings) -> Waits:
    """The profile's waits with what the settings say otherwise; never a shorter one for a less complete phrase."""
    profile = PROFILES[settings.profile]
    complete = settings.complete_ms or profile.complete
    between = max(settings.between_ms or profile.between, complete)
    return Waits(complete, between, max(settings.open_ms or profile.open, between))


def longest_wait_ms(settings: Settings) -> int:
    """The most silence that can lie between the end of speech and its commit."""
    return waits_of(settings.turn).open if settings.turn.adaptive else settings.endpoint.hangover_ms


def habit_ms(pauses_ms: Iterable[int]) -> int:
    """What a speaker's last pauses ask for; 0 of too few."""
    known = sorted(pauses_ms)
    if len(known) < HABIT_FROM:
        return 0
    return known[min(len(known) - 1, int(HABIT_SHARE * len(known)))] + HABIT_MARGIN_MS


class Patience:
    """The waits of one conversation."""

    def __init__(self, settings: TurnSettings) -> None:
        self.waits = waits_of(settings)
        self._pauses: deque[int] = deque(maxlen=HABIT_OF)

    def paused(self, ms: int) -> None:
        """A pause that turned out not to be the end."""
        self._pauses.append(ms)

    def wait_ms(self, openness: Openness | None) -> int:
        """The silence to wait for behind such words; None: not known yet what was said."""
        if openness is Openness.COMPLETE:
            return self.waits.complete
        if openness is Openness.OPEN:
            return self.waits.open
        return max(self.waits.between, min(habit_ms(self._pauses), self.waits.open))
