"""Does anything that is no command move the robot? Noise, music-like sound, and other people's conversation.

    python -m bench.false_motion --rohan rohan4600_transcript_utf8.txt --minutes 30

A third of the time each: coloured noise with swells, chords, and people who talk with each other: the ROHAN sentences
the model was never trained on (the last 600), spoken by every voice there is here at random rates and pitches over
noise, one answering the other after 0.1 to 1.5 s, sometimes before the other has ended. Everything goes through the
daemon's own conversation (endpointing, early decisions, recogniser, vocabulary threshold, router, simulated robot), as
fast as it goes: the audio waits for recognition. Prints what was dropped, answered, stopped and moved, and exits 1 if
anything moved.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claudiad.app.conversation import Conversation
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import assemble
from claudiad.audio.frames import FrameCutter
from claudiad.audio.microphone import CaptureStats
from claudiad.audio.virtual import MemorySpeaker
from claudiad.clock import Clock, JumpClock, SystemClock
from claudiad.config import Settings
from claudiad.robot.sim import SimRobot
from claudiad.stt.load import EMBEDDED
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame
from training.stt import augment, corpus, evaluate, texts

Pcm = NDArray[np.int16]


def artificial(kind: str, minutes: float, seed: int) -> Iterator[Pcm]:
    """Pieces of noise or music of 2-8 s with pauses, at levels a robot would really hear."""
    rng = np.random.default_rng(seed)
    samples = 0
    while samples < minutes * 60 * SAMPLE_RATE:
        n = int(rng.uniform(2, 8) * SAMPLE_RATE)
        x = augment.noise(rng, n) if kind == "noise" else augment.music(rng, n)
        level = 10 ** (rng.uniform(-45, -8) / 20)
        piece = np.concatenate(
            [x / (np.abs(x).max() + 1e-9) * level, np.zeros(int(rng.uniform(0.2, 1.0) * SAMPLE_RATE))]
        )
        samples += len(piece)
        yield (piece * 32767).astype(np.int16)


def people(rohan: Path, minutes: float, workers: int) -> Iterator[Pcm]:
    """Sentences spoken by everybody, none of them to the robot."""
    families = ["mei", "nitech"] if corpus.NITECH.exists() else ["mei"]
    sentences = texts.rohan_sentences(rohan)[corpus.ROHAN_TRAIN :]
    work = [evaluate.Item("rohan", t, "-", families[i % len(families)], 8_000_000 + i) for i, t in enumerate(sentences)]
    samples = 0
    with ProcessPoolExecutor(workers) as pool:
        for begin in range(0, len(work), 16):
            for _, _, pcm in pool.map(evaluate.pronounce, work[begin : begin + 16]):
                samples += len(pcm)
                yield pcm
            print(f"{samples / SAMPLE_RATE / 60:.1f} of {minutes:.1f} minutes of speech", file=sys.stderr, flush=True)
            if samples > minutes * 60 * SAMPLE_RATE:
                return


def talk(pieces: Iterable[Pcm], seed: int) -> Iterator[Pcm]:
    """The sentences as a conversation: each begins 0.1 to 1.5 s behind the one before, every sixth before its end."""
    rng = np.random.default_rng(seed)
    tail = np.zeros(0, np.int16)
    for number, piece in enumerate(pieces):
        if number % 6 == 5:
            overlap = min(len(tail), len(piece), int(rng.uniform(0.2, 0.6) * SAMPLE_RATE))
            mixed = tail[len(tail) - overlap :].astype(np.int32) + piece[:overlap]
            yield tail[: len(tail) - overlap]
            tail = np.concatenate([np.clip(mixed, -32768, 32767).astype(np.int16), piece[overlap:]])
        else:
            yield tail
            room = rng.normal(0.0, 20.0, int(rng.uniform(0.1, 1.5) * SAMPLE_RATE)).astype(np.int16)
            tail = np.concatenate([room, piece])
    yield tail


class Pieces:
    """A microphone that hears one piece of sound after the other, as fast as it is listened to."""

    def __init__(self, pieces: Iterable[Pcm], clock: Clock) -> None:
        self._pieces = pieces
        self._clock = clock
        self.samples = 0
        self.stats = CaptureStats(device="pieces", rate=SAMPLE_RATE, channels=1)

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """See `Microphone`."""
        cutter = FrameCutter()
        for piece in self._pieces:
            for pcm in cutter.push(piece):
                await asyncio.sleep(0)
                yield Frame(pcm, self.samples, self._clock.now())
                self.samples += FRAME_SAMPLES


async def count(pieces: Iterable[Pcm], settings: Settings, *, show: bool) -> dict[str, float]:
    """Let the conversation hear one stream to its end."""
    clock = SystemClock()
    microphone = Pieces(pieces, clock)
    result = dict.fromkeys(("minutes", "utterances", "dropped", "answered", "stopped", "moved"), 0.0)

    def note(record: TurnRecord) -> None:
        names = [step.action.name for step in record.steps]
        kind = "moved" if set(names) - {"stop"} else "stopped" if names else "dropped" if record.dropped else "answered"
        result["utterances"] += record.utterances
        result[kind] += 1
        if show and names:
            print(f"{kind}: {record.reading} {names} oov {record.oov:.2f}", file=sys.stderr)

    body = JumpClock()
    speaker = MemorySpeaker(clock, "fast")
    async with assemble(settings, clock, robot=SimRobot(body), speaker=speaker, keep=False, body_clock=body) as parts:
        await Conversation(parts, microphone, note, patient=True).run()
    result["minutes"] = round(microphone.samples / SAMPLE_RATE / 60, 1)
    return result


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", type=Path, default=EMBEDDED)
    a.add_argument("--rohan", type=Path, help="rohan4600_transcript_utf8.txt; without it only noise and music")
    a.add_argument("--minutes", type=float, default=30.0)
    a.add_argument("--workers", type=int, default=2)
    o = a.parse_args()
    base = Settings().without_models()
    settings = base.model_copy(update={"stt": base.stt.model_copy(update={"model": str(o.model)})})
    third = o.minutes / 3
    streams = {"noise": artificial("noise", third, 1), "music": artificial("music", third, 2)}
    if o.rohan:
        streams["people"] = talk(people(o.rohan, third, o.workers), 3)
    table = {name: asyncio.run(count(stream, settings, show=True)) for name, stream in streams.items()}
    print(json.dumps(table, indent=1))
    sys.exit(1 if any(row["moved"] for row in table.values()) else 0)


if __name__ == "__main__":
    main()
