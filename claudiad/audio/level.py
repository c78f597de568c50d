"""Loudness in dBFS (0 = a full-scale square wave)."""

from __future__ import annotations

import math

import numpy as np

from claudiad.types import Pcm

SILENCE_DBFS = -96.0
"""What digital silence is given: one step of int16 is about -90."""


def power(pcm: Pcm) -> float:
    """Mean square relative to full scale, 0..1; 0 for an empty array."""
    if not len(pcm):
        return 0.0
    wide = pcm.astype(np.float64)
    return float(np.dot(wide, wide)) / len(pcm) / 32768.0**2


def dbfs(mean_square: float) -> float:
    """Decibels of a `power`, not below `SILENCE_DBFS`."""
    return max(SILENCE_DBFS, 10.0 * math.log10(mean_square)) if mean_square > 0.0 else SILENCE_DBFS


def level_dbfs(pcm: Pcm) -> float:
    """RMS level of some samples."""
    return dbfs(power(pcm))
