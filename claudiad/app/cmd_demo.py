"""`claudiad demo`: a scripted conversation, in real time, through the real loop."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from claudiad.app import options
from claudiad.app.conversation import Conversation
from claudiad.app.demo_script import Line, faults, load_script
from claudiad.app.demo_sound import Both, mix, open_monitor, person
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts, assemble
from claudiad.audio.scripted import ScriptedMicrophone
from claudiad.audio.speaker import Speaker
from claudiad.audio.virtual import MemorySpeaker
from claudiad.audio.wav import write_wav
from claudiad.brain.patience import longest_wait_ms
from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.types import SAMPLE_RATE, Pcm

if TYPE_CHECKING:
    from argparse import _SubParsersAction

LONGEST_TURN_S = 30.0
"""A turn that has not ended by then has gone wrong."""
BETWEEN_S = 0.4
"""A person's pause before they go on."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser(
        "demo", help="a spoken conversation with a simulated Go2; nothing needed but this package"
    )
    p.add_argument("--out", type=Path, metavar="WAV", help="also write the whole conversation there")
    p.add_argument("--quiet", action="store_true", help="do not use a sound device even if there is one")
    options.add_config(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = options.settings_of(args).without_models()  # the script is the same with and without a server
    logging.basicConfig(level=logging.ERROR)
    return asyncio.run(Demo(settings, Console(highlight=False, soft_wrap=True), args.out, quiet=args.quiet).play())


@dataclass(frozen=True, slots=True)
class Said:
    """A line that was spoken, and the numbers of the turns that came of it."""

    number: int
    line: Line
    turns: range


class Demo:
    """One run of the script."""

    def __init__(self, settings: Settings, console: Console, out: Path | None, *, quiet: bool) -> None:
        self._settings = settings
        self._console = console
        self._out = out
        self._quiet = quiet
        self._clock = SystemClock()
        self._records: dict[int, TurnRecord] = {}

    async def play(self) -> int:
        """Exit status: 0 when every turn did what the script says, else 1."""
        script = load_script()
        microphone = ScriptedMicrophone(self._clock, "real", noise_dbfs=-62.0)
        memory = MemorySpeaker(self._clock, "real")
        monitor = None if self._quiet else await open_monitor(self._settings, self._clock)
        speaker: Speaker = Both(memory, monitor) if monitor else memory
        with self._console.status("preparing the person's voice …"):
            voices = await asyncio.to_thread(lambda: [person(line.say, mumble=line.mumble) for line in script])
        try:
            async with assemble(self._settings, self._clock, speaker=speaker, keep=False) as parts:
                self._header(parts, audible=monitor is not None)
                conversation = Conversation(parts, microphone, self._note)
                listening = asyncio.create_task(conversation.run())
                try:
                    await self._clock.sleep(0.5)
                    wrong = await self._converse(
                        script,
                        voices,
                        parts=parts,
                        conversation=conversation,
                        microphone=microphone,
                        monitor=monitor,
                    )
                finally:
                    microphone.close()
                    await listening
                if self._out:
                    write_wav(self._out, mix(microphone, voices, memory), SAMPLE_RATE)
        finally:
            if monitor:
                await monitor.close()
        return self._footer(len(script), wrong)

    async def _converse(
        self,
        script: Sequence[Line],
        voices: Sequence[Pcm],
        *,
        parts: Parts,
        conversation: Conversation,
        microphone: ScriptedMicrophone,
        monitor: Speaker | None,
    ) -> int:
        """Say the lines, each at its moment; how many did not go as scripted."""
        wrong, before = 0, Said(0, script[0], range(0))
        for number, (line, voice) in enumerate(zip(script, voices, strict=True), 1):
            following = script[number] if number < len(script) else None
            await self._until_due(line, parts, conversation)
            first = conversation.turns + 1
            microphone.speak(voice)
            listening_along = asyncio.create_task(monitor.play(voice, SAMPLE_RATE)) if monitor else None
            await self._clock.sleep(len(voice) / SAMPLE_RATE)
            if listening_along:
                await listening_along
            broken_into = following is not None and following.after is not None
            await self._until_over(line, first, broken_into, parts, conversation)
            said = Said(number, line, range(first, conversation.turns + 1))
            if line.after is not None:
                # The line it broke into has only now ended.
                wrong += self._show(before) + self._show(said, before)
            elif not broken_into:
                wrong += self._show(said)
            before = said
        return wrong

    def _note(self, record: TurnRecord) -> None:
        self._records[record.turn] = record

    def _of(self, said: Said) -> list[TurnRecord]:
        return [self._records[n] for n in said.turns if n in self._records]

    async def _until_due(self, line: Line, parts: Parts, conversation: Conversation) -> None:
        if line.after is None:
            await self._wait(lambda: conversation.idle)
            await self._clock.sleep(BETWEEN_S)
        else:
            await self._wait(lambda: parts.dispatcher.running is not None)
            await self._clock.sleep(line.after)

    async def _until_over(
        self, line: Line, first: int, broken_into: bool, parts: Parts, conversation: Conversation
    ) -> None:
        """Wait until the line's turns are over, or, when the next line breaks into them, until the robot moves."""
        if broken_into:
            await self._wait(lambda: parts.dispatcher.running is not None)
            return
        if line.dropped:  # perhaps not even an utterance: give it the time to become one
            await self._clock.sleep(longest_wait_ms(self._settings) / 1000.0 + BETWEEN_S)
        else:
            await self._wait(lambda: conversation.turns >= first)
        await self._wait(lambda: conversation.idle)

    async def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = self._clock.now() + LONGEST_TURN_S
        while not condition() and self._clock.now() < deadline:
            await self._clock.sleep(0.02)

    def _header(self, parts: Parts, *, audible: bool) -> None:
        written = f"; both sides are written to {self._out}" if self._out else ""
        sound = "you should hear it" if audible else "no sound device here"
        self._console.print(
            f"[bold]claudiad demo[/] in real time: speech → {parts.ears.main.name} model → {parts.robot.name} robot\n"
            f"{sound}{written}. Times count from the moment the person stopped speaking.\n"
        )

    def _show(self, said: Said, before: Said | None = None) -> int:
        """Print one line and its turns; 1 when something did not go as scripted."""
        records = self._of(said)
        shown = "(mumbles)" if said.line.mumble else f"「{said.line.say}」"
        self._console.print(f"[bold cyan]{said.number:2d}[/] person  {shown}")
        for record in records:
            self._console.print(timeline(record))
        found = faults(said.line, records, self._of(before) if before else ())
        for fault in found:
            self._console.print(f"   [bold red]✗ {fault}[/]")
        if not found:
            self._console.print("   [green]✓ as scripted[/]")
        return int(bool(found))

    def _footer(self, lines: int, wrong: int) -> int:
        times = [record.timings_ms for record in self._records.values()]
        moves = [t["speech_end_to_dispatch"] for t in times if "speech_end_to_dispatch" in t]
        heard = [t["stt"] for t in times if "stt" in t]
        if moves and heard:
            self._console.print(
                f"\nend of speech → robot: median {np.median(moves):.0f} ms, nearly all of it the silence that tells "
                f"the end of a sentence from a pause; recognition, within it: median {np.median(heard):.0f} ms"
            )
        verdict = "[bold green]all as scripted[/]" if not wrong else f"[bold red]{wrong} not as scripted[/]"
        self._console.print(f"{lines} lines, {len(self._records)} turns: {verdict}")
        return int(bool(wrong))


def timeline(record: TurnRecord) -> str:
    """What was heard and done, and when, in two lines."""
    t = record.timings_ms
    marks = [f"{t['endpoint']:.0f} ms end of utterance"] if "endpoint" in t else []
    if "stt" in t:
        marks.append(f"+{t['stt']:.0f} recognised")
    if record.dropped is None:
        marks.append(f"+{t['decide']:.1f} decided")
    for stage, name in (("dispatch", "robot"), ("first_audio", "voice")):
        if f"speech_end_to_{stage}" in t:
            marks.append(f"{t[f'speech_end_to_{stage}']:.0f} ms {name}")
    times = f"   [dim]{' · '.join(marks)}[/]"
    if record.dropped:
        return f"   dropped: {record.dropped}\n{times}"
    done = [s.title + ("" if s.outcome == "done" else f" ({s.outcome})") for s in record.steps]
    done += [f"refused: {r.title}" for r in record.refused]
    said = f" · says 「{record.spoken}」" if record.spoken else ""
    return f"   heard 「{record.transcript}」 → {record.route} → {', '.join(done) or 'an answer'}{said}\n{times}"
