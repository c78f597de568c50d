"""The daemon's own conversation with a simulated robot and a virtual microphone, at the speed of sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from claudiad.app.conversation import Conversation
from claudiad.app.ears import Ears
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts, assemble
from claudiad.audio.scripted import ScriptedMicrophone, Spoken
from claudiad.audio.virtual import MemorySpeaker
from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.robot.sim import SimRobot
from claudiad.types import SAMPLE_RATE, Action, Pcm

ROOM_DBFS = -62.0
LONGEST_S = 5.0
"""What has not happened by then does not happen."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one thing said."""

    piece: Spoken
    records: tuple[TurnRecord, ...]
    calls: tuple[tuple[str, float], ...]
    """Calls in the simulator's own log while it was heard: name and clock time."""


class Stage:
    """Speaks into one conversation, line after line; the robot stands at the beginning of each."""

    def __init__(self, parts: Parts, robot: SimRobot, speaker: MemorySpeaker) -> None:
        self.parts = parts
        self.microphone = ScriptedMicrophone(parts.clock, "real", noise_dbfs=ROOM_DBFS)
        self.conversation = Conversation(parts, self.microphone, self._note)
        self._robot = robot
        self._speaker = speaker
        self._records: dict[int, TurnRecord] = {}

    async def command(self, pcm: Pcm) -> Heard:
        """Until it was acted on and answered: motion and answer are then cut short, nothing measured is left."""
        sounds = len(self._speaker.played)
        return await self._say(pcm, lambda calls: bool(calls) and len(self._speaker.played) > sounds)

    async def whole(self, pcm: Pcm) -> Heard:
        """Until nothing can be added to it any more."""
        return await self._say(pcm, lambda _: self.conversation.settled)

    async def during(self, action: str, pcm: Pcm, into_s: float, noise: Pcm | None = None) -> Heard:
        """Say it while the robot does something, `into_s` after that began, with noise of its motors perhaps."""
        spec = self.parts.registry[action]
        # Straight to the dispatcher: what is measured is what ends it.
        moving = asyncio.create_task(self.parts.dispatcher.run([Action(spec.name, spec.api_id)]))
        await self.parts.clock.sleep(into_s)
        if noise is not None:
            self.microphone.speak(noise)
        try:
            return await self._say(pcm, lambda calls: any(name == "stop" for name, _ in calls))
        finally:
            await moving

    async def quiet(self) -> None:
        """Nothing moves, nothing sounds, nothing is waiting."""
        self.parts.mouth.cancel()
        if self.parts.dispatcher.running is not None:
            await self.parts.dispatcher.stop(reason="all that is measured has happened")

        def hushed() -> bool:
            # Again: where a picture is comes to be said only now, and the next sentence would be said into it.
            self.parts.mouth.cancel()
            return self.conversation.idle

        await self._until(hushed)

    async def _say(self, pcm: Pcm, over: Callable[[list[tuple[str, float]]], bool]) -> Heard:
        first, calls = self.conversation.turns + 1, len(self._robot.calls)
        piece = self.microphone.speak(pcm)
        await self.parts.clock.sleep(len(pcm) / SAMPLE_RATE)
        await self._until(lambda: over(self._calls(calls)) or first in self._records)
        reached = self._calls(calls)
        await self.quiet()
        numbers = range(first, self.conversation.turns + 1)
        return Heard(piece, tuple(self._records[n] for n in numbers if n in self._records), tuple(reached))

    def _calls(self, after: int) -> list[tuple[str, float]]:
        return [(call.name, call.t) for call in self._robot.calls[after:]]

    async def _until(self, condition: Callable[[], bool]) -> None:
        deadline = self.parts.clock.now() + LONGEST_S
        while not condition() and self.parts.clock.now() < deadline:
            await self.parts.clock.sleep(0.01)

    def _note(self, record: TurnRecord) -> None:
        self._records[record.turn] = record


@asynccontextmanager
async def stage(settings: Settings, ears: Ears) -> AsyncIterator[Stage]:
    """A conversation under way; the ears stay the caller's."""
    clock = SystemClock()
    robot, speaker = SimRobot(clock), MemorySpeaker(clock, "real")
    async with assemble(settings, clock, robot=robot, speaker=speaker, ears=ears, keep=False) as parts:
        it = Stage(parts, robot, speaker)
        listening = asyncio.create_task(it.conversation.run())
        await clock.sleep(1.0)  # the room's noise floor
        try:
            yield it
        finally:
            it.microphone.close()
            await listening


def motors(seconds: float, dbfs: float = -32.0) -> Pcm:
    """Something like a walking robot's own noise: whining harmonics, steps, hiss. RMS level in dBFS."""
    rng = np.random.default_rng(5)
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    whine = sum(np.sin(2 * np.pi * f * t * (1 + 0.01 * np.sin(2 * np.pi * 1.7 * t))) / n for n, f in enumerate(
        (180.0, 360.0, 720.0, 1450.0, 2900.0), 1))  # fmt: skip
    steps = np.exp(-((t * 2.5) % 1.0) * 14.0) * rng.standard_normal(len(t))
    noise = 0.5 * whine + steps + 0.4 * rng.standard_normal(len(t))
    noise *= 32768.0 * 10 ** (dbfs / 20) / np.sqrt((noise**2).mean())
    return np.clip(noise, -32768, 32767).astype(np.int16)
