"""Clock time of a stream's samples, from the times at which a device's thread came for blocks of them. Pure.

A thread wakes late by a few milliseconds, never early, and sometimes for two blocks at once. Samples do neither.
So a sample's time is its number over the rate, from an origin that is held until it is clearly wrong: an echo
canceller takes the distance between what is played and what is heard for fixed, to the sample.
"""

from __future__ import annotations

from collections import deque

from claudiad.types import SAMPLE_RATE

TOLERANCE_S = 0.01
"""How far the origin held may be from the best estimate. Two clocks 50 ppm apart reach it after 200 s."""
JUMP_S = 0.1
"""Farther than this, something was lost or reopened: believed at once."""
WINDOW = 25
"""Blocks that may all have been fetched late, half a second of them: more, and a buffer ran empty meanwhile."""


class Timeline:
    """The times of one stream."""

    def __init__(self, rate: float) -> None:
        """Args: `rate` in Hz."""
        self._rate = rate
        self._origins: deque[float] = deque(maxlen=WINDOW)
        self._held: float | None = None

    def time_of(self, sample: int, seen_at: float) -> float:
        """When `sample` is due, seconds, given that it was asked for or delivered at clock time `seen_at`."""
        origin = seen_at - sample / self._rate
        if self._held is None or abs(origin - self._held) > JUMP_S:
            self._origins.clear()
            self._held = None
        self._origins.append(origin)
        estimate = min(self._origins)
        if self._held is None or abs(estimate - self._held) > TOLERANCE_S:
            self._held = round(estimate * SAMPLE_RATE) / SAMPLE_RATE
        return self._held + sample / self._rate
