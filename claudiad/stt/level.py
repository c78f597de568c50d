"""How loud the loud part of an utterance is."""

from __future__ import annotations

import numpy as np

from claudiad.types import FRAME_SAMPLES, Pcm


def speech_level(pcm: Pcm) -> float:
    """Level in dBFS of the loudest fifth of the 20 ms frames (silence around speech does not count)."""
    n = len(pcm) // FRAME_SAMPLES
    if n == 0:
        return -120.0
    frames = pcm[: n * FRAME_SAMPLES].reshape(n, FRAME_SAMPLES).astype(np.float64) / 32768.0
    power = np.sort((frames * frames).mean(axis=1))[-max(1, n // 5) :]
    return float(10.0 * np.log10(power.mean() + 1e-12))
