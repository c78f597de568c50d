"""Does somebody speak while the robot does, or is this frame only its own echo? Pure.

What a filter that is still learning leaves of an echo sounds like speech. So what is left is compared, band by band,
with the loudest that was played within the last moments. How much softer the rest of an echo is, the coupling, is
followed in each band, as what nine frames of ten stay below: high at first (the microphone may be right beside the
speaker), it comes down as the filter learns, and with it the voice that still stands out.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Pcm

EDGES_HZ = (100, 300, 500, 800, 1200, 1800, 2600, 3600, 5000, 7500)
MARGIN_DB = 8.0
"""So far above the rest of an echo, a band holds something else."""
BANDS = 1
"""So many of them make a voice."""

_WINDOW = 512
_DELAY_FRAMES = 8  # the device's times may be wrong by this much, and the room answers later still
_DECAY_DB = 2.0  # per frame: 60 dB in 0.6 s
_QUANTILE = 0.9
_STEP_DB = 0.2
_BURST_DB = 0.02  # per frame, when it is far beyond what it can be: a voice, or somebody has moved the speaker
_START_DB, _HIGHEST_DB = 0.0, 6.0
_SILENCE_DB = -60.0  # softer, a band says nothing
_PLAYED_DB = -65.0  # quieter, and nothing is learnt from it
_TINY = 1e-10

Levels = NDArray[np.float64]


class DoubleTalk:
    """Compares what is left of what was heard with what is played, frame by frame."""

    def __init__(self) -> None:
        hertz = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
        bands = [(hertz >= low) & (hertz < high) for low, high in pairwise(EDGES_HZ)]
        self._shape = np.hanning(_WINDOW)
        self._bands = np.stack(bands, axis=1) * (2.0 / (np.sum(self._shape**2) * _WINDOW * 32768.0**2))
        self._left = np.zeros(_WINDOW)
        self._played = np.zeros(_WINDOW)
        self._recent: deque[Levels] = deque(maxlen=_DELAY_FRAMES)
        self._loudest = np.full(len(bands), -100.0)
        self._coupling = np.full(len(bands), _START_DB)

    @property
    def coupling_db(self) -> tuple[float, ...]:
        """The rest of an echo relative to the loudest played, per band, as far as it is known."""
        return tuple(self._coupling)

    def somebody_speaks(self, left: Pcm, played: Pcm) -> bool:
        """Whether the next frame holds more than the rest of an echo.

        Args: `left` by the canceller, `played` at the same time; both int16, shape (`FRAME_SAMPLES`,).
        """
        self._recent.append(self._levels(self._played, played))
        lately: Levels = np.max(self._recent, axis=0)
        self._loudest = np.maximum(lately, self._loudest - _DECAY_DB)
        levels = self._levels(self._left, left)
        excess = levels - self._loudest - self._coupling
        self._learn(excess, lately)
        return int(np.sum((excess > MARGIN_DB) & (levels > _SILENCE_DB))) >= BANDS

    def _learn(self, excess: Levels, played: Levels) -> None:
        rise = np.where(excess <= MARGIN_DB, _STEP_DB * _QUANTILE / (1.0 - _QUANTILE), _BURST_DB)
        change = np.where(excess > 0.0, rise, -_STEP_DB)
        known = np.minimum(self._coupling + change, _HIGHEST_DB)
        self._coupling = np.where(played > _PLAYED_DB, known, self._coupling)

    def _levels(self, window: NDArray[np.float64], frame: Pcm) -> Levels:
        window[:-FRAME_SAMPLES] = window[FRAME_SAMPLES:]
        window[-FRAME_SAMPLES:] = frame
        power = np.abs(np.fft.rfft(window * self._shape)) ** 2 @ self._bands
        levels: Levels = 10.0 * np.log10(power + _TINY)
        return levels
