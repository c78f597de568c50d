"""An endless virtual room into which a script speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import numpy as np

from claudiad.audio.microphone import CaptureStats, Pace
from claudiad.audio.pacing import Pacer
from claudiad.clock import Clock
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm


@dataclass(frozen=True, slots=True)
class Spoken:
    """Where a piece lies in the stream."""

    start_sample: int
    end_sample: int
    """Index just past its last sample."""


class ScriptedMicrophone:
    """Quiet noise for ever, with pieces mixed in by `speak`."""

    def __init__(self, clock: Clock, pace: Pace = "real", noise_dbfs: float = -65.0, seed: int = 0) -> None:
        """Args: `noise_dbfs` is the RMS level of the white background; the same seed gives the same noise."""
        self._clock = clock
        self._pace = pace
        self._amplitude = 32768.0 * 10.0 ** (noise_dbfs / 20.0)
        self._noise = np.random.default_rng(seed)
        self._pacer: Pacer | None = None
        self._pieces: list[tuple[Spoken, Pcm]] = []
        self._spoken: list[Spoken] = []
        self._position = 0
        self._closed = False
        self._stats = CaptureStats(device="scripted", rate=SAMPLE_RATE, channels=1)

    @property
    def stats(self) -> CaptureStats:
        return self._stats

    @property
    def position(self) -> int:
        """First sample that can still be spoken into."""
        return self._position

    @property
    def spoken(self) -> tuple[Spoken, ...]:
        """Every piece in the order of the calls to `speak`."""
        return tuple(self._spoken)

    def speak(self, pcm: Pcm, at: int | None = None) -> Spoken:
        """Mix samples (16 kHz mono int16) into the stream from sample `at` on.

        None, or a sample that has already sounded, means the next frame. Pieces may overlap.
        """
        start = self._position if at is None else max(at, self._position)
        piece = Spoken(start, start + len(pcm))
        self._pieces.append((piece, pcm))
        self._spoken.append(piece)
        return piece

    def time_of(self, sample: int) -> float:
        """Clock time at which `sample` is in the air in `real` pace.

        Raises:
            RuntimeError: `frames` has not begun, so the stream has no start yet.
        """
        if self._pacer is None:
            raise RuntimeError("the stream has not begun: nobody listens to frames()")
        return self._pacer.due(sample)

    def close(self) -> None:
        """End the stream after the frame in progress."""
        self._closed = True

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Frames until `close`; a second call goes on where the first ended, on a new start time."""
        pacer = Pacer(self._clock, self._pace)
        # Sample numbers go on across calls, so a later stream's zero lies before its first frame.
        pacer.start -= self._position / SAMPLE_RATE
        self._pacer = pacer
        self._stats.state = "open"
        try:
            while not self._closed:
                start = self._position
                # Mixed before the wait: what is spoken meanwhile cannot sound in the past.
                pcm = self._mix(start)
                self._position = start + FRAME_SAMPLES
                at = await pacer.reach(self._position)
                self._stats.frames += 1
                self._stats.last_frame_at = at
                yield Frame(pcm, start, at)
        finally:
            self._stats.state = "closed"

    def _mix(self, start: int) -> Pcm:
        mixed = self._noise.normal(0.0, self._amplitude, FRAME_SAMPLES)
        end = start + FRAME_SAMPLES
        for piece, pcm in self._pieces:
            first, last = max(start, piece.start_sample), min(end, piece.end_sample)
            if first < last:
                mixed[first - start : last - start] += pcm[first - piece.start_sample : last - piece.start_sample]
        self._pieces = [one for one in self._pieces if one[0].end_sample > end]
        return np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
