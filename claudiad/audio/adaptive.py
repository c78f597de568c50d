"""The way from the speaker to the microphone as a filter that is learnt while it is used. Pure.

A Kalman filter per frequency on blocks of 20 ms, the way divided into partitions of one block each (G. Enzner and
P. Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free telephones", Signal
Processing 86, 2006; F. Kuech et al., "State-space architecture of the partitioned-block-based acoustic echo
controller", ICASSP 2014). It knows how well it knows the way: it learns fast at first, and hardly at all while
somebody speaks into it. What it subtracts is linear, so that a voice over the echo comes through unharmed, which is
what a recogniser needs.

Two devices have two clocks, so the way grows or shrinks by a sample now and then, and by many while nothing is
played. That is seen where what was heard fits what was expected better some samples earlier or later; the filter is
then moved.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from claudiad.types import FRAME_SAMPLES, Pcm

PARTITIONS = 10
"""Times 20 ms: the longest way, the room's answer included."""

_FFT = 2 * FRAME_SAMPLES
_KEPT = 0.998  # of what is known, per block: people walk about, clocks drift
_UNKNOWN = 0.1  # variance of what is not known yet, relative to full scale in, full scale out
_SMOOTH = 0.8
_TINY = 1e-9

_HISTORY_FRAMES = 12  # of what is compared with what was expected
_EVERY_FRAMES = 6
_FARTHEST = 480  # samples, 30 ms
_ALIKE = 0.8  # normalised correlation: less is somebody's voice, or a way that is hardly known yet
_BETTER = 1.01

Spectra = NDArray[np.complex128]
Real = NDArray[np.float64]


class AdaptiveFilter:
    """Subtracts from what is heard what is known to come from what is played."""

    def __init__(self) -> None:
        bins = FRAME_SAMPLES + 1
        self._played: Spectra = np.zeros((PARTITIONS, bins), np.complex128)
        self._way: Spectra = np.zeros((PARTITIONS, bins), np.complex128)
        self._variance: Real = np.full((PARTITIONS, bins), _UNKNOWN)
        self._others: Real = np.zeros(bins)
        self._before: Real = np.zeros(FRAME_SAMPLES)
        self._heard_lately: Real = np.zeros(_HISTORY_FRAMES * FRAME_SAMPLES)
        self._expected_lately: Real = np.zeros(_HISTORY_FRAMES * FRAME_SAMPLES)
        self._until_look = _HISTORY_FRAMES

    def __call__(self, heard: Pcm, played: Pcm) -> Pcm:
        """The next 20 ms without echo. Args: both int16, shape (`FRAME_SAMPLES`,), 16 kHz."""
        frame, now = played / 32768.0, heard / 32768.0
        self._played = np.roll(self._played, 1, axis=0)
        self._played[0] = np.fft.rfft(np.concatenate([self._before, frame]))
        self._before = frame
        expected = np.fft.irfft((self._played * self._way).sum(axis=0))[FRAME_SAMPLES:]
        left = now - expected
        self._learn(left)
        self._follow(now, expected)
        cleaned: Pcm = np.clip(np.rint(left * 32768.0), -32768, 32767).astype(np.int16)
        return cleaned

    def _learn(self, left: Real) -> None:
        error = np.fft.rfft(np.concatenate([np.zeros(FRAME_SAMPLES), left]))
        power = np.abs(error) ** 2
        # Half the window is zeros, hence the halves.
        echo = 0.5 * (self._variance * np.abs(self._played) ** 2).sum(axis=0)
        others = power * power / (power + echo + _TINY)
        self._others = np.maximum(_SMOOTH * self._others + (1 - _SMOOTH) * others, _TINY)
        gain = 0.5 * self._variance * self._played.conj() / (echo + self._others)
        step = np.fft.irfft(gain * error, axis=1)
        step[:, FRAME_SAMPLES:] = 0.0  # a partition is as long as a block
        self._way += np.fft.rfft(step, axis=1)
        known = np.maximum(1.0 - 0.5 * (gain * self._played).real, 0.0)
        self._variance = _KEPT**2 * known * self._variance + (1 - _KEPT**2) * np.abs(self._way) ** 2

    def _follow(self, heard: Real, expected: Real) -> None:
        """Move the filter when what was heard is what was expected, some samples earlier or later."""
        for history, frame in ((self._heard_lately, heard), (self._expected_lately, expected)):
            history[:-FRAME_SAMPLES] = history[FRAME_SAMPLES:]
            history[-FRAME_SAMPLES:] = frame
        self._until_look -= 1
        if self._until_look > 0:
            return
        self._until_look = _EVERY_FRAMES
        shift = later_by(self._heard_lately, self._expected_lately)
        if shift:
            way = np.fft.irfft(self._way, axis=1)[:, :FRAME_SAMPLES].ravel()
            moved = np.zeros_like(way)
            moved[max(0, shift) : len(way) + min(0, shift)] = way[max(0, -shift) : len(way) - max(0, shift)]
            self._way = np.fft.rfft(moved.reshape(PARTITIONS, FRAME_SAMPLES), _FFT, axis=1)
            self._until_look = _HISTORY_FRAMES  # what was expected before says nothing of the new place


def later_by(heard: Real, expected: Real) -> int:
    """How many samples later than expected it was heard, negative for earlier; 0 when nothing fits better."""
    energy = np.sqrt(np.dot(heard, heard) * np.dot(expected, expected))
    if energy < _TINY:
        return 0
    size = 2 * len(heard)
    alike = np.fft.irfft(np.fft.rfft(heard, size) * np.fft.rfft(expected, size).conj(), size) / energy
    near = np.concatenate([alike[-_FARTHEST:], alike[: _FARTHEST + 1]])
    best = int(np.argmax(near))
    if near[best] < _ALIKE or near[best] < _BETTER * near[_FARTHEST]:
        return 0
    return best - _FARTHEST
