"""What people and rooms make that is no speech: a cough, a laugh, a door. Every seed gives another one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from claudiad.types import SAMPLE_RATE, Pcm

Sound = NDArray[np.float64]


def cough(seed: int) -> Pcm:
    """Two or three bursts of breath with a hard beginning, some of it voiced."""
    rng = np.random.default_rng(seed)
    parts: list[Sound] = []
    for _ in range(int(rng.integers(2, 4))):
        n = int(rng.uniform(0.12, 0.28) * SAMPLE_RATE)
        t = np.arange(n) / SAMPLE_RATE
        breath = _smooth(rng.standard_normal(n), int(rng.integers(2, 6)))
        throat = np.sign(np.sin(2 * np.pi * rng.uniform(110, 220) * t)) * np.exp(-t * 30)
        parts += [(breath + 0.5 * throat) * np.exp(-t * rng.uniform(8, 16)), np.zeros(int(0.08 * SAMPLE_RATE))]
    return _loud(np.concatenate(parts), rng.uniform(6000, 14000))


def laugh(seed: int) -> Pcm:
    """Four to seven short voiced bursts, falling in pitch."""
    rng = np.random.default_rng(seed)
    pitch = rng.uniform(160, 330)
    parts: list[Sound] = []
    for number in range(int(rng.integers(4, 8))):
        n = int(rng.uniform(0.09, 0.14) * SAMPLE_RATE)
        t = np.arange(n) / SAMPLE_RATE
        f0 = pitch * 0.96**number
        voiced = sum(np.sin(2 * np.pi * f0 * k * t) / k for k in range(1, 12))
        breath = 0.4 * rng.standard_normal(n)
        parts += [(np.asarray(voiced) + breath) * np.hanning(n), 0.1 * rng.standard_normal(int(0.06 * SAMPLE_RATE))]
    return _loud(np.concatenate(parts), rng.uniform(5000, 12000))


def door(seed: int) -> Pcm:
    """A bang with a rumble behind it."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(0.6 * SAMPLE_RATE)) / SAMPLE_RATE
    bang = rng.standard_normal(len(t)) * np.exp(-t * rng.uniform(30, 60))
    rumble = _smooth(rng.standard_normal(len(t)), 30) * 4 * np.exp(-t * rng.uniform(6, 12))
    return _loud(bang + rumble, rng.uniform(15000, 28000))


def _smooth(sound: Sound, width: int) -> Sound:
    return np.convolve(sound, np.ones(width) / width, mode="same")


def _loud(sound: Sound, peak: float) -> Pcm:
    return np.asarray(np.rint(sound / np.abs(sound).max() * peak), np.int16)
