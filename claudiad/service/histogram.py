"""Percentiles of any number of values in bounded memory."""

from __future__ import annotations

import math
from collections import Counter

ACCURACY = 0.01
"""A percentile is at most this share away from a value that was really there."""

_BASE = (1 + ACCURACY) / (1 - ACCURACY)
_LEAST = 0.01
"""Values nearer to zero than this are zero: hundredths of a millisecond."""


class Histogram:
    """Counts values in classes whose width grows with the value (as in DDSketch): some 2,000 for 0.01 ms to a year."""

    def __init__(self) -> None:
        self._classes: Counter[int] = Counter()
        self.count = 0
        self.least = math.inf
        self.most = -math.inf

    def add(self, value: float) -> None:
        """Take one in. Raises ValueError for what is no finite number."""
        if not math.isfinite(value):
            raise ValueError(f"{value} is no finite number")
        self.count += 1
        self.least, self.most = min(self.least, value), max(self.most, value)
        self._classes[_class(value)] += 1

    def percentile(self, percent: float) -> float:
        """The smallest value that at least `percent` of all do not exceed. Raises ValueError when there is none."""
        if not self.count:
            raise ValueError("no values")
        rank = max(1, math.ceil(self.count * percent / 100))
        for key in sorted(self._classes):
            rank -= self._classes[key]
            if rank <= 0:
                return min(self.most, max(self.least, _middle(key)))
        return self.most


def _class(value: float) -> int:
    """0 for zero, positive classes for positive values, negative ones for negative."""
    if abs(value) < _LEAST:
        return 0
    return int(math.copysign(1 + max(0, math.floor(math.log(abs(value) / _LEAST, _BASE))), value))


def _middle(key: int) -> float:
    if key == 0:
        return 0.0
    low = _LEAST * _BASE ** (abs(key) - 1)
    return math.copysign(2 * low * _BASE / (1 + _BASE), key)
