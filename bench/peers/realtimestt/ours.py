"""claudiad listens to the stream: the daemon's own conversation, a simulated robot, a speaker without a device."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any

from bench.peers.realtimestt.finals import Final
from bench.peers.realtimestt.stream import Stream
from claudiad.app.conversation import Conversation
from claudiad.app.ears import Ears
from claudiad.app.judge import Judged
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts, assemble
from claudiad.app.turn import Turn
from claudiad.audio.microphone import CaptureStats
from claudiad.audio.recorded import WavMicrophone
from claudiad.audio.virtual import MemorySpeaker
from claudiad.clock import Clock, SystemClock
from claudiad.config import Settings
from claudiad.robot.sim import SimRobot
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame

QUIET_S = 1.6
"""After the end of the voice: nothing said can be added to any more, so motion and answer are ended. The robot is
standing, and silent, when the next one speaks, as it is for a program that has no robot."""

Progress = Callable[[float], None]
"""Told how many seconds of the stream have sounded."""


class StreamMicrophone:
    """The stream once, at the speed of sound."""

    def __init__(self, stream: Stream, clock: Clock, progress: Progress) -> None:
        self._inner = WavMicrophone(stream.samples, "real", clock, tail_silence_ms=0)
        self._progress = progress
        self.began: float | None = None
        """Clock time of the first sample; None before the first frame."""

    @property
    def stats(self) -> CaptureStats:
        return self._inner.stats

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """See `Microphone`."""
        async with aclosing(self._inner.frames()) as frames:
            async for frame in frames:
                end = (frame.start_sample + FRAME_SAMPLES) / SAMPLE_RATE
                if self.began is None:
                    self.began = frame.captured_at - end
                if frame.start_sample % SAMPLE_RATE == 0:
                    self._progress(end)
                yield frame


class Observed(Conversation):
    """The conversation, with its transcripts as finals in the stream's own time."""

    def __init__(self, parts: Parts, microphone: StreamMicrophone) -> None:
        super().__init__(parts, microphone, self._over)
        self.finals: list[Final] = []
        self._stream = microphone
        self._clock = parts.clock

    def _over(self, record: TurnRecord) -> None:
        # The log's wall time of the end of speech, brought back to the clock the stream runs by.
        speech_end = datetime.fromisoformat(record.started).timestamp() - (time.time() - self._clock.now())
        times = record.timings_ms
        final_ms = times.get("speech_end_to_transcript", times.get("endpoint", 0.0))
        self._add(speech_end + final_ms / 1000.0, record.transcript)

    async def _go_on(self, turn: Turn, rest: Judged, *others: Any, **named: Any) -> bool:
        # A record has the times of its first words; when those behind them were final is told nowhere else.
        now = self._clock.now()
        joined = await super()._go_on(turn, rest, *others, **named)
        if joined:
            self._add(now, rest.transcript.text, joined=True)
        return joined

    def _add(self, at: float, text: str, *, joined: bool = False) -> None:
        self.finals.append(Final(at - (self._stream.began or 0.0), text, joined))


async def listen(settings: Settings, stream: Stream, progress: Progress) -> list[Final]:
    """Everything claudiad made of the stream. Raises ClaudiaError when a part cannot start."""
    clock = SystemClock()
    ears = await asyncio.to_thread(Ears.open, settings.stt)
    await ears.warm()
    speaker = MemorySpeaker(clock, "real")
    try:
        async with assemble(settings, clock, robot=SimRobot(clock), speaker=speaker, ears=ears, keep=False) as parts:
            microphone = StreamMicrophone(stream, clock, progress)
            conversation = Observed(parts, microphone)
            quieting = asyncio.create_task(_quieten(parts, microphone, stream))
            try:
                await conversation.run()
            finally:
                quieting.cancel()
                await asyncio.gather(quieting, return_exceptions=True)
    finally:
        await ears.close()
    return conversation.finals


async def _quieten(parts: Parts, microphone: StreamMicrophone, stream: Stream) -> None:
    while microphone.began is None:
        await parts.clock.sleep(0.02)
    for said in stream.said:
        due = microphone.began + said.voice_end / SAMPLE_RATE + QUIET_S
        await parts.clock.sleep(max(0.0, due - parts.clock.now()))
        parts.mouth.cancel()
        if parts.dispatcher.running is not None:
            await parts.dispatcher.stop(reason="all that is measured has happened")
