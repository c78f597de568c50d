"""The room's noise level, followed frame by frame. Pure.

Two rules, because each alone fails. (1) Frames that are not speech pull the floor: down quickly, up slowly.
A fan that the voice detector takes for speech would never raise it. (2) The floor is at least the minimum of
the smoothed level over the last seconds (minimum statistics, R. Martin, IEEE Trans. Speech and Audio
Processing 9(5), 2001): speech has a dip in every second or so, a fan has none.
"""

from __future__ import annotations

from collections import deque

from claudiad.types import FRAME_MS

START_DBFS = -60.0
"""Before anything was heard: a quiet room, so that speech in the very first frame stands out."""
LOWEST_DBFS = -75.0
"""Digital silence is no room: a floor down there would need many seconds to come up again."""

_DOWN = 0.25  # part of the distance, per frame
_UP_DB = 0.2  # per frame: 10 dB a second
_SMOOTH = 0.3
_PIECE_FRAMES = 500 // FRAME_MS
_PIECES = 6  # times half a second: no phrase lasts that long without a dip


class NoiseFloor:
    """Level of the background in dBFS."""

    def __init__(self) -> None:
        self._level = START_DBFS
        self._heard_room = False
        self._smoothed: float | None = None
        self._minima: deque[float] = deque(maxlen=_PIECES)
        self._piece = float("inf")
        self._in_piece = 0

    @property
    def dbfs(self) -> float:
        """The floor now."""
        return self._level

    def update(self, level_dbfs: float, *, speech: bool) -> float:
        """Take one frame's level and whether it may be speech; returns the new floor."""
        if not speech and not self._heard_room:
            self._heard_room = True
            self._level = level_dbfs
        elif level_dbfs < self._level:
            self._level += _DOWN * (level_dbfs - self._level)
        elif not speech:
            self._level = min(level_dbfs, self._level + _UP_DB)
        self._level = max(self._level, self._long_minimum(level_dbfs), LOWEST_DBFS)
        return self._level

    def _long_minimum(self, level_dbfs: float) -> float:
        """Lowest smoothed level of the last three seconds; minus infinity until they have passed."""
        last = level_dbfs if self._smoothed is None else self._smoothed
        self._smoothed = last + _SMOOTH * (level_dbfs - last)
        self._piece = min(self._piece, self._smoothed)
        self._in_piece += 1
        if self._in_piece == _PIECE_FRAMES:
            self._minima.append(self._piece)
            self._piece, self._in_piece = float("inf"), 0
        if len(self._minima) < _PIECES:
            return float("-inf")
        return min(self._piece, *self._minima)
