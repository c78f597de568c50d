"""A room in which a person, a voice and a simulated robot meet: the whole loop in virtual time, without a device."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pytest

from claudiad.app import parts as parts_module
from claudiad.app.conversation import Conversation
from claudiad.app.ears import Ears
from claudiad.app.language_models import LanguageModels
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts, assemble
from claudiad.audio.microphone import Microphone
from claudiad.audio.scripted import ScriptedMicrophone
from claudiad.audio.virtual import MemorySpeaker
from claudiad.brain.router import Tables
from claudiad.clock import Clock, JumpClock
from claudiad.config import Settings
from claudiad.llm.ollama_server import OllamaServer
from claudiad.robot import registry
from claudiad.robot.sim import SimRobot
from claudiad.stt.base import Recogniser
from claudiad.types import SAMPLE_RATE, Pcm, Posture
from tests.audio.sounds import tone
from tests.fakes.recogniser import FakeRecogniser

SECONDS_PER_KANA = 0.1
COMPLETE, BETWEEN, OPEN = 200, 600, 1000
"""How long it waits behind words by default, ms."""


class PatientClock(JumpClock):
    """Does not let time pass while a worker thread has something to do that nobody holds back on purpose."""

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self.busy: Callable[[], bool] = lambda: False

    def _pass(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.busy():
            self._quiet = 0
            loop.call_later(0.001, self._pass, loop)
        else:
            super()._pass(loop)


class Workers:
    """Counts what the event loop has handed to threads and has not got back."""

    def __init__(self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.out = 0
        hand_over = loop.run_in_executor

        def counted(*args: Any) -> asyncio.Future[Any]:
            self.out += 1
            handed = hand_over(*args)
            handed.add_done_callback(self._back)
            return handed

        monkeypatch.setattr(loop, "run_in_executor", counted)

    def _back(self, _: object) -> None:
        self.out -= 1


class ToneVoice:
    """Speaks a tone of a tenth of a second for every character."""

    name = "tone"
    sample_rate = SAMPLE_RATE

    def synthesise(self, clause: str) -> Pcm:
        return tone(880, round(1000 * SECONDS_PER_KANA) * len(clause))


def actions(record: TurnRecord) -> list[str]:
    """Names of what a turn did or began, in order."""
    return [step.action.name for step in record.steps]


@dataclass
class Room:
    """Everything in it, and how to wait for what happens there."""

    settings: Settings
    clock: PatientClock
    recogniser: FakeRecogniser
    stop_recogniser: FakeRecogniser | None
    microphone: ScriptedMicrophone
    robot: SimRobot
    speaker: MemorySpeaker
    parts: Parts
    conversation: Conversation
    running: asyncio.Task[None]
    records: list[TurnRecord] = field(default_factory=list)

    def says(self, text: str, **how: Any) -> Pcm:
        """Sound that both recognisers take for this text."""
        pcm = self.recogniser.says(text, **how)
        if self.stop_recogniser is not None:
            self.stop_recogniser.says(text, **how)
        return pcm

    async def until(self, condition: Callable[[], object]) -> None:
        """Let virtual time pass until it is so; five minutes of it are too long."""
        end = self.clock.now() + 300
        async with asyncio.timeout(60):
            while not condition():
                if self.running.done():
                    await self.running
                assert self.clock.now() < end, f"it never came to pass; turns: {self.records}"
                await asyncio.sleep(0)

    async def speak(self, text: str, **how: Any) -> None:
        """Say it, until the last sample of it has sounded."""
        pcm = self.says(text, **how)
        await self.play(pcm)

    async def play(self, pcm: Pcm) -> None:
        end = self.microphone.speak(pcm).end_sample
        await self.until(lambda: self.microphone.position >= end)

    async def pause(self, ms: int) -> None:
        """Silence behind what was spoken last."""
        end = self.microphone.spoken[-1].end_sample + ms * SAMPLE_RATE // 1000
        await self.until(lambda: self.microphone.position >= end)

    async def turn(self, text: str, **how: Any) -> TurnRecord:
        """Say it, and the record of the turn it leads to."""
        before = len(self.records)
        await self.speak(text, **how)
        await self.until(lambda: len(self.records) > before and self.conversation.idle)
        return max(self.records, key=lambda one: one.turn)

    async def moving(self, action: str) -> None:
        """Until the robot is in the middle of it."""
        await self.until(lambda: self.robot.state().running == action)

    @property
    def calls(self) -> list[str]:
        """Names of all calls that reached the robot."""
        return [call.name for call in self.robot.calls]

    def heard_since(self, at: float) -> float:
        """Seconds of sound that the speaker began to make after clock time `at`."""
        return sum(len(one.pcm) for one in self.speaker.played if one.start_time > at) / SAMPLE_RATE


def settings_with(**sections: dict[str, object]) -> Settings:
    """The defaults without acknowledgements, echo cancellation (nothing echoes here) and models, with these changes."""
    base = Settings().model_dump()
    base["tts"]["acknowledgements"] = ()
    base["llm"]["enabled"] = False
    base["audio"]["echo_cancellation"] = False
    for name, values in sections.items():
        base[name] |= values
    return Settings.model_validate(base)


@lru_cache(maxsize=1)
def _tables() -> Tables:
    return parts_module.load_tables(registry.askable(registry.load()))


@asynccontextmanager
async def room(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings | None = None,
    *,
    posture: Posture = Posture.STANDING,
    battery: int = 100,
    separate: bool = False,
    keep: bool = False,
    hearing: Recogniser | None = None,
    ollama: Callable[[Clock], OllamaServer] | None = None,
    microphone: Callable[[ScriptedMicrophone], Microphone] = lambda m: m,
) -> AsyncIterator[Room]:
    """A listening room; on the way out the conversation has ended and the recognisers' contract was kept.

    `separate` gives stops a recogniser of their own; `ollama` makes the server that language models are asked on;
    `hearing` hears in place of the fake; `keep` writes audit and
    latch (into $STATE_DIRECTORY).
    """
    monkeypatch.setattr(parts_module, "open_voice", lambda _: ToneVoice())
    monkeypatch.setattr(parts_module, "brain_tables", lambda *_: _tables())
    settings = settings or settings_with()
    clock = PatientClock(1000.0)
    workers = Workers(asyncio.get_running_loop(), monkeypatch)
    recogniser = FakeRecogniser()
    stop = FakeRecogniser("fake-stop") if separate else None
    ears = Ears(hearing or recogniser, stop)
    robot = SimRobot(clock, posture=posture, battery=battery)
    speaker = MemorySpeaker(clock, "real")
    scripted = ScriptedMicrophone(clock, "real")
    models = None
    if ollama is not None:
        table = registry.load()
        models = LanguageModels(
            settings, clock, server=ollama(clock), cloud=None, registry=table, tables=_tables(), kept=None
        )
        await models.residency.look()
    try:
        async with assemble(
            settings, clock, robot=robot, speaker=speaker, ears=ears, models=models, keep=keep
        ) as parts:
            held_back = [one for one in (recogniser, stop) if one is not None]
            clock.busy = lambda: (
                parts.lane.unconfirmed or workers.out > sum(not one.gate.is_set() and one.busy for one in held_back)
            )
            records: list[TurnRecord] = []
            conversation = Conversation(parts, microphone(scripted), records.append)
            running = asyncio.create_task(conversation.run(), name="conversation")
            try:
                yield Room(
                    settings, clock, recogniser, stop, scripted, robot, speaker, parts, conversation, running, records
                )
            finally:
                # One that has ended by itself was the test's to await.
                if not running.done():
                    running.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await running
    finally:
        for one in (recogniser, stop):
            if one is not None:
                one.gate.set()
        await ears.close()
        if models is not None:
            await models.close()
            await models.server.close()
    assert recogniser.broken == []
    assert stop is None or stop.broken == []
