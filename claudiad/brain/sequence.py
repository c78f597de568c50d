"""One command or several: a key cut into known steps, connectives and politeness, with nothing left over.

立って|て…から|挨拶, 一メートル前に進んで|から|座って, 三回|挨拶して, 座る|前に|挨拶して. Everything must be known:
one unknown piece and the whole utterance means nothing, so nothing moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from claudiad.brain import numerals
from claudiad.brain.conjugate import Form
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.motion import Motions
from claudiad.brain.normalise import Edges
from claudiad.brain.phrases import Phrase
from claudiad.types import Action

MAX_STEPS = 6
"""Longest sequence; three times one thing are three steps."""

_TIMES = re.compile(rf"(?P<n>{numerals.NUMBER})カイ(?:ホド|グライ|クライ|ダケ|ズツ)?")
_TIMES_BEHIND = re.compile(rf"[オモ]?(?P<n>{numerals.NUMBER})カイ(?:ホド|グライ|クライ|ダケ)?")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, perhaps several times."""

    actions: tuple[Action, ...]
    phrase: Phrase | None
    """The line of the table, or None for a motion with numbers."""
    times: int = 1

    @property
    def joins(self) -> bool:
        """True when it can be one of several: greetings, praise and answers are utterances of their own."""
        return self.phrase is None or self.phrase.kind == "action"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A whole utterance understood."""

    steps: tuple[Step, ...]

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions in the order in which they are to be done."""
        return tuple(a for step in self.steps for a in step.actions * step.times)


TooLong = Literal["too long"]


class Grammar:
    """Cuts keys into steps. Immutable."""

    def __init__(self, phrases: Lexicon[Phrase], motions: Motions, edges: Edges, move_id: int | None) -> None:
        self._phrases = phrases
        self._motions = motions
        self._edges = edges
        self._move_id = move_id

    def parse(self, key: str) -> Parsed | TooLong | None:
        """The steps in a key; None when any part of it is unknown; `too long` beyond `MAX_STEPS`."""
        steps = self._from(key, 0, 0, set())
        if steps is None:
            return None
        parsed = Parsed(steps)
        return parsed if sum(s.times * max(1, len(s.actions)) for s in steps) <= MAX_STEPS else "too long"

    def _from(self, key: str, pos: int, depth: int, dead: set[int]) -> tuple[Step, ...] | None:
        # Twice the limit is still parsed, so that the person can be told that it is too much.
        if pos in dead or pos >= len(key) or depth > 2 * MAX_STEPS:
            return None
        for start in self._edges.starts(key, pos):
            for end, form, step in self._steps(key, start):
                if (not depth or step.joins) and self._edges.ends(form, key[end:]):
                    return (step,)
                if not step.joins:
                    continue
                for following in self._edges.after(form, key, end):
                    rest = self._from(key, following, depth + 1, dead)
                    if rest is not None:
                        return (*rest, step) if form == "dict" else (step, *rest)
        dead.add(pos)
        return None

    def _steps(self, key: str, pos: int) -> Iterator[tuple[int, Form, Step]]:
        for end, form, phrase in self._phrases.at(key, pos):
            step = Step(phrase.actions, phrase)
            yield end, form, step
            yield from self._times_behind(key, end, form, step)
        if key.startswith("オ", pos):
            for end, form, phrase in self._phrases.at(key, pos + 1):
                if form == "stem":
                    yield end, "ostem", Step(phrase.actions, phrase)
        if times := _TIMES.match(key, pos):
            n = _count(times)
            for end, form, phrase in self._phrases.at(key, times.end()) if n else ():
                step = Step(phrase.actions, phrase, n)
                if step.joins:
                    yield end, form, step
        if self._move_id is not None:
            for end, form, params in self._motions.at(key, pos):
                yield end, form, Step((Action("move", self._move_id, params),), None)

    def _times_behind(self, key: str, end: int, form: Form, step: Step) -> Iterator[tuple[int, Form, Step]]:
        """挨拶を三回(して), ダンス二回: the count behind a noun."""
        if form != "noun" or not (times := _TIMES_BEHIND.match(key, end)) or not (n := _count(times)):
            return
        counted = Step(step.actions, step.phrase, n)
        yield times.end(), "noun", counted
        for sound in ("シテ", "ヤッテ"):
            if key.startswith(sound, times.end()):
                yield times.end() + len(sound), "te", counted


def _count(times: re.Match[str]) -> int:
    n = numerals.value(times["n"])
    return int(n) if n is not None and n == int(n) and 0 < n <= 100 else 0
