"""Sounds for tests, all from numbers: a tone, noise, and something that a voice detector takes for a voice."""

from __future__ import annotations

import numpy as np

from claudiad.types import SAMPLE_RATE, Pcm


def tone(hz: float, ms: int, *, amplitude: float = 8000.0, rate: int = SAMPLE_RATE) -> Pcm:
    """A sine."""
    time = np.arange(rate * ms // 1000) / rate
    return np.asarray(np.rint(amplitude * np.sin(2 * np.pi * hz * time)), np.int16)


def noise(dbfs: float, ms: int, seed: int = 0) -> Pcm:
    """White noise at an RMS level."""
    samples = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), SAMPLE_RATE * ms // 1000)
    return np.asarray(np.clip(np.rint(samples), -32768, 32767), np.int16)


def silence(ms: int) -> Pcm:
    """Zeros."""
    return np.zeros(SAMPLE_RATE * ms // 1000, np.int16)


def voice(ms: int, *, amplitude: float = 6000.0, seed: int = 0) -> Pcm:
    """A gliding 120 Hz pulse train through three formants, swelling four times a second."""
    rng = np.random.default_rng(seed)
    count = SAMPLE_RATE * ms // 1000
    time = np.arange(count) / SAMPLE_RATE
    pitch = 120 + 20 * np.sin(2 * np.pi * 1.5 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    sound = np.zeros(count)
    for harmonic in range(1, 30):
        hz = 120 * harmonic
        gain = sum(np.exp(-(((hz - formant) / 150) ** 2)) for formant in (600, 1200, 2500)) + 0.02
        sound += gain * np.sin(harmonic * phase)
    sound = sound / np.abs(sound).max() * (0.7 + 0.3 * np.sin(2 * np.pi * 4 * time)) + rng.normal(0, 0.003, count)
    return np.asarray(np.clip(np.rint(amplitude * sound), -32768, 32767), np.int16)


def frequency(pcm: Pcm, rate: int = SAMPLE_RATE) -> float:
    """The strongest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * rate / len(pcm))
