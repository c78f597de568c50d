"""A process that hears its own speaker's monitor, and says how late what it plays really is.

Prints one JSON object: `{"reported_ms": …, "measured_ms": […]}`, from a block's leaving to its sound, once as PortAudio
reports it and once as a burst of noise, heard again, shows. Whoever starts it makes the speaker's monitor the
microphone.
"""

from __future__ import annotations

import asyncio
import json

import numpy as np

from claudiad.audio.device import DeviceMicrophone
from claudiad.audio.device_out import DeviceSpeaker
from claudiad.audio.timeline import Timeline
from claudiad.clock import SystemClock
from claudiad.config import AudioSettings
from claudiad.types import FRAME_MS, SAMPLE_RATE, Pcm
from tests.audio.sounds import noise

BURSTS = 3
LISTEN_S = 1.5


async def _listen(microphone: DeviceMicrophone, heard: list[tuple[float, Pcm]]) -> None:
    line = Timeline(SAMPLE_RATE)
    async for frame in microphone.frames():
        at = line.time_of(frame.start_sample, frame.captured_at - FRAME_MS / 1000)
        heard.append((at, frame.pcm))  # read while it grows


async def _main() -> None:
    clock, settings = SystemClock(), AudioSettings()
    microphone, speaker = DeviceMicrophone(settings, clock), DeviceSpeaker(settings, clock)
    heard: list[tuple[float, Pcm]] = []
    listening = asyncio.create_task(_listen(microphone, heard))
    await speaker.open()
    while len(heard) < 100:  # until the monitor delivers, and the times have settled
        await clock.sleep(0.05)
    measured = []
    for number in range(BURSTS):
        before = len(heard)
        await speaker.play(noise(-20, 300, seed=number), SAMPLE_RATE)
        await clock.sleep(LISTEN_S)
        got = np.concatenate([pcm for _, pcm in heard[before:]]).astype(float)
        noted = speaker.reference.read(heard[before][0], len(got)).astype(float)
        size = 2 * len(got)
        alike = np.fft.irfft(np.fft.rfft(got, size) * np.fft.rfft(noted, size).conj(), size)
        best = int(np.argmax(alike))
        later = best if best < size // 2 else best - size
        measured.append(round((speaker.latency_s + later / SAMPLE_RATE) * 1000, 1))
    print(json.dumps({"reported_ms": round(speaker.latency_s * 1000, 1), "measured_ms": measured}))
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await speaker.close()


if __name__ == "__main__":
    asyncio.run(_main())
