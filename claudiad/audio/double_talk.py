"""Does somebody speak while the robot does, or is this frame only its own echo? Pure.

What a filter leaves of an echo while it learns sounds like speech. So what is left is compared, band by band, with the
loudest that was played within the last moments; how much softer it usually is, is followed in each band. The better
the filter, the softer the voice that still stands out.

That fails where the filter knows a way that is no longer so: the devices' clocks have drifted apart since the last
reply, a buffer ran empty, somebody has moved. So a filter has to prove itself in every reply anew, by taking something
away. Until it has, what was heard has to stand out of the whole echo as well, likewise followed, band by band.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from claudiad.audio.level import level_dbfs
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Pcm

EDGES_HZ = (100, 300, 500, 800, 1200, 1800, 2600, 3600, 5000, 7500)
PROOF_DB = 8.0
"""A filter that takes this much off a frame, and leaves no more of it than usual, knows the way."""
PROOFS = 3
"""So many frames of a reply must show it, one after another."""
REPLY_FRAMES = 20
"""After so many frames of silence, what is played is another reply."""

_WINDOW = 512
_DELAY_FRAMES = 8  # the device's times may be wrong by this much, and the room answers later still
_DECAY_DB = 2.0  # per frame: 60 dB in 0.6 s
_STEP_DB = 0.2
_BURST_DB = 0.02  # per frame, when it is far beyond what it can be: a voice, or somebody has moved the speaker
_START_DB, _HIGHEST_DB = 0.0, 6.0  # the microphone may be right beside the speaker
_SILENCE_DB = -60.0  # softer, a band says nothing
_PLAYED_DB = -65.0  # softer, and nothing is learnt from it
_ECHO_DB = -50.0  # softer, and nothing is proved by it
_TINY = 1e-10

Levels = NDArray[np.float64]


class Coupling:
    """Per band, how loud an echo is beside the loudest played: what so many of a hundred frames stay below."""

    def __init__(self, quantile: float, margin_db: float, bands: int) -> None:
        """Args: something that is `margin_db` above that in so many `bands` is no echo."""
        self._rise_db = _STEP_DB * quantile / (1.0 - quantile)
        self._margin_db = margin_db
        self._bands = bands
        self.db: Levels = np.full(len(EDGES_HZ) - 1, _START_DB)
        """As far as it is known."""

    def exceeded(self, levels: Levels, loudest: Levels, played: Levels) -> bool:
        """Whether a frame's levels are no echo of `loudest`; learns while something is `played`."""
        excess = levels - loudest - self.db
        change = np.where(excess > self._margin_db, _BURST_DB, np.where(excess > 0.0, self._rise_db, -_STEP_DB))
        self.db = np.where(played > _PLAYED_DB, np.minimum(self.db + change, _HIGHEST_DB), self.db)
        return int(np.sum((excess > self._margin_db) & (levels > _SILENCE_DB))) >= self._bands


class DoubleTalk:
    """Judges what was heard and what is left of it beside what is played, frame by frame."""

    def __init__(self) -> None:
        hertz = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
        bands = [(hertz >= low) & (hertz < high) for low, high in pairwise(EDGES_HZ)]
        self._shape = np.hanning(_WINDOW)
        self._bands = np.stack(bands, axis=1) * (2.0 / (np.sum(self._shape**2) * _WINDOW * 32768.0**2))
        self._windows = {name: np.zeros(_WINDOW) for name in ("heard", "left", "played")}
        self._recent: deque[Levels] = deque(maxlen=_DELAY_FRAMES)
        self._loudest: Levels = np.full(len(bands), -100.0)
        self.whole = Coupling(quantile=0.95, margin_db=3.0, bands=2)
        """Of what is heard."""
        self.rest = Coupling(quantile=0.9, margin_db=8.0, bands=1)
        """Of what is left."""
        self._proofs = 0
        self._silent = 0

    @property
    def proved(self) -> bool:
        """The filter has shown in this reply that it knows the way."""
        return self._proofs >= PROOFS

    def somebody_speaks(self, heard: Pcm, left: Pcm, played: Pcm) -> bool:
        """Whether the next frame holds more than the robot's own voice.

        Args: `left` of what was `heard` by the filter, and what was `played` at the time; int16, shape
            (`FRAME_SAMPLES`,).
        """
        now = self._levels("played", played)
        self._recent.append(now)
        lately: Levels = np.max(self._recent, axis=0)
        self._loudest = np.maximum(lately, self._loudest - _DECAY_DB)
        whole = self.whole.exceeded(self._levels("heard", heard), self._loudest, lately)
        rest = self.rest.exceeded(self._levels("left", left), self._loudest, lately)
        self._prove(level_dbfs(heard), level_dbfs(left), as_expected=not rest, playing=bool(np.max(now) > _ECHO_DB))
        sounding = bool(np.max(self._loudest) > _SILENCE_DB)
        return rest and (whole or self.proved or not sounding)

    def _prove(self, heard_dbfs: float, left_dbfs: float, *, as_expected: bool, playing: bool) -> None:
        self._silent = 0 if playing else self._silent + 1
        if self._silent > REPLY_FRAMES:
            self._proofs = 0
        if self._silent >= _DELAY_FRAMES or heard_dbfs < _ECHO_DB or self.proved:
            return
        if not as_expected:
            self._proofs = 0
        elif heard_dbfs - left_dbfs >= PROOF_DB:
            self._proofs += 1

    def _levels(self, name: str, frame: Pcm) -> Levels:
        window = self._windows[name]
        window[:-FRAME_SAMPLES] = window[FRAME_SAMPLES:]
        window[-FRAME_SAMPLES:] = frame
        power = np.abs(np.fft.rfft(window * self._shape)) ** 2 @ self._bands
        levels: Levels = 10.0 * np.log10(power + _TINY)
        return levels
