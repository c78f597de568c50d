"""`claudiad hear`: the whole loop on recordings."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claudiad.app import options
from claudiad.app.conversation import Conversation
from claudiad.app.ears import Ears
from claudiad.app.ledger import TurnRecord, canonical_line
from claudiad.app.output import recording_json
from claudiad.app.parts import assemble
from claudiad.audio.microphone import CaptureStats, Microphone
from claudiad.audio.recorded import WavMicrophone
from claudiad.audio.virtual import MemorySpeaker
from claudiad.brain.patience import longest_wait_ms
from claudiad.clock import Clock, SystemClock, TailClock
from claudiad.config import Settings
from claudiad.errors import DataError
from claudiad.types import Frame

if TYPE_CHECKING:
    from argparse import _SubParsersAction

TAIL_MS = 200
"""Silence after a recording on top of the longest wait, so that its last utterance ends by endpointing."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("hear", help="run the whole loop on recordings")
    p.add_argument("wav", nargs="+", metavar="WAV", type=Path, help="PCM WAV files, any rate and channel count")
    p.add_argument(
        "--pace", choices=("real", "fast"), default="fast", help="real: at the speed of sound (default: fast)"
    )
    options.add_config(p)
    options.add_robot(p)
    p.set_defaults(run=run)


class Ending:
    """A microphone that lets a `TailClock` go when the recording is over: what is left needs no waiting."""

    def __init__(self, inner: Microphone, clock: TailClock) -> None:
        self._inner = inner
        self._clock = clock

    @property
    def stats(self) -> CaptureStats:
        return self._inner.stats

    async def frames(self) -> AsyncGenerator[Frame, None]:
        async for frame in self._inner.frames():
            yield frame
        self._clock.release()


async def listen(wav: Path, settings: Settings, args: argparse.Namespace, ears: Ears) -> list[TurnRecord]:
    """All turns in one recording, from a fresh start. Raises DataError for a file that is no recording."""
    real = args.pace == "real"
    tail = longest_wait_ms(settings) + TAIL_MS
    clock: Clock = TailClock() if real else SystemClock()
    body: Clock = clock if real else options.clock_of(args)
    microphone: Microphone = WavMicrophone(wav, args.pace, clock, tail_silence_ms=tail)
    if isinstance(clock, TailClock):
        microphone = Ending(microphone, clock)
    records: list[TurnRecord] = []
    robot = options.robot_of(args, body, settings)
    speaker = MemorySpeaker(clock, args.pace)  # a sound needs no time when the audio needs none
    async with assemble(settings, clock, robot=robot, speaker=speaker, ears=ears, keep=False, body_clock=body) as parts:
        await Conversation(parts, microphone, records.append, patient=not real).run()
    return sorted(records, key=lambda r: r.turn)


def run(args: argparse.Namespace) -> int:
    settings = options.settings_of(args)

    async def all_files() -> int:
        status = 0
        ears = await asyncio.to_thread(Ears.open, settings.stt)
        try:
            await ears.warm()
            for wav in args.wav:
                try:
                    records = await listen(wav, settings, args, ears)
                except DataError as fault:
                    status = fault.exit_status
                    _print(str(wav), [], args, error=str(fault))
                    continue
                _print(str(wav), records, args)
        finally:
            await ears.close()
        return status

    return asyncio.run(all_files())


def _print(name: str, records: list[TurnRecord], args: argparse.Namespace, error: str | None = None) -> None:
    if args.json:
        out: dict[str, Any] = recording_json(name, records)
        if error is not None:
            out |= {"dropped": "unreadable", "error": error}
        print(json.dumps(out, ensure_ascii=False), flush=True)
    elif error is not None:
        print(error, flush=True)
    else:
        for record in records:
            print(canonical_line(record), flush=True)
        if not records:
            print(f"{name}: nothing heard", flush=True)
