"""The demo's sounds: the person's voice, a loudspeaker to listen along, and a recording of both sides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from claudiad.audio.build import speaker_for
from claudiad.audio.reference import PlaybackReference
from claudiad.audio.resample import convert
from claudiad.audio.scripted import ScriptedMicrophone
from claudiad.audio.speaker import OnFirstSample, Speaker
from claudiad.audio.virtual import MemorySpeaker
from claudiad.clock import Clock
from claudiad.config import Settings
from claudiad.types import SAMPLE_RATE, Pcm

LEVEL = 9000.0
"""Peak of the person's voice: someone two metres away."""


def person(text: str, *, mumble: bool) -> Pcm:
    """The person's line, 16 kHz, at another pitch and speed than the robot's voice.

    A mumble is speech played backwards, low: the rhythm of Japanese and no word of it.
    """
    import pyopenjtalk

    wave, rate = pyopenjtalk.tts(text, speed=1.05, half_tone=-3.0)
    pcm = convert((wave / np.abs(wave).max() * LEVEL).astype(np.int16), rate)
    return (pcm[::-1] // 3).astype(np.int16) if mumble else pcm


async def open_monitor(settings: Settings, clock: Clock) -> Speaker | None:
    """A loudspeaker, if this machine has one."""
    if settings.audio.speaker == "none" or not await asyncio.to_thread(_has_output):
        return None
    speaker = speaker_for(settings.audio, clock)
    await speaker.open()
    return speaker


def _has_output() -> bool:
    try:
        import sounddevice

        return any(d["max_output_channels"] > 0 for d in sounddevice.query_devices())
    except (OSError, ImportError, RuntimeError):
        return False  # no PortAudio, or none that works: the demo goes on without sound


class Both:
    """Plays on a `MemorySpeaker`, which keeps the time, and on a monitor beside it."""

    def __init__(self, memory: MemorySpeaker, monitor: Speaker) -> None:
        self._memory = memory
        self._monitor = monitor

    @property
    def playing(self) -> bool:
        return self._memory.playing

    @property
    def latency_s(self) -> float:
        return self._monitor.latency_s

    @property
    def reference(self) -> PlaybackReference:
        """The memory's, which keeps the time."""
        return self._memory.reference

    def set_gain(self, gain: float) -> None:
        self._memory.set_gain(gain)
        self._monitor.set_gain(gain)

    async def open(self) -> None:
        return

    async def play(self, pcm: Pcm, rate: int, on_first_sample: OnFirstSample | None = None) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._monitor.play(pcm, rate))
            group.create_task(self._memory.play(pcm, rate, on_first_sample))

    def stop(self) -> None:
        self._memory.stop()
        self._monitor.stop()

    async def close(self) -> None:
        self.stop()


def mix(microphone: ScriptedMicrophone, said: Sequence[Pcm], memory: MemorySpeaker) -> Pcm:
    """Both sides of the conversation on one time line, 16 kHz."""
    zero = microphone.time_of(0)
    parts = [(s.start_sample, p) for s, p in zip(microphone.spoken, said, strict=False)]
    parts += [(max(0, round((one.start_time - zero) * SAMPLE_RATE)), one.pcm) for one in memory.played]
    out = np.zeros(max((at + len(pcm) for at, pcm in parts), default=0), np.float32)
    for at, pcm in parts:
        out[at : at + len(pcm)] += pcm
    return np.clip(out, -32768, 32767).astype(np.int16)
