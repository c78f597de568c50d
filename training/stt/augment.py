"""One clean utterance in, one that a microphone in a room might have delivered out (16 kHz, float32)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

RATE = 16_000
HOP, FFT, MELS = 320, 400, 80
F32 = NDArray[np.float32]


def stretch(x: F32, factor: float) -> F32:
    """Tape speed: pitch, formants and rate together."""
    return np.interp(np.arange(0, len(x) - 1, factor), np.arange(len(x)), x).astype(np.float32)


def coloured(rng: np.random.Generator, n: int) -> F32:
    """Noise with a random tilt between white and brown."""
    x = rng.standard_normal(n).astype(np.float32)
    pole = rng.choice([0.0, 0.0, 0.7, 0.9, 0.98])
    y = lfilter([1.0], [1.0, -pole], x) if pole else x
    if rng.random() < 0.2:  # mains and motors
        t = np.arange(n) / RATE
        f = rng.uniform(45, 400)
        y = y + sum(rng.uniform(0, 3) * np.sin(2 * np.pi * f * k * t + rng.uniform(0, 6)) for k in range(1, 6))
    return (y / (np.sqrt(np.mean(np.square(y))) + 1e-9)).astype(np.float32)


def music(rng: np.random.Generator, n: int) -> F32:
    """Chords of decaying harmonics, unit power."""
    out = np.zeros(n, np.float32)
    t0 = 0
    while t0 < n:
        length = int(rng.uniform(0.15, 0.7) * RATE)
        t = np.arange(min(length, n - t0)) / RATE
        chord = sum(
            np.sin(2 * np.pi * 110 * 2 ** ((k + rng.integers(0, 12)) / 12) * h * t) / h
            for k in rng.integers(0, 30, 3)
            for h in (1, 2, 3)
        )
        out[t0 : t0 + len(t)] += (chord * np.exp(-t * rng.uniform(1, 8))).astype(np.float32)
        t0 += length
    return (out / (np.sqrt(np.mean(np.square(out))) + 1e-9)).astype(np.float32)


def room(rng: np.random.Generator) -> F32:
    """A random impulse response: direct sound, a few reflections, an exponential tail."""
    rt = rng.uniform(0.08, 0.5)
    n = int(rt * RATE)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n) * rng.uniform(0.02, 0.25)
    tail[: int(0.002 * RATE)] = 0.0
    for _ in range(rng.integers(1, 5)):
        tail[rng.integers(16, min(n, 1200))] += rng.uniform(-0.5, 0.5)
    tail[0] = 1.0
    return tail.astype(np.float32)


def noise(rng: np.random.Generator, n: int) -> F32:
    """A stretch with no speech in it."""
    x = coloured(rng, n) if rng.random() < 0.6 else music(rng, n)
    envelope = np.interp(np.arange(n), np.linspace(0, n, 8), rng.uniform(0, 1, 8))
    return (x * envelope).astype(np.float32) if rng.random() < 0.5 else x


def spoil(rng: np.random.Generator, x: F32, babble: F32 | None) -> F32:
    """Speed, room, band, noise, level, clipping; silence before and after."""
    if rng.random() < 0.6:
        x = stretch(x, rng.uniform(0.86, 1.16))
    x = np.concatenate(
        [
            np.zeros(int(rng.uniform(0, 0.35) * RATE), np.float32),
            x,
            np.zeros(int(rng.uniform(0, 0.4) * RATE), np.float32),
        ]
    )
    if rng.random() < 0.3:
        x = fftconvolve(x, room(rng))[: len(x)].astype(np.float32)
    if rng.random() < 0.3:  # microphone and distance: a gentle tilt
        a = rng.uniform(-0.6, 0.6)
        x = lfilter([1.0, a], [1.0], x).astype(np.float32)
    if rng.random() < 0.06:  # telephone
        x = lfilter([1, -1], [1, -0.9], lfilter([0.2, 0.2], [1, -0.6], x)).astype(np.float32)
    power = np.sqrt(np.mean(np.square(x))) + 1e-9
    if rng.random() < 0.93:
        snr = rng.uniform(8, 40)
        kind = rng.random()
        n = (
            music(rng, len(x))
            if kind < 0.07
            else np.resize(babble, len(x))
            if kind < 0.13 and babble is not None
            else coloured(rng, len(x))
        )
        x = x + n * (power / (np.sqrt(np.mean(np.square(n))) + 1e-9)) * 10 ** (-snr / 20)
    peak = np.abs(x).max() + 1e-9
    x = x / peak * 10 ** (rng.uniform(-32, -1) / 20)
    if rng.random() < 0.05:
        x = np.clip(x * rng.uniform(1, 6), -0.7, 0.7)
    return np.round(x * 32768).astype(np.float32) / 32768


def mel_filters() -> F32:
    """The very filters faster-whisper uses, so that training and running hear the same."""
    from faster_whisper.feature_extractor import FeatureExtractor

    return np.asarray(FeatureExtractor.get_mel_filters(RATE, FFT, n_mels=MELS), np.float32)


_WINDOW = np.hanning(FFT + 1)[:-1].astype(np.float32)


def log_mel(x: F32, filters: F32) -> F32:
    """faster-whisper's FeatureExtractor at a 20 ms hop: (frames, mels)."""
    x = np.pad(np.pad(x, (0, 160)), FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(x, FFT)[::HOP][:-1]
    power = np.abs(np.fft.rfft(frames * _WINDOW, axis=-1).astype(np.complex64)) ** 2
    log = np.log10(np.maximum(power @ filters.T, 1e-10))
    return ((np.maximum(log, log.max() - 8.0) + 4.0) / 4.0).astype(np.float32)


def mask(rng: np.random.Generator, mel: F32) -> F32:
    """SpecAugment (Park et al. 2019) with a vocal-tract warp of the mel axis."""
    t, m = mel.shape
    if rng.random() < 0.5:
        warp = rng.uniform(0.92, 1.08)
        at = np.clip(np.arange(m) * warp, 0, m - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, m - 1)
        frac = (at - low).astype(np.float32)
        mel = mel[:, low] * (1 - frac) + mel[:, high] * frac
    else:
        mel = mel.copy()
    fill = mel.mean()
    for _ in range(2):
        f = rng.integers(0, 12)
        f0 = rng.integers(0, m - f)
        mel[:, f0 : f0 + f] = fill
    for _ in range(max(1, t // 80)):
        w = rng.integers(0, 5)
        t0 = rng.integers(0, max(1, t - w))
        mel[t0 : t0 + w] = fill
    return mel
