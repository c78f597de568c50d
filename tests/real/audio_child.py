"""A process with a real microphone and speaker, for tests that break the sound server under it.

Reads commands from standard input, one a line: `play HZ MS`, `quit`. Prints one JSON object per line:
`{"frame": start_sample, "hz": strongest frequency, "dbfs": level}` for every 10th frame (over the last 200 ms),
`{"state": ..., "reopened": ...}` when it changes, `{"played": seconds}`, `{"bad": ...}` for a gap.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys

import numpy as np

from claudiad.audio.device import DeviceMicrophone
from claudiad.audio.device_out import DeviceSpeaker
from claudiad.audio.level import level_dbfs
from claudiad.clock import SystemClock
from claudiad.config import AudioSettings
from tests.audio.sounds import frequency, tone


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


async def _listen(microphone: DeviceMicrophone) -> None:
    expected, recent = 0, [np.zeros(320, np.int16)] * 10
    async for frame in microphone.frames():
        if frame.start_sample != expected:
            _say(bad=f"{frame.start_sample} instead of {expected}")
        expected = frame.start_sample + 320
        recent = [*recent[1:], frame.pcm]
        if expected // 320 % 10 == 0:
            heard = np.concatenate(recent)
            _say(frame=frame.start_sample, hz=frequency(heard), dbfs=level_dbfs(heard))


async def _watch(microphone: DeviceMicrophone) -> None:
    told = ""
    while True:
        if microphone.stats.state != told:
            told = microphone.stats.state
            _say(state=told, reopened=microphone.stats.reopened)
        await asyncio.sleep(0.02)


async def _main() -> None:
    clock = SystemClock()
    settings = AudioSettings(stale_ms=600, reopen_ms=200)
    microphone, speaker = DeviceMicrophone(settings, clock), DeviceSpeaker(settings, clock)
    tasks = [asyncio.create_task(_listen(microphone)), asyncio.create_task(_watch(microphone))]
    while True:
        words = (await asyncio.to_thread(sys.stdin.readline)).split()
        if not words or words[0] == "quit":
            break
        start = clock.now()
        await speaker.play(tone(float(words[1]), int(words[2])), 16_000)
        _say(played=clock.now() - start)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await speaker.close()
    _say(left=microphone.stats.state)


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
asyncio.run(_main())
