"""Does anything that is no command move the robot? Noise, music-like sound and other people's sentences.

    python -m bench.false_motion --rohan rohan4600_transcript_utf8.txt --minutes 30

A third of the time each: coloured noise with swells, chords, and the ROHAN sentences the model was never
trained on (the last 600), spoken by every voice there is here at random rates and pitches, each over noise.
Everything goes through the real endpointer, recogniser, vocabulary threshold and router. Prints what was cut
out, dropped, answered, stopped and moved, and exits 1 if anything moved.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claudiad.audio.endpoint import Endpointer, UtteranceCommitted
from claudiad.audio.frames import split
from claudiad.config import Settings
from claudiad.stt.load import EMBEDDED
from claudiad.types import SAMPLE_RATE
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


def count(stream: Iterator[Pcm], judge: evaluate.Judge, show: bool) -> dict[str, float]:
    """Feed one stream through endpointing, recognition and decision."""
    endpointer = Endpointer(Settings().endpoint)
    result = dict.fromkeys(("minutes", "utterances", "dropped", "answered", "stopped", "moved"), 0.0)
    for piece in stream:
        result["minutes"] += len(piece) / SAMPLE_RATE / 60
        for frame in split(piece):
            for event in endpointer.push(frame):
                if isinstance(event, UtteranceCommitted):
                    text, oov, actions = judge(event.utterance.pcm)
                    stop = actions == ["stop"]
                    kind = (
                        "stopped"
                        if stop
                        else "moved"
                        if actions
                        else "dropped"
                        if not text or oov > judge.threshold
                        else "answered"
                    )
                    result["utterances"] += 1
                    result[kind] += 1
                    if show and actions:
                        print(f"{kind}: {text} {actions} oov {oov:.2f}", file=sys.stderr)
    result["minutes"] = round(result["minutes"], 1)
    return result


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", type=Path, default=EMBEDDED)
    a.add_argument("--rohan", type=Path, help="rohan4600_transcript_utf8.txt; without it only noise and music")
    a.add_argument("--minutes", type=float, default=30.0)
    a.add_argument("--workers", type=int, default=2)
    o = a.parse_args()
    judge = evaluate.Judge(o.model)
    third = o.minutes / 3
    streams = {"noise": artificial("noise", third, 1), "music": artificial("music", third, 2)}
    if o.rohan:
        streams["people"] = people(o.rohan, third, o.workers)
    table = {name: count(stream, judge, show=True) for name, stream in streams.items()}
    print(json.dumps(table, indent=1))
    sys.exit(1 if any(row["moved"] for row in table.values()) else 0)


if __name__ == "__main__":
    main()
