"""A speaker, a room and a microphone, all from numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from claudiad.audio.reference import PlaybackReference
from claudiad.audio.resample import convert
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm

ROOM_DBFS = -62.0
BLOCK = 320


@cache
def spoken(text: str, half_tones: float = 0.0, peak: float = 17_000.0) -> Pcm:
    """Open JTalk, 16 kHz; the robot's own voice at 0 half-tones."""
    import pyopenjtalk

    wave, rate = pyopenjtalk.tts(text, half_tone=half_tones)
    pcm = convert((wave / np.abs(wave).max() * peak).astype(np.int16), rate)
    pcm.flags.writeable = False
    return pcm


def echo(played: Pcm, decibels: float, delay_ms: float, reverberation_s: float = 0.0, seed: int = 0) -> Pcm:
    """What a microphone gets of it, half a second longer, in a room with a little noise.

    `reverberation_s` is the time in which the room's answer falls by 60 dB; 0 is a wire.
    """
    rng = np.random.default_rng(seed)
    response = np.zeros(4000)
    if reverberation_s:
        response = rng.normal(0, 1, 4000) * 10 ** (-3 * np.arange(4000) / SAMPLE_RATE / reverberation_s)
    response[0] += 3
    response *= 10 ** (decibels / 20) / np.sqrt(np.sum(response**2))
    delay = round(delay_ms * SAMPLE_RATE / 1000)
    sound = np.zeros(len(played) + SAMPLE_RATE // 2)
    answer = np.convolve(played.astype(float), response)[: len(sound) - delay]
    sound[delay : delay + len(answer)] = answer
    sound += rng.normal(0, 32768 * 10 ** (ROOM_DBFS / 20), len(sound))
    return np.asarray(np.clip(np.rint(sound), -32768, 32767), np.int16)


class Microphone:
    """Cuts sound into the frames of one stream, with the times a clock would give them."""

    def __init__(self, at: float = 100.0) -> None:
        self.at = at
        """Clock time of the next sample."""
        self._position = 0

    def frames(self, sound: Pcm, late: Iterator[float] | None = None) -> Iterator[Frame]:
        """All whole frames of it; `late` is added to the times, as a thread that wakes late does."""
        for begin in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            start = self._position
            self._position += FRAME_SAMPLES
            self.at += FRAME_SAMPLES / SAMPLE_RATE
            wrong = next(late) if late is not None else 0.0
            yield Frame(sound[begin : begin + FRAME_SAMPLES], start, self.at + wrong)


def play(reference: PlaybackReference, pcm: Pcm, at: float) -> None:
    """As a device does: 20 ms at a time."""
    for begin in range(0, len(pcm), BLOCK):
        reference.write(pcm[begin : begin + BLOCK], SAMPLE_RATE, at + begin / SAMPLE_RATE)


def mixed(*sounds: tuple[Pcm, int]) -> Pcm:
    """Sounds that begin at these samples, as long as the first."""
    out = np.zeros(len(sounds[0][0]))
    for pcm, begin in sounds:
        out[begin : begin + len(pcm)] += pcm[: len(out) - begin]
    return np.asarray(np.clip(out, -32768, 32767), np.int16)
