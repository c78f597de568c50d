"""Does it stay the same for days? Thousands of turns, a tenth of them with a fault, faster than real time.

    python -m bench.soak [--turns 2000] [--from 200]

The whole conversation in virtual time: endpointing, decisions, robot, voice, language models and audit log, with a
recogniser, a voice and an Ollama that only pretend, for they are not the subject. After `--from` turns the process has
taken what it needs: from there on memory may grow by 5 %, descriptors, threads and tasks not at all. Exit status 1 when
they do, or when a turn is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from bench.report import machine, save, title
from claudiad.audio.microphone import CaptureStats
from claudiad.audio.scripted import ScriptedMicrophone
from claudiad.clock import Clock
from claudiad.errors import EngineMissing, RobotError
from claudiad.llm.ollama_server import OllamaServer
from claudiad.service.usage import Usage
from claudiad.tts.cache import ClauseCache
from claudiad.types import Frame, Pcm
from tests.app.room import Room, ToneVoice, room, settings_with
from tests.fakes.ollama import FakeOllama, Fault, OllamaTransport, ScriptedModel

GROWTH = 1.05
"""Of the resident memory, from the baseline on."""
SAMPLES = 10
"""Rows of the table from the baseline on."""
FAULTY = 10
"""One turn in so many has a fault."""
GONE_S = 3.0
"""How long the microphone is away."""
REFUSED = 7004
"""A result code with which a robot refuses a motion."""

LINES = (
    "座って",
    "立って",
    "挨拶して",
    "伏せ",
    "立ってそして挨拶して",
    "半メートル前に進んで",
    "右を向いて",
    "ハートして",
    "何ができますか",
    "今日はいい天気だね",
    "宙返りして",
    "えーと",
)
FAULTS = ("recogniser", "voice", "robot refuses", "robot unreachable", "microphone", "model")
MODEL_FAULTS = tuple(fault for fault in Fault if fault is not Fault.HUGE_LINE)
"""Half a megabyte in one token says something about the fake's memory, not about ours."""
_FIRST_MS = 300
"""Length of the first thing a fake recogniser is told of: the sentences that are never the same twice."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process has taken after so many turns."""

    turns: int
    resident_mb: float
    descriptors: int
    threads: int
    tasks: int
    virtual_s: float
    real_s: float


@dataclass
class Result:
    """What became of a run; `complaints` is empty when nothing grew."""

    samples: list[Sample] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    felt: Counter[str] = field(default_factory=Counter)
    """Faults that the turn's record shows: the others were got over unnoticed."""
    routes: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


class Leaving:
    """A microphone that goes away for a while when it is told to, and comes back."""

    def __init__(self, inner: ScriptedMicrophone, clock: Callable[[], Clock]) -> None:
        self._inner = inner
        self._clock = clock
        self.leave = False

    @property
    def stats(self) -> CaptureStats:
        return self._inner.stats

    async def frames(self) -> AsyncGenerator[Frame, None]:
        async for frame in self._inner.frames():
            yield frame
            if self.leave:
                self.leave = False
                self.stats.state = "lost"
                await self._clock().sleep(GONE_S)
                self.stats.state = "open"
                self.stats.reopened += 1


class Server:
    """Two models, the second the smaller one, on an Ollama without sockets."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.core: FakeOllama

    def __call__(self, clock: Clock) -> OllamaServer:
        self.core = FakeOllama(clock, [ScriptedModel(n, first_token_s=0.2, tokens_per_s=40.0) for n in self._names])
        transport = OllamaTransport(self.core)
        return OllamaServer(transport.url, transport=transport)


class Soak:
    """A room, and a way to do one turn after the other in it."""

    def __init__(self, patch: pytest.MonkeyPatch, r: Room, microphone: Leaving, server: Server, seed: int) -> None:
        self._patch = patch
        self._room = r
        self._microphone = microphone
        self._server = server
        self._dice = random.Random(seed)
        self._fault = ""
        self._unheard = r.says("-")  # the first length; what is said at it is told anew each time
        self._lines = [r.says(line) for line in LINES]
        self._dance, self._stop = r.says("踊って"), r.says("止まって")
        self._mumble = r.says("むにゃ", oov=0.9)
        self._failure = RuntimeError("the recogniser failed")
        self._deaf = r.says("-", fault=self._failure)
        self._began = time.monotonic()
        self._started_at = r.clock.now()
        self.result = Result()
        self._spoil_voice_and_robot()

    def _spoil_voice_and_robot(self) -> None:
        synthesise, cached, call = ToneVoice.synthesise, ClauseCache.get, self._room.robot.body.call
        perform = self._room.robot.perform

        def failing(voice: ToneVoice, clause: str) -> Pcm:
            if self._fault == "voice":
                raise EngineMissing("the voice failed")
            return synthesise(voice, clause)

        def empty(cache: ClauseCache, clause: str) -> Pcm | None:
            return None if self._fault == "voice" else cached(cache, clause)

        def refusing(api_id: int, *rest: Any) -> int:
            return REFUSED if self._fault == "robot refuses" and api_id != 1003 else call(api_id, *rest)

        async def unreachable(*args: Any) -> Any:
            if self._fault == "robot unreachable":
                raise RobotError("no answer")
            return await perform(*args)

        self._patch.setattr(ToneVoice, "synthesise", failing)
        self._patch.setattr(ClauseCache, "get", empty)
        self._patch.setattr(self._room.robot.body, "call", refusing)
        self._patch.setattr(self._room.robot, "perform", unreachable)

    async def turn(self, number: int) -> None:
        """One turn, or two for a stop; with a fault when its turn has come. Returns when nothing is under way."""
        self._fault = FAULTS[number // FAULTY % len(FAULTS)] if number % FAULTY == 0 else ""
        if self._fault:
            self.result.faults[self._fault] += 1
        before = len(self._room.records)
        await self._speak(number)
        await self._room.until(lambda: len(self._room.records) > before and self._idle)
        if self._fault and self._felt():
            self.result.felt[self._fault] += 1
        self._fault = ""
        self._forget()

    async def _speak(self, number: int) -> None:
        r, fault = self._room, self._fault
        if fault == "recogniser":
            await r.play(self._deaf)
        elif fault == "microphone":
            await r.play(self._lines[0])
            self._microphone.leave = True
        elif fault.startswith("robot"):
            await r.play(self._dice.choice(self._lines[:8]))
        elif fault == "model" or number % 7 == 0:
            if fault:
                self._server.core.inject(self._dice.choice(MODEL_FAULTS))
            r.recogniser.takes(_FIRST_MS, f"量子力学の{number}番目の話をして")
            await r.play(self._unheard)
        elif number % 11 == 0:
            await r.play(self._dance)
            await r.until(lambda: r.robot.state().running or self._idle)
            await r.play(self._stop)
        elif number % 13 == 0:
            await r.play(self._mumble)
        else:
            await r.play(self._dice.choice(self._lines))

    def _felt(self) -> bool:
        records = self._room.records
        match self._fault:
            case "recogniser":
                return any(r.dropped == "internal error" for r in records)
            case "voice":
                return any(r.reply and not r.spoken for r in records)
            case "model":
                return any(r.unanswered or r.repairs for r in records)
            case "microphone":
                return self._microphone.stats.reopened > self.result.felt["microphone"]
            case _:
                return any(step.outcome == "failed" for r in records for step in r.steps)

    @property
    def _idle(self) -> bool:
        return self._room.conversation.idle and not self._room.parts.mouth.speaking

    def _forget(self) -> None:
        """What the fakes keep for tests to look at grows without end, and is not the daemon's."""
        r = self._room
        self.result.routes.update(record.dropped or record.route for record in r.records)
        r.records.clear()
        r.recogniser.heard.clear()
        r.speaker.played.clear()
        r.microphone._spoken.clear()
        r.robot.body._calls.clear()
        self._failure.with_traceback(None)  # each time it is raised, the frames of that time are added to it
        self._failure.__context__ = None
        self._server.core.requests.clear()
        self._server.core.generations.clear()

    async def sample(self, turns: int) -> Sample:
        """What the process takes now, garbage aside."""
        for _ in range(100):
            await asyncio.sleep(0)  # tasks that have done their work end
        gc.collect()
        usage = Usage.now()
        return Sample(
            turns=turns,
            resident_mb=round(usage.resident_bytes / 1e6, 1),
            descriptors=usage.descriptors,
            threads=usage.threads,
            tasks=len(asyncio.all_tasks()),
            virtual_s=round(self._room.clock.now() - self._started_at),
            real_s=round(time.monotonic() - self._began, 1),
        )


@asynccontextmanager
async def soaking(folder: Path, seed: int = 0) -> AsyncIterator[Soak]:
    """A room with everything in it: models, audit log, latch, a microphone that can go away."""
    settings = settings_with(llm={"enabled": True}, brain={"cache_near": 1.0}, audit={"max_bytes": 100_000, "keep": 2})
    server = Server(settings.llm.models)
    rooms: list[Room] = []
    microphones: list[Leaving] = []

    def leaving(scripted: ScriptedMicrophone) -> Leaving:
        microphones.append(Leaving(scripted, lambda: rooms[0].clock))
        return microphones[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIRECTORY", str(folder))
        async with room(patch, settings, keep=True, ollama=server, microphone=leaving) as r:
            rooms.append(r)
            assert r.parts.models is not None  # noqa: S101 - there is a server
            for name in settings.llm.models:
                await r.parts.models.server.load(name)
            await r.parts.models.residency.look()
            await _fill_pool()
            yield Soak(patch, r, microphones[0], server, seed)


async def _fill_pool() -> None:
    """Start all threads of the loop's pool: it grows to its bound when it likes, which is no leak."""
    bound = min(32, (os.cpu_count() or 1) + 4)
    barrier = threading.Barrier(bound)
    await asyncio.gather(*(asyncio.to_thread(barrier.wait) for _ in range(bound)))


async def soak(turns: int, baseline: int, folder: Path, note: Callable[[Sample], None] = lambda _: None) -> Result:
    """Do them all. `note` is called with each sample, the baseline first."""
    every = max(1, (turns - baseline) // SAMPLES)
    async with soaking(folder) as running:
        result = running.result
        for number in range(1, turns + 1):
            await running.turn(number)
            if number >= baseline and ((number - baseline) % every == 0 or number == turns):
                result.samples.append(await running.sample(number))
                note(result.samples[-1])
    result.complaints = complaints(result.samples)
    return result


def complaints(samples: Sequence[Sample]) -> list[str]:
    """What has grown since the first one, in words."""
    first, found = samples[0], []
    highest = max(s.resident_mb for s in samples)
    if highest > first.resident_mb * GROWTH:
        found.append(f"resident memory grew from {first.resident_mb:.1f} to {highest:.1f} MB, more than 5 %")
    for name in ("descriptors", "threads", "tasks"):
        values = [getattr(s, name) for s in samples]
        if values[-1] != values[0]:
            found.append(f"{name}: {values[0]} became {values[-1]}")
    return found


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--turns", type=int, default=2000, help="how many (default 2000)")
    p.add_argument("--from", type=int, default=200, dest="baseline", help="the turn to compare with (default 200)")
    a = p.parse_args()
    if not 0 < a.baseline < a.turns:
        p.error("--from must be below --turns")
    logging.disable(logging.CRITICAL)  # what the faults lead to is the tests' subject
    console, where = Console(highlight=False), machine()
    title(console, f"soak: {a.turns} turns, a fault in one of {FAULTY}", where)

    def note(s: Sample) -> None:
        print(f"\r{s.turns} turns, {s.resident_mb:.1f} MB, {s.real_s:.0f} s", end="", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as name:
        result = asyncio.run(soak(a.turns, a.baseline, Path(name), note))
    print(file=sys.stderr)
    show(console, result)
    found = {"samples": [asdict(s) for s in result.samples], "faults": dict(result.faults), "felt": dict(result.felt)}
    found |= {"turns": dict(result.routes), "complaints": result.complaints}
    console.print(f"written to {save('soak', where, found)}")
    return 1 if result.complaints else 0


def show(console: Console, result: Result) -> None:
    """The table, what happened, and the verdict."""
    table = Table("turns", "resident MB", "", "descriptors", "threads", "tasks", "robot's time", "real time")
    for column in table.columns:
        column.justify = "right"
    first = result.samples[0]
    for s in result.samples:
        change = 100 * (s.resident_mb / first.resident_mb - 1)
        table.add_row(
            str(s.turns), f"{s.resident_mb:.1f}", f"{change:+.1f} %", str(s.descriptors), str(s.threads), str(s.tasks),
            f"{s.virtual_s:.0f} s", f"{s.real_s:.0f} s",
        )  # fmt: skip
    console.print(table)
    felt = ", ".join(f"{name} {n} ({result.felt[name]} felt)" for name, n in result.faults.items())
    console.print(f"faults   {felt}")
    console.print("turns    " + ", ".join(f"{name} {n}" for name, n in result.routes.most_common()))
    for line in result.complaints or ["nothing grew"]:
        console.print(line)


if __name__ == "__main__":
    raise SystemExit(main())
