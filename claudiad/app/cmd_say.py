"""`claudiad say`: purity, then voice."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from claudiad.app import options
from claudiad.app.settings_sources import show
from claudiad.audio.build import speaker_for
from claudiad.audio.speaker import Speaker
from claudiad.audio.virtual import MemorySpeaker
from claudiad.audio.wav import write_wav
from claudiad.clock import JumpClock, SystemClock
from claudiad.errors import DataError
from claudiad.tts.engines import open_voice
from claudiad.tts.mouth import Mouth
from claudiad.types import SAMPLE_RATE

if TYPE_CHECKING:
    from argparse import _SubParsersAction

NOTHING_TO_SAY = 65
NO_SPEAKER = 69


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("say", help="speak a text, or write it to a file")
    p.add_argument("text", nargs="+", metavar="TEXT")
    p.add_argument("--out", type=Path, metavar="WAV", help="write 16 kHz mono speech there instead of playing it")
    options.add_config(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = options.settings_of(args)
    clock = JumpClock() if args.out else SystemClock()
    memory = MemorySpeaker(clock, "fast")

    async def speak() -> int:
        speaker: Speaker = memory if args.out else speaker_for(settings.audio, clock)
        mouth = Mouth(await asyncio.to_thread(open_voice, settings.tts), speaker, clock, volume=settings.tts.volume)
        try:
            await speaker.open()
            spoken = await mouth.say(" ".join(args.text))
        finally:
            await mouth.close()
            await speaker.close()
        if not spoken.spoken:
            why = "nothing of it can be spoken as Japanese" if not spoken.planned else "the voice failed, see above"
            print(f"claudiad say: {why}", file=sys.stderr)
            return NOTHING_TO_SAY
        if not args.out and spoken.first_audio_at is None:
            return _unheard(settings.audio.speaker)
        if args.out:
            try:
                write_wav(args.out, memory.everything(), SAMPLE_RATE)
            except OSError as fault:
                raise DataError(f"{args.out}: cannot be written: {fault.strerror}") from fault
            print(f"{args.out}: {len(memory.everything()) / SAMPLE_RATE:.1f} s", file=sys.stderr)
        return 0

    return asyncio.run(speak())


def _unheard(speaker: str) -> int:
    """Nothing sounded. Where the settings want it so, that is what was asked for."""
    if speaker == "none":
        print('claudiad say: not a sound, as audio.speaker = "none" wants it', file=sys.stderr)
        return 0
    print(
        f"claudiad say: no speaker took it (audio.speaker = {show(speaker)}), see above: name one that is there, or "
        "write it with --out FILE.wav",
        file=sys.stderr,
    )
    return NO_SPEAKER
