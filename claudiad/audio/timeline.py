"""Clock time of a stream's samples, from the times at which a device's thread came for blocks of them. Pure.

A thread wakes late by a few milliseconds, never early, and sometimes for two blocks at once. Samples do neither.
So a sample's time is its number over the rate, from an origin that is held until it is clearly wrong: an echo
canceller takes the distance between what is played and what is heard for fixed, to the sample.
"""

from __future__ import annotations

from claudiad.types import SAMPLE_RATE

TOLERANCE_S = 0.01
"""How far the origin held may be from the best estimate. Two clocks 50 ppm apart reach it after 200 s."""
JUMP_S = 0.1
"""Farther than this, something was lost or reopened: believed at once."""
_RISE = 0.005  # per block: a late thread pulls the estimate up by this part; an early one is right at once


class Timeline:
    """The times of one stream."""

    def __init__(self, rate: float) -> None:
        """Args: `rate` in Hz."""
        self._rate = rate
        self._estimate: float | None = None
        self._held = 0.0

    def time_of(self, sample: int, seen_at: float) -> float:
        """When `sample` is due, seconds, given that it was asked for or delivered at clock time `seen_at`."""
        origin = seen_at - sample / self._rate
        if self._estimate is None or abs(origin - self._estimate) > JUMP_S:
            self._estimate = origin
            self._hold(origin)
        else:
            self._estimate += (origin - self._estimate) * (1.0 if origin < self._estimate else _RISE)
            if abs(self._estimate - self._held) > TOLERANCE_S:
                self._hold(self._estimate)
        return self._held + sample / self._rate

    def _hold(self, origin: float) -> None:
        self._held = round(origin * SAMPLE_RATE) / SAMPLE_RATE
