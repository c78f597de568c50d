"""Recordings as a microphone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import numpy as np

from claudiad.audio.frames import split
from claudiad.audio.microphone import CaptureStats, Pace
from claudiad.audio.pacing import Pacer
from claudiad.audio.wav import read_wav
from claudiad.clock import Clock
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm

Source = Path | str | Pcm


class WavMicrophone:
    """Plays WAV files or samples (16 kHz mono int16) one after the other, then ends."""

    def __init__(
        self,
        source: Source | Sequence[Source],
        pace: Pace,
        clock: Clock,
        lead_silence_ms: int = 0,
        tail_silence_ms: int = 500,
    ) -> None:
        """Args: the silences, of zeros, stand before the first and after each recording.

        Raises:
            DataError: a file is no usable recording.
        """
        sources = [source] if isinstance(source, (Path, str, np.ndarray)) else list(source)
        pieces: list[Pcm] = [_silence(lead_silence_ms)]
        for one in sources:
            pieces += [one if isinstance(one, np.ndarray) else read_wav(one), _silence(tail_silence_ms)]
        self._pcm = np.concatenate(pieces)
        self._pace = pace
        self._clock = clock
        names = [str(one) for one in sources if not isinstance(one, np.ndarray)]
        self._stats = CaptureStats(device=", ".join(names) or "samples", rate=SAMPLE_RATE, channels=1)

    @property
    def stats(self) -> CaptureStats:
        return self._stats

    @property
    def duration_s(self) -> float:
        """Length of the whole stream, silences included."""
        return len(self._pcm) / SAMPLE_RATE

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Every frame once, the last one padded with zeros."""
        pacer = Pacer(self._clock, self._pace)
        self._stats.state = "open"
        try:
            for index, pcm in enumerate(split(self._pcm)):
                at = await pacer.reach((index + 1) * FRAME_SAMPLES)
                self._stats.frames += 1
                self._stats.last_frame_at = at
                yield Frame(pcm, index * FRAME_SAMPLES, at)
        finally:
            self._stats.state = "closed"


def _silence(ms: int) -> Pcm:
    return np.zeros(SAMPLE_RATE * ms // 1000, np.int16)
