"""Whose turn is it, and how soon? Spoken turns at the speed of sound, through the daemon's own conversation.

    python -m bench.turn [--turns 200] [--variants 40] [--stops 60] [--paused 200]

What is real: microphone frames every 20 ms, endpointing, early recognition, decision, safety, dispatcher, stop lane,
stop listener, the simulator and the voice. Four parts, one after the other: commands and stops with the settings as
they ship; the same commands with adaptive endpointing and speculation switched off; stop words while the robot moves,
drawn out, repeated, in a sentence, over motor noise; and sentences with pauses of 300 to 800 ms inside them.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.paused import Paused, paused
from bench.paused import speak as speak_paused
from bench.report import machine, title
from bench.sentences import Sentence, sentences, speak, voice_end, voice_start
from bench.stage import Heard, Stage, motors, stage
from bench.turn_report import Command, PausedTurn, Results, Stop, show
from claudiad.app.ears import Ears
from claudiad.config import Settings
from claudiad.types import SAMPLE_RATE, Pcm

INTO_DANCE_S = 0.5
STOPS: tuple[tuple[str, str, float], ...] = (
    ("plain", "止まって", 1.0),
    ("plain", "ストップ", 1.0),
    ("plain", "やめて", 1.0),
    ("plain", "止まれ", 1.0),
    ("drawn out", "とまれーーーーーーーー", 1.0),
    ("drawn out", "とまってーーーーーーーー", 1.0),
    ("drawn out", "やめてーーーーーーーー", 1.0),
    ("repeated", "ストップストップストップ", 1.1),
    ("repeated", "止まって止まって止まって", 1.1),
    ("in a sentence", "ねえちょっと止まってよ", 1.0),
    ("in a sentence", "危ないから止まって", 1.0),
    ("in a sentence", "お願いだからやめて", 1.0),
)
"""Kind, words, speed of speech."""
MOTORS_EVERY = 3
"""Every third stop is said over the noise of motors."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to configure turn-taking."""

    name: str
    adaptive: bool
    speculate: bool

    @property
    def settings(self) -> Settings:
        """The defaults, but for this."""
        base = Settings().without_models().model_dump()
        base["audio"]["echo_cancellation"] = False
        base["turn"] |= {"adaptive": self.adaptive, "speculate": self.speculate}
        return Settings.model_validate(base)


SHIPPED = Variant("as shipped", adaptive=True, speculate=True)
VARIANTS = (
    SHIPPED,
    Variant("no speculation", adaptive=True, speculate=False),
    Variant("not adaptive", adaptive=False, speculate=True),
    Variant("neither", adaptive=False, speculate=False),
)


def stop_sentences() -> Iterator[tuple[str, Sentence, bool]]:
    """Kind, sentence, whether motors are to be heard; without end, in changing pitches."""
    number = 0
    while True:
        kind, text, speed = STOPS[number % len(STOPS)]
        pitch = (0.0, 3.0, -3.0, 1.5, -1.5)[number % 5]
        yield kind, Sentence(text, ("stop",), pitch, speed, stop=True), number % MOTORS_EVERY == 0
        number += 1


async def one_command(it: Stage, sentence: Sentence, pcm: Pcm, variant: Variant) -> Command:
    """A command from rest, or the stop of a dance."""
    heard = await (it.during("Dance1", pcm, INTO_DANCE_S) if sentence.stop else it.command(pcm))
    turn = heard.records[0] if heard.records else None
    times = turn.timings_ms if turn else {}
    done = tuple(s.action.name for r in heard.records for s in r.steps if not s.action.inserted)
    at = next((t for name, t in heard.calls if name == "stop" or not sentence.stop), None)
    voice_at = it.microphone.time_of(heard.piece.start_sample + voice_end(pcm))
    return Command(
        variant=variant.name,
        text=sentence.text,
        stop=sentence.stop,
        heard=" / ".join(r.transcript for r in heard.records),
        dropped=turn.dropped if turn else "nothing heard",
        right=done == sentence.actions,
        wrong=done != sentence.actions[: len(done)],
        endpoint=times.get("endpoint"),
        stt=times.get("stt"),
        lead=times.get("speculation_lead"),
        waste=times.get("speculation_waste", 0.0),
        dispatch=times.get("speech_end_to_dispatch"),
        first_audio=times.get("speech_end_to_first_audio"),
        robot_after_voice=None if at is None else (at - voice_at) * 1000.0,
    )


async def one_stop(it: Stage, kind: str, sentence: Sentence, pcm: Pcm, *, noisy: bool) -> Stop:
    """A stop word during a dance, timed by the simulator's log against the clean recording."""
    noise = motors(len(pcm) / SAMPLE_RATE + 1.0) if noisy else None
    heard = await it.during("Dance1", pcm, INTO_DANCE_S, noise)
    at = next((t for name, t in heard.calls if name == "stop"), None)

    def since(sample: int) -> float | None:
        return None if at is None else (at - it.microphone.time_of(heard.piece.start_sample + sample)) * 1000.0

    begin, end = voice_start(pcm), voice_end(pcm)
    return Stop(
        kind, sentence.text, noisy, (end - begin) * 1000.0 / SAMPLE_RATE, since(begin), since(end),
        " / ".join(r.transcript for r in heard.records),
    )  # fmt: skip


async def one_paused(it: Stage, said: Paused, pcm: Pcm) -> PausedTurn:
    """A sentence with pauses in it: one turn, and the right actions?"""
    heard: Heard = await it.whole(pcm)
    spoken = [r for r in heard.records if r.dropped is None]
    steps = [s for r in spoken for s in r.steps if not s.action.inserted]
    done = tuple(s.action.name for s in steps if s.action.name != "stop")
    revoked = any(s.action.name == "stop" for s in steps)
    right = done == said.actions or (revoked and done == (*said.may_begin, *said.actions))
    return PausedTurn(said.pieces, said.pauses_ms, said.actions, done, len(spoken), right,
                      " / ".join(r.transcript for r in heard.records))  # fmt: skip


async def measure(args: argparse.Namespace, bar: Progress) -> Results:
    """Everything, part after part, on one set of ears."""
    said = list(islice(sentences(), args.turns))
    voices = [await asyncio.to_thread(speak, s) for s in bar.track(said, description="preparing the speech …")]
    stops = list(islice(stop_sentences(), args.stops))
    cries = [await asyncio.to_thread(speak, s) for _, s, _ in stops]
    pauses = list(islice(paused(), args.paused))
    slow = [await asyncio.to_thread(speak_paused, p) for p in bar.track(pauses, description="and with pauses …")]
    ears = await asyncio.to_thread(Ears.open, Settings().stt)
    await ears.warm()
    commands: list[Command] = []
    stopped: list[Stop] = []
    joined: list[PausedTurn] = []
    try:
        for variant in VARIANTS:
            count = args.turns if variant is SHIPPED else min(args.turns, args.variants)
            async with stage(variant.settings, ears) as it:
                for s, pcm in bar.track(list(zip(said, voices, strict=True))[:count], description=variant.name):
                    commands.append(await one_command(it, s, pcm, variant))
                if variant is not SHIPPED:
                    continue
                for (kind, s, noisy), pcm in bar.track(list(zip(stops, cries, strict=True)), description="stops"):
                    stopped.append(await one_stop(it, kind, s, pcm, noisy=noisy))
                for p, pcm in bar.track(list(zip(pauses, slow, strict=True)), description="pauses inside"):
                    joined.append(await one_paused(it, p, pcm))
    finally:
        await ears.close()
    return Results(tuple(commands), tuple(stopped), tuple(joined))


def main(arguments: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--turns", type=int, default=200, help="commands as shipped (default 200)")
    p.add_argument("--variants", type=int, default=40, help="of them, with each of the other settings (default 40)")
    p.add_argument("--stops", type=int, default=60, help="stop words during a dance (default 60)")
    p.add_argument("--paused", type=int, default=200, help="sentences with pauses inside (default 200)")
    args = p.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)
    console, where = Console(highlight=False), machine()
    title(console, "bench-turn: whose turn it is, embedded set", where)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    with bar:
        results = asyncio.run(measure(args, bar))
    return show(console, results, where)


if __name__ == "__main__":
    raise SystemExit(main())
