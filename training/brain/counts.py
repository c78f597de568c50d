"""From transcripts to counts: what the router would have guessed, and what that is worth."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from claudiad.brain.near import Confidences, Guess, Near
from claudiad.brain.router import Router, Tables
from claudiad.types import Posture, RobotState
from training.brain.said import TALK, Saying, Source

OTHERS_PER_SLIP = 3.0
"""How many pieces of talk that ask for nothing are taken to reach the tables for each command with a slip. README."""

Kind = tuple[str, str, int]
"""What a line of `nearness.tsv` begins with: difference, frame, class of length."""

Outcome = Literal["understood", "unknown", "asked at most", "guess"]
"""understood: by an exact rule, rightly or not; asked at most: a guess the router would never act on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One transcript, and what came of it."""

    saying: Saying
    kana: str
    passes: bool
    """The vocabulary score let it through."""
    outcome: Outcome
    kind: Kind | None
    guessed: str
    """The phrase, or empty."""
    right: bool
    """The guess, or the rule, does what was to be done."""
    made: bool = False
    """Not heard: made by `slips`."""


class _Overheard:
    """Passes questions on to the index of near misses, and remembers that it was asked, and the answer."""

    def __init__(self, near: Near) -> None:
        self._near = near
        self.forget()

    def forget(self) -> None:
        self.asked, self.guess = False, cast("Guess | None", None)

    def find(self, key: str) -> Guess | None:
        self.asked = True
        self.guess = self._near.find(key)
        return self.guess


class _Believing(Mapping[Kind, float]):
    """A table that is sure of every kind, and remembers which one it was asked about: the brain says what kinds are."""

    def __init__(self) -> None:
        self.kind: Kind | None = None

    def __getitem__(self, kind: Kind) -> float:
        self.kind = kind
        return 1.0

    def __iter__(self) -> Iterator[Kind]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Judge:
    """The shipped router, made to believe every guess."""

    def __init__(self, tables: Tables) -> None:
        self._overheard = _Overheard(tables.near)
        self._table = _Believing()
        self._router = Router(replace(tables, near=cast("Near", self._overheard), confidences=self._table))
        self._state = RobotState(Posture.STANDING, 100)

    def understands(self, saying: Saying, kana: str) -> bool:
        """True when an exact rule makes of `kana` what was to be done."""
        trial = self.judge(saying, kana, passes=True)
        return trial.outcome == "understood" and trial.right

    def judge(self, saying: Saying, kana: str, *, passes: bool, made: bool = False) -> Trial:
        """What comes of `kana` where `saying` was said."""
        self._overheard.forget()
        self._table.kind = None
        decision = self._router.decide(kana, self._state)
        guess, kind = self._overheard.guess, self._table.kind
        if not self._overheard.asked:
            right = decision.actions == saying.actions
            return Trial(saying, kana, passes, "understood", None, "", right, made)
        if guess is None or kind is None:
            return Trial(saying, kana, passes, "unknown", None, "", False, made)
        right = guess.phrase.actions == saying.actions
        outcome: Outcome = "guess" if decision.actions else "asked at most"
        return Trial(saying, kana, passes, outcome, kind, guess.phrase.text, right, made)


@dataclass(slots=True)
class Tally:
    """Guesses of one kind."""

    right: int = 0
    wrong: int = 0
    made_right: int = 0
    made_wrong: int = 0
    talk: Counter[Source] = field(default_factory=Counter)

    @property
    def slips(self) -> int:
        return self.right + self.wrong

    def others(self, weights: Mapping[Source, float]) -> float:
        """Guesses in talk, weighed: as many as come with the slips that were heard."""
        return sum(n * weights[source] for source, n in self.talk.items())

    def row(self, weights: Mapping[Source, float]) -> tuple[int, int]:
        """Right and wrong as the table has them. Made slips make more of the kind, of its share of talk as well."""
        more = (self.slips + self.made_right + self.made_wrong) / self.slips if self.slips else 1.0
        return self.right + self.made_right, self.wrong + self.made_wrong + math.ceil(
            self.others(weights) * more - 1e-9
        )


def tally(trials: Iterable[Trial]) -> dict[Kind, Tally]:
    """Guesses by kind, sorted."""
    out: dict[Kind, Tally] = {}
    for t in trials:
        if t.outcome != "guess" or t.kind is None:
            continue
        mine = out.setdefault(t.kind, Tally())
        if t.saying.source != "command":
            mine.talk[t.saying.source] += 1
        elif t.made:
            mine.made_right, mine.made_wrong = mine.made_right + t.right, mine.made_wrong + (not t.right)
        else:
            mine.right, mine.wrong = mine.right + t.right, mine.wrong + (not t.right)
    return dict(sorted(out.items()))


def slipped(trials: Iterable[Trial]) -> list[Trial]:
    """Commands that were heard and not understood by an exact rule."""
    return [t for t in trials if t.saying.source == "command" and not t.made and t.outcome != "understood"]


def weigh(trials: Sequence[Trial]) -> dict[Source, float]:
    """What one guess in talk weighs against one in a slip, so that `OTHERS_PER_SLIP` holds.

    The sources of talk stand for equal parts of it, however many pieces there are of each.
    """
    reached = Counter(t.saying.source for t in trials if t.outcome != "understood")
    there = [source for source in TALK if reached[source]]
    others = OTHERS_PER_SLIP * len(slipped(trials))
    return {source: others / len(there) / reached[source] for source in there}


def confidences(tallies: Mapping[Kind, Tally], weights: Mapping[Source, float]) -> Confidences:
    """As `claudiad.brain.near.load_confidences` reads them from the table that will be written."""
    rows = {kind: t.row(weights) for kind, t in tallies.items()}
    return {kind: (right + 1) / (right + wrong + 2) for kind, (right, wrong) in rows.items()}


def first_half(saying: Saying, seed: int) -> bool:
    """True for one half of the sentences, drawn by the seed; those made from the same line stay together."""
    return hashlib.sha256(f"{seed} {saying.about}".encode()).digest()[0] % 2 == 0
