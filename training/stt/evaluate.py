"""How well does an exported model understand speakers and phrasings it never trained on?

    python -m training.stt.evaluate --model claudiad/data/stt --each 3

Speaks every line of heldout.tsv (none is in the training texts) `--each` times per voice with seeds of its
own: rates 0.85-1.2, ±4 half-tones, three vocal-tract lengths, noise at 18-35 dB. Then the real recogniser
and the real router: right action for commands, exact reading for sequences and numbers, any motion for the
traps. Figures go to standard output as JSON; `--show` lists every miss.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.stt import corpus, texts, voices

RATES = (0.85, 0.95, 1.0, 1.1, 1.2)
ALL_PASS = (0.51, 0.55, 0.59)
STRANGERS = 40
"""Speakers of the voice `stranger`: random speaker transforms with seeds no corpus has."""


@dataclass(frozen=True)
class Item:
    kind: str
    text: str
    expected: str
    voice: str
    seed: int


def pronounce(item: Item) -> tuple[Item, str, NDArray[np.int16]]:
    """Speak one item as its seed says: (item, reading, int16 at 16 kHz)."""
    rng = random.Random(item.seed)
    reading, labels = corpus.front_end(item.text)
    known = {"mei": corpus.MEI, "nitech": corpus.NITECH}
    if item.voice == "stranger":
        path = Path(tempfile.gettempdir()) / f"stranger-{item.seed % STRANGERS}.htsvoice"
        if not path.exists():
            made = path.with_suffix(f".{os.getpid()}")
            base = list(known.values())[item.seed % 2]
            voices.transform_voice(base, made, seed=1_000_000 + item.seed % STRANGERS)
            made.replace(path)
    else:
        path = known[item.voice]
    manner = voices.Manner(
        (path,), (1.0,), rng.choice(RATES), rng.uniform(-4, 4), rng.choice(ALL_PASS), 0.5, 1.0, 1.0, 0.0
    )
    speech = voices.speak_hts(labels, manner)
    noise_rng = np.random.default_rng(item.seed)
    speech = np.concatenate([np.zeros(4800, np.float32), speech, np.zeros(4800, np.float32)])
    power = float(np.sqrt(np.mean(np.square(speech))))
    noise = noise_rng.standard_normal(len(speech)) * power * 10 ** (-rng.uniform(18, 35) / 20)
    mixed = speech + noise
    mixed = mixed / np.abs(mixed).max() * rng.uniform(0.15, 0.9)
    return item, reading, (mixed * 32767).astype(np.int16)


def items(each: int, families: list[str], kinds: set[str] | None) -> list[Item]:
    rows = [r for r in corpus.heldout() if kinds is None or r[0] in kinds]
    return [
        Item(k, t, e, v, 7_000_003 + 1009 * i + 31 * j + 7 * len(v))
        for v in families
        for i, (k, t, e) in enumerate(rows)
        for j in range(each)
    ]


def false_motion_items(rohan: Path, count: int, families: list[str]) -> list[Item]:
    pieces = texts.rohan_pieces(texts.rohan_sentences(rohan)[corpus.ROHAN_TRAIN :])
    rng = random.Random(5)
    return [Item("rohan", rng.choice(pieces), "-", rng.choice(families), 9_000_000 + i) for i in range(count)]


class Judge:
    """The shipped recogniser and router around one model folder."""

    def __init__(self, model: Path) -> None:
        from claudiad.app.parts import brain_tables
        from claudiad.brain.router import Router
        from claudiad.config import Settings, SttSettings
        from claudiad.robot.registry import load
        from claudiad.stt.embedded import EmbeddedRecogniser
        from claudiad.types import Posture, RobotState

        settings = Settings(stt=SttSettings(model=str(model)))
        self.threshold = settings.stt.oov_threshold
        self.recogniser = EmbeddedRecogniser(settings.stt, str(model))
        self.router = Router(brain_tables(settings, load()))
        self.state = RobotState(Posture.STANDING, 100)

    def __call__(self, pcm: NDArray[np.int16]) -> tuple[str, float, list[str]]:
        heard = self.recogniser.recognise(pcm)
        if heard.dropped or heard.oov > self.threshold:
            return heard.text, heard.oov, []
        return heard.text, heard.oov, [a.name for a in self.router.decide(heard.text, self.state).actions]


def judge(model: Path, spoken: list[tuple[Item, str, NDArray[np.int16]]], show: bool) -> dict[str, Any]:
    from claudiad.brain.reading import reading as fold

    decide = Judge(model)
    table: dict[str, dict[str, int]] = {}
    for item, reading, pcm in spoken:
        text, oov, actions = decide(pcm)
        row = table.setdefault(
            f"{item.kind}/{item.voice}", dict.fromkeys(("n", "exact", "right", "wrong", "moved", "oov"), 0)
        )
        want = [] if item.expected in {"-", "*"} else item.expected.split()
        exact, right = fold(text) == fold(reading), actions == want
        moved = bool(actions) and item.expected == "-"
        wrong = bool(actions) and not right and item.expected != "*"
        for name, value in (
            ("n", 1),
            ("exact", exact),
            ("right", right),
            ("wrong", wrong),
            ("moved", moved),
            ("oov", oov > decide.threshold),
        ):
            row[name] += int(value)
        if show and (not (exact if item.expected == "*" else right)):
            print(f"{item.kind} {item.voice} {item.text} {reading} -> {text} {actions} oov {oov:.2f}", file=sys.stderr)
    return table


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", type=Path, required=True)
    a.add_argument("--each", type=int, default=3)
    a.add_argument("--voices", default="mei,nitech", help="mei, nitech, stranger (speakers made at random)")
    a.add_argument("--kinds")
    a.add_argument("--rohan", type=Path, help="also false motion on the ROHAN sentences never trained on")
    a.add_argument("--rohan-count", type=int, default=400)
    a.add_argument("--workers", type=int, default=2)
    a.add_argument("--show", action="store_true")
    o = a.parse_args()
    families = o.voices.split(",")
    work = items(o.each, families, set(o.kinds.split(",")) if o.kinds else None)
    if o.rohan:
        work += false_motion_items(o.rohan, o.rohan_count, families)
    with ProcessPoolExecutor(o.workers) as pool:
        spoken = list(pool.map(pronounce, work, chunksize=8))
    print(json.dumps(judge(o.model, spoken, o.show), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
