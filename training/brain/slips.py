"""Slips of one's own making, in the likeness of those that were heard.

Every kind of near miss has to be counted often enough, and some are rare in an hour of speech. What the recogniser
really did (アルイテ → アイテ: ル left out) becomes a table of confusions, and readings get faults drawn from it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from claudiad.brain.kana import fold

MOST_FAULTS = 3
"""More, and what was heard is rather another sentence than a slip."""
TRIES = 20
"""How often a fault is drawn anew that finds nothing to spoil."""


@dataclass(frozen=True, slots=True)
class Confusions:
    """How often which kana became which; one of the two is empty where a kana was lost, or came from nowhere."""

    pairs: tuple[tuple[str, str], ...]
    counts: tuple[int, ...]
    faults: tuple[int, ...]
    """How often one, two, … of them came together."""


def learn(heard: Iterable[tuple[str, str]]) -> Confusions:
    """From (reading, what was recognised); no pairs when there is no slip among them."""
    pairs: Counter[tuple[str, str]] = Counter()
    together: Counter[int] = Counter()
    for reading, kana in heard:
        said, got = fold(reading), fold(kana)
        faults = list(Levenshtein.editops(said, got))
        if 1 <= len(faults) <= MOST_FAULTS:
            together[len(faults)] += 1
            for f in faults:
                was = "" if f.tag == "insert" else said[f.src_pos]
                pairs[was, "" if f.tag == "delete" else got[f.dest_pos]] += 1
    common = sorted(pairs)
    return Confusions(
        tuple(common), tuple(pairs[p] for p in common), tuple(together[n] for n in range(1, MOST_FAULTS + 1))
    )


def slip(reading: str, confusions: Confusions, rng: random.Random) -> str:
    """A reading with one to `MOST_FAULTS` faults; unchanged when none of those drawn fits it. There must be pairs."""
    said = fold(reading)
    for _ in range(rng.choices(range(1, MOST_FAULTS + 1), confusions.faults)[0]):
        for _ in range(TRIES):
            was, becomes = rng.choices(confusions.pairs, confusions.counts)[0]
            # Where a kana came from nowhere it may stand anywhere, at both ends too.
            places = [i for i in range(len(said) + (not was)) if said.startswith(was, i)]
            if places:
                at = rng.choice(places)
                said = said[:at] + becomes + said[at + len(was) :]
                break
    return said
