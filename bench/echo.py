"""Does it answer itself, and is a stop heard while it speaks? Its loudspeaker is looped back into its microphone.

    python -m bench.echo [--replies 50] [--stops 50] [--levels -6 -12 -20]

What is real: PulseAudio, PortAudio, echo cancellation, endpointing, recognition, the whole conversation. Each level
begins with a conversation that has never heard itself: its first reply is the hardest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bench.idle import room_noise
from bench.report import machine, save, title
from bench.sentences import PITCHES, SPEEDS, STOPS, Sentence, speak
from claudiad.app.conversation import Conversation
from claudiad.app.ears import Ears
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts, assemble
from claudiad.audio.device import DeviceMicrophone
from claudiad.audio.device_out import DeviceSpeaker
from claudiad.audio.wav import write_wav
from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.robot.sim import SimRobot
from tests.real.loopback import Loopback
from tests.real.pulse import Pulse

REPLIES = (
    "はい、座ります。",
    "ありがとうございます、うれしいです。",
    "はい、ゆっくり歩きます。",
    "天気はまだ分かりません。空を見てみてくださいね。",
    "はい、別のダンスを踊ります。",
    "どういたしまして。",
    "犬の形をしたロボット、クラウディアです。",
    "はい、障害物をよけて歩きます。",
    "お疲れ様です。一緒に休みましょう。",
    "はい、後ろを向きます。",
    "物を運ぶことはまだできません。",
    "どこにいらっしゃるかまだ分かりません。前に進んで、と言ってください。",
    "座る、立つ、伏せる、挨拶、ダンス、伸び、ハートができます。歩いたり回ったりもできます。",
)
"""As in the shipped tables, short and long."""
LONG = tuple(reply for reply in REPLIES if len(reply) > 20)
ROOM_DBFS = -62.0
AFTER_S = 1.6
"""From the end of a reply until nothing can come of it any more: the longest wait, recognition, and some."""
SETTLE_S = 3.0
"""From the start to the first sound: the device is opened, the noise floor is found."""
LONGEST_S = 6.0
"""What has not happened by then does not happen: a stop that was not heard, an answer that does not end."""
INTO_S = (0.1, 0.4, 0.7, 1.0, 0.2, 0.9, 1.3)
HEARD = 0.98
"""Of the stops, at least."""


@dataclass(slots=True)
class Level:
    """What came of one level of echo."""

    decibels: float
    replies: int = 0
    answered: int = 0
    """Turns that came of the robot's own voice: it moved or replied."""
    dropped: int = 0
    """Utterances taken from its own voice and dropped: nothing was done."""
    cut: int = 0
    """Replies that it interrupted itself in."""
    held_up: int = 0
    """Replies that it paused in to listen to itself."""
    first_answered: bool = False
    """Among the answered is what it said first of all."""
    stops: int = 0
    stops_heard: int = 0
    notes: list[str] = field(default_factory=list)
    """What was made of its own voice, and stops that were missed."""


class Talk:
    """One conversation in the loopback."""

    def __init__(self, pulse: Pulse, parts: Parts) -> None:
        self.records: list[TurnRecord] = []
        microphone = DeviceMicrophone(parts.settings.audio, parts.clock)
        self.conversation = Conversation(parts, microphone, self.records.append)
        self._pulse = pulse
        self._parts = parts

    async def reply(self, text: str, level: Level) -> None:
        """Say something to an empty room, and see what it makes of it."""
        before, mouth, clock = len(self.records), self._parts.mouth, self._parts.clock
        saying, held_up = asyncio.create_task(mouth.say(text)), False
        while not saying.done():
            held_up |= mouth.paused
            await clock.sleep(0.02)
        await clock.sleep(AFTER_S)
        await self._until(lambda: self.conversation.idle and not mouth.speaking)
        new = self.records[before:]
        answered = [r for r in new if r.dropped is None]
        level.first_answered |= bool(answered) and not level.replies
        level.replies += 1
        level.answered += len(answered)
        level.dropped += len(new) - len(answered)
        level.cut += saying.result().interrupted
        level.held_up += held_up
        level.notes += [f"「{text}」 was heard as 「{r.transcript}」: {r.dropped or r.route}" for r in new]

    async def stop(self, text: str, word: Sentence, into_s: float, level: Level) -> None:
        """Say a stop word over a reply, `into_s` after that began to sound."""
        before, mouth, speaker = len(self.records), self._parts.mouth, self._parts.speaker
        path = Path(self._pulse.env["XDG_RUNTIME_DIR"]) / "word.wav"
        write_wav(path, await asyncio.to_thread(speak, word))
        saying = asyncio.create_task(mouth.say(text))
        await self._until(lambda: speaker.playing)
        await self._parts.clock.sleep(into_s)
        player = self._pulse.play_into_mic(path, wait=False)
        await self._until(lambda: self._stopped(before))
        level.stops += 1
        level.stops_heard += self._stopped(before)
        if not self._stopped(before):
            heard = ", ".join(f"「{r.transcript}」 {r.dropped or r.route} ({r.oov:.3f})" for r in self.records[before:])
            level.notes.append(f"{word.text} {into_s:.1f} s into 「{text}」 was missed: {heard or 'nothing was heard'}")
        await asyncio.to_thread(player.wait)
        await saying
        await self._until(lambda: self.conversation.idle and not mouth.speaking)
        await self._parts.clock.sleep(AFTER_S)

    def _stopped(self, before: int) -> bool:
        return any(r.route == "emergency" for r in self.records[before:])

    async def _until(self, condition: Callable[[], bool]) -> None:
        deadline = self._parts.clock.now() + LONGEST_S
        while not condition() and self._parts.clock.now() < deadline:
            await self._parts.clock.sleep(0.02)


@asynccontextmanager
async def talk(pulse: Pulse, settings: Settings, ears: Ears) -> AsyncIterator[Talk]:
    """A conversation that has never heard itself, listening."""
    clock = SystemClock()
    speaker = DeviceSpeaker(settings.audio, clock)
    await speaker.open()
    try:
        async with assemble(settings, clock, robot=SimRobot(clock), speaker=speaker, ears=ears, keep=False) as parts:
            await parts.mouth.prime(REPLIES)
            it = Talk(pulse, parts)
            listening = asyncio.create_task(it.conversation.run())
            await clock.sleep(SETTLE_S)
            try:
                yield it
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        await speaker.close()


async def measure(pulse: Pulse, settings: Settings, a: argparse.Namespace, console: Console) -> list[Level]:
    """All levels, one after another."""
    found = []
    loopback = Loopback(pulse, a.levels[0])
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    ears = await asyncio.to_thread(Ears.open, settings.stt)
    await ears.warm()
    try:
        with bar:
            for decibels in a.levels:
                level = Level(decibels)
                loopback.set_level(decibels)
                async with talk(pulse, settings, ears) as it:
                    replies = [text for text, _ in zip(cycle(REPLIES), range(a.replies), strict=False)]
                    for text in bar.track(replies, description=f"{decibels:+g} dB: replies to nobody …"):
                        await it.reply(text, level)
                    for n in bar.track(range(a.stops), description=f"{decibels:+g} dB: stops over replies …"):
                        word = Sentence(STOPS[n % len(STOPS)], (), PITCHES[n % len(PITCHES)], SPEEDS[n % len(SPEEDS)])
                        await it.stop(LONG[n % len(LONG)], word, INTO_S[n % len(INTO_S)], level)
                found.append(level)
    finally:
        await ears.close()
    return found


def latency(pulse: Pulse) -> dict[str, Any]:
    """Of the output in ms: as PortAudio reports it, and as the speaker's monitor hears it."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.real.latency_child"],
        env=pulse.env | {"PULSE_SOURCE": "speaker.monitor"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(child.stdout)
    return found


def show(console: Console, found: list[Level]) -> None:
    """One row per level, and what went wrong."""
    columns = ("replies", "answered", "dropped", "cut", "paused", "stops", "heard")
    table = Table("echo", *columns)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in found:
        first = " (the first!)" if one.first_answered else ""
        figures = (one.replies, f"{one.answered}{first}", one.dropped, one.cut, one.held_up, one.stops, one.stops_heard)
        table.add_row(f"{one.decibels:+g} dB", *map(str, figures))
    console.print(table)
    for one in found:
        for note in one.notes:
            console.print(f"{one.decibels:+g} dB: {note}")


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--replies", type=int, default=50, help="at each level (default 50: three minutes)")
    p.add_argument("--stops", type=int, default=50, help="at each level (default 50: five minutes)")
    p.add_argument(
        "--levels", type=float, nargs="+", default=[-6.0, -12.0, -20.0], help="echo in dB below what is played"
    )
    p.add_argument("--no-cancelling", action="store_true", help="what is left to the comparison of the words")
    a = p.parse_args()
    logging.basicConfig(level=logging.ERROR)
    console, where = Console(highlight=False), machine()
    settings = Settings().without_models()
    if a.no_cancelling:
        audio = settings.audio.model_copy(update={"echo_cancellation": False})
        settings = settings.model_copy(update={"audio": audio})
    title(
        console, f"bench-echo: {a.replies} replies and {a.stops} stops per level, looped back through PulseAudio", where
    )
    with tempfile.TemporaryDirectory() as name:
        pulse = Pulse(Path(name))
        pulse.start()
        try:
            late = latency(pulse)
            os.environ.update(pulse.env)  # before PortAudio is loaded: it reads them once
            noise = Path(name) / "noise.wav"
            seconds = len(a.levels) * (60 + 10 * a.replies + 15 * a.stops)
            room_noise(noise, seconds, ROOM_DBFS)
            pulse.play_into_mic(noise, wait=False)
            found = asyncio.run(measure(pulse, settings, a, console))
        finally:
            pulse.stop()
    show(console, found)
    heard_after = ", ".join(f"{ms:g}" for ms in late["measured_ms"])
    console.print(f"output latency: {late['reported_ms']:g} ms as reported, {heard_after} ms as heard")
    save("bench-echo", where, {"latency": late, "levels": [asdict(one) for one in found]})
    good = all(one.answered == 0 and one.stops_heard >= HEARD * one.stops for one in found)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
