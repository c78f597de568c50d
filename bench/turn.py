"""The whole loop with audio at the speed of sound: how long from the end of speech to the action and to the answer?

    python -m bench.loop [--turns 200]

What is real: microphone frames every 20 ms, endpointing, recognition, decision, safety, dispatcher, stop lane, the
simulator and the voice. What is cut short: once the first command has reached the robot and the answer has begun to
sound, nothing that is measured is left, so motion and answer are ended by a stop and the next sentence begins. The
robot is thereby standing at the start of every turn.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from time import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.loop_report import LEDGER_MS, Measured, Turns, show
from bench.report import machine, title
from bench.sentences import Sentence, sentences, speak, voice_end
from bench.window import compare
from claudiad.app.conversation import Conversation
from claudiad.app.ears import Ears
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts, assemble
from claudiad.audio.scripted import ScriptedMicrophone
from claudiad.audio.virtual import MemorySpeaker
from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.robot.sim import SimRobot
from claudiad.robot.simulator import Call
from claudiad.stt.base import Recogniser
from claudiad.stt.engines import open_recogniser
from claudiad.types import SAMPLE_RATE, Action, Pcm, Transcript

ROOM_DBFS = -62.0
LONGEST_S = 4.0
"""A turn that has not acted and answered by then does neither."""
BEFORE_STOP_S = 0.5
"""Into the dance, when the stop is said."""


class Keeping:
    """A recogniser that remembers what it was given."""

    def __init__(self, inner: Recogniser) -> None:
        self.name = inner.name
        self.heard: list[Pcm] = []
        self._inner = inner

    def recognise(self, pcm: Pcm) -> Transcript:
        """See `Recogniser.recognise`."""
        self.heard.append(pcm)
        return self._inner.recognise(pcm)


class Loop:
    """The conversation under measurement, sentence after sentence."""

    def __init__(self, parts: Parts, robot: SimRobot, speaker: MemorySpeaker) -> None:
        self.microphone = ScriptedMicrophone(parts.clock, "real", noise_dbfs=ROOM_DBFS)
        self.conversation = Conversation(parts, self.microphone, self._note)
        self._parts = parts
        self._robot = robot
        self._speaker = speaker
        self._records: dict[int, TurnRecord] = {}

    async def turn(self, sentence: Sentence, pcm: Pcm) -> Measured:
        """Say one sentence; ends when it was acted on and answered, or `LONGEST_S` later."""
        dancing = asyncio.create_task(self._dance()) if sentence.stop else None
        if dancing:
            await self._parts.clock.sleep(BEFORE_STOP_S)
        first = self.conversation.turns + 1
        calls, sounds = len(self._robot.calls), len(self._speaker.played)
        piece = self.microphone.speak(pcm)
        await self._parts.clock.sleep(len(pcm) / SAMPLE_RATE)
        await self._until(
            lambda: (len(self._robot.calls) > calls and len(self._speaker.played) > sounds) or first in self._records
        )
        reached = self._robot.calls[calls:]
        self._parts.mouth.cancel()
        if self._parts.dispatcher.running is not None:
            await self._parts.dispatcher.stop(reason="all that is measured has happened")
        await self._until(lambda: self.conversation.idle)
        if dancing:
            await dancing
        records = [self._records[n] for n in range(first, self.conversation.turns + 1) if n in self._records]
        voice_at = self.microphone.time_of(piece.start_sample + voice_end(pcm))
        return measured(sentence, records, reached[0] if reached else None, voice_at, self._parts)

    async def _dance(self) -> None:
        """Straight to the dispatcher: what is measured is the stop that ends it."""
        dance = self._parts.registry["Dance1"]
        await self._parts.dispatcher.run([Action(dance.name, dance.api_id)])

    async def _until(self, condition: Callable[[], bool]) -> None:
        deadline = self._parts.clock.now() + LONGEST_S
        while not condition() and self._parts.clock.now() < deadline:
            await self._parts.clock.sleep(0.01)

    def _note(self, record: TurnRecord) -> None:
        self._records[record.turn] = record


def measured(
    sentence: Sentence, records: list[TurnRecord], reached: Call | None, voice_at: float, parts: Parts
) -> Measured:
    """One turn as figures. `reached` is the first call in the simulator's log, `voice_at` the true end of the voice."""
    done = tuple(s.action.name for r in records for s in r.steps if not s.action.inserted)
    turn = records[0] if records else None
    timings = turn.timings_ms if turn else {}
    robot = ledger_apart = None
    if turn and reached:
        # The log's own wall time of the end of speech, brought back to the clock the simulator logs by.
        speech_end_at = datetime.fromisoformat(turn.started).timestamp() - (time() - parts.clock.now())
        robot = (reached.t - speech_end_at) * 1000.0
        if "speech_end_to_dispatch" in timings and not sentence.stop:
            ledger_apart = robot - timings["speech_end_to_dispatch"]
    return Measured(
        text=sentence.text,
        half_tones=sentence.half_tones,
        speed=sentence.speed,
        stop=sentence.stop,
        heard=" ".join(r.transcript for r in records),
        dropped=turn.dropped if turn else "nothing heard",
        right=done == sentence.actions,
        wrong=done != sentence.actions[: len(done)],
        endpoint=timings.get("endpoint"),
        stt=timings.get("stt"),
        decide=timings.get("decide"),
        robot=robot,
        processing=None if robot is None or sentence.stop else robot - parts.settings.endpoint.hangover_ms,
        robot_after_voice=(reached.t - voice_at) * 1000.0 if reached else None,
        ledger_apart=ledger_apart,
        first_audio=timings.get("speech_end_to_first_audio"),
    )


async def measure(settings: Settings, turns: int, console: Console) -> Turns:
    """Synthesise, converse, compare the windows."""
    said = list(islice(sentences(), turns))
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    with bar:
        voices = [await asyncio.to_thread(speak, s) for s in bar.track(said, description="preparing the speech …")]
        clock = SystemClock()
        keeping = Keeping(await asyncio.to_thread(open_recogniser, settings.stt, settings.stt.model))
        ears, robot, speaker = Ears(keeping), SimRobot(clock), MemorySpeaker(clock, "real")
        await ears.warm()
        keeping.heard.clear()
        results = []
        try:
            async with assemble(settings, clock, robot=robot, speaker=speaker, ears=ears, keep=False) as parts:
                loop = Loop(parts, robot, speaker)
                listening = asyncio.create_task(loop.conversation.run())
                await clock.sleep(1.0)  # the room's noise floor
                for sentence, pcm in zip(
                    bar.track(said, description="conversing, at the speed of sound …"), voices, strict=True
                ):
                    results.append(await loop.turn(sentence, pcm))
                loop.microphone.close()
                await listening
        finally:
            await ears.close()
        windows = await asyncio.to_thread(compare, settings.stt, keeping.heard, bar)
    return Turns(tuple(results), windows)


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--turns", type=int, default=200, help="sentences to say (default 200: about nine minutes)")
    turns = max(1, p.parse_args().turns)
    logging.basicConfig(level=logging.ERROR)
    console, where, settings = Console(highlight=False), machine(), Settings()
    title(console, f"bench-loop: {turns} spoken turns, embedded set", where)
    result = asyncio.run(measure(settings, turns, console))
    agreed = show(console, result, settings, where)
    if not agreed:
        console.print(f"[bold red]the ledger and the simulator's log are more than {LEDGER_MS:g} ms apart[/]")
    return 0 if agreed else 1


if __name__ == "__main__":
    raise SystemExit(main())
