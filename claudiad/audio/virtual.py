"""Speakers and microphones without a device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

import numpy as np

from claudiad.audio.gain import Gain, checked
from claudiad.audio.microphone import CaptureStats, Pace
from claudiad.audio.pacing import Pacer
from claudiad.audio.reference import PlaybackReference
from claudiad.audio.resample import convert
from claudiad.audio.speaker import OnFirstSample, PlayGate
from claudiad.audio.waiting import wait_for_event
from claudiad.clock import Clock
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm


class Played(NamedTuple):
    """What one call of `play` made sound."""

    start_time: float
    pcm: Pcm
    """16 kHz; as far as it came before it was stopped."""


class MemorySpeaker:
    """Collects what is played, taking as long over it as a device would (`real`) or no time (`fast`).

    What takes no time is not in the reference: it was never in the air.
    """

    latency_s = 0.0

    def __init__(self, clock: Clock, pace: Pace = "real") -> None:
        self._clock = clock
        self._pace = pace
        self._gate = PlayGate()
        self._reference = PlaybackReference()
        self._gain = Gain(SAMPLE_RATE)
        self._playing = False
        self.played: list[Played] = []
        """One entry per `play` that began to sound; the last one grows while it sounds."""

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def reference(self) -> PlaybackReference:
        return self._reference

    def set_gain(self, gain: float) -> None:
        """See `Speaker`."""
        self._gain.target = checked(gain)

    async def open(self) -> None:
        return

    async def play(self, pcm: Pcm, rate: int, on_first_sample: OnFirstSample | None = None) -> None:
        """See `Speaker`."""
        async with self._gate.enter() as turn:
            sound = convert(pcm, rate)
            if turn.stopped or not len(sound):
                return
            pacer = Pacer(self._clock, self._pace)
            self.played.append(Played(pacer.start, sound[:0]))
            self._playing = True
            try:
                if on_first_sample is not None:
                    on_first_sample(pacer.start)
                for start in range(0, len(sound), FRAME_SAMPLES):
                    frame = sound[start : start + FRAME_SAMPLES]
                    frame[:] = self._gain.apply(frame)
                    if self._pace == "real":
                        self._reference.write(frame, SAMPLE_RATE, pacer.due(start))
                    await pacer.reach(start + len(frame))
                    if turn.stopped:
                        return
                    self.played[-1] = Played(pacer.start, sound[: start + len(frame)])
            finally:
                self._playing = False

    def stop(self) -> None:
        self._gate.stop()

    async def close(self) -> None:
        self.stop()

    def everything(self) -> Pcm:
        """All that sounded, in order, without the pauses, 16 kHz."""
        return np.concatenate([np.zeros(0, np.int16), *(one.pcm for one in self.played)])


class NullSpeaker:
    """Silence that takes its time: the rest of the program behaves as if it were heard."""

    latency_s = 0.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gate = PlayGate()
        self._reference = PlaybackReference()

    @property
    def playing(self) -> bool:
        return False

    @property
    def reference(self) -> PlaybackReference:
        """Always empty."""
        return self._reference

    def set_gain(self, gain: float) -> None:
        """See `Speaker`."""
        checked(gain)

    async def open(self) -> None:
        return

    async def play(self, pcm: Pcm, rate: int, on_first_sample: OnFirstSample | None = None) -> None:
        """Waits for the duration; `on_first_sample` is never called, because nothing sounds."""
        async with self._gate.enter() as turn:
            if not turn.stopped:
                await wait_for_event(turn.wake, self._clock, len(pcm) / rate)

    def stop(self) -> None:
        self._gate.stop()

    async def close(self) -> None:
        self.stop()


class NullMicrophone:
    """Hears nothing, for `[audio] microphone = "none"`: no frames, until it is closed."""

    def __init__(self) -> None:
        self._stats = CaptureStats(device="none")

    @property
    def stats(self) -> CaptureStats:
        return self._stats

    def attend(self, *, closely: bool) -> None:
        """See `LiveMicrophone`."""

    async def frames(self) -> AsyncGenerator[Frame, None]:
        self._stats.state = "open"
        try:
            await asyncio.Event().wait()  # ends by cancellation only
            nothing: tuple[Frame, ...] = ()
            for frame in nothing:
                yield frame
        finally:
            self._stats.state = "closed"
