"""One command or several: a key cut into known steps, connectives and politeness, with nothing left over.

立って|から|挨拶, 一メートル前に進んで|から|座って, 三回|挨拶して, 座る|前に|挨拶して, 座ら|ないで|立って. Everything
must be known: one unknown piece and the whole utterance means nothing, so nothing moves. What may stand between steps
without being one of these is the caller's to say (`Gaps`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from claudiad.brain import numerals
from claudiad.brain.conjugate import Form, words
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.motion import Motions
from claudiad.brain.normalise import Edges
from claudiad.brain.phrases import Phrases
from claudiad.brain.steps import COUNT, Step, Steps, count
from claudiad.types import Action

MAX_STEPS = 6
"""Longest sequence; three times one thing are three steps."""

_AGAIN = re.compile(rf"(?:ッテ)?(?:ノ|トユウノ)?オ?(?P<n>{numerals.NUMBER}){COUNT}(?=ク|ヤ|シ|オ|$)")
_REPEATED = ("クリカエシテ", "ヤッテ", "シテ")
_RATHER = re.compile(r"(?:ミギ|ヒダリ|マエ|ウシロ)(?:ジャナクテ|ジャナク|デワナクテ|デワナク|ヤナクテ|ジャナイ|チガウ)")

_ANEW = re.compile(r"モオ(?:イッカイ|イチド|イッペン)|モッカイ|マタ|ニモ")
_INSTEAD = re.compile(r"ナクテ|ナク$|チガ|チャウ|ヤッパ|ナイッテ|ノオテ|チゴオテ|マチガ|イヤ")
_LATER, _REPEAT, _WIDE = 2, 9, 8
"""Ranks: 後で踊って, which alone is not now; and the mark that everything before it is to be done again."""

_SOUND_WORD = re.compile(r"[ぁ-んー]{1,5}[んりっ]$")
_OFTEN = re.compile(r"お手|おかわり|握手|タッチ")
"""What is meant to be done again when it is named again: お手、おかわり; not 手を振ってバイバイして."""

Gaps = Callable[[int], tuple[int, ...]]
"""Position in the key → where a harmless insertion that begins there may end (ばあばに|手を振って)."""


def no_gaps(_position: int) -> tuple[int, ...]:
    """Nothing but what the tables know may stand in a key."""
    return ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A whole utterance understood."""

    steps: tuple[Step, ...]
    """What is to be done, in order."""
    forbidden: tuple[Step, ...] = ()
    """What was forbidden or taken back."""
    sure: bool = True
    """False for a wish or a question: what was meant is to be asked back."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions in the order in which they are to be done."""
        return tuple(a for step in self.steps for a in step.actions * step.times)


TooLong = Literal["too long"]
_Chain = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Search:
    """What stays the same while one key is cut."""

    key: str
    bounds: frozenset[int]
    gaps: Gaps
    perhaps: bool
    dead: set[int]


class Grammar:
    """Cuts keys into steps. Immutable."""

    def __init__(self, phrases: Phrases, motions: Motions, edges: Edges, move_id: int | None) -> None:
        self._edges = edges
        self._steps = Steps(phrases, motions, edges, move_id)
        halts = ("止まって", "待って", "ストップ", "停止")
        self._halt = Lexicon((w.key, w.form, w.surface) for text in halts for w in words(text))

    def parse(
        self, key: str, bounds: tuple[int, ...] = (), gaps: Gaps = no_gaps, *, perhaps: bool = False
    ) -> Parsed | TooLong | None:
        """The steps in a key; None when any part of it is unknown; `too long` beyond `MAX_STEPS`.

        Args: `bounds` are places where punctuation stood: nouns may follow one another there (お座り、お手);
        `gaps` see `Gaps`; `perhaps` takes wishes and questions for what they are about (`Parsed.sure` is then False).
        """
        chain = self._from(_Search(key, frozenset(bounds), gaps, perhaps, set()), 0, 0)
        if chain is None:
            return None
        chain = _scoped(chain, bounds)
        if chain[-1].forbidden:  # 立って踊らないで: what is not to be done is all of it
            return Parsed((), tuple(replace(s, forbidden=True) for s in chain), not perhaps)
        wanted = _ordered(once([s for s in chain if not s.forbidden]))
        if wanted is None:
            return None
        parsed = Parsed(wanted, tuple(s for s in chain if s.forbidden), not perhaps)
        return parsed if sum(s.times * max(1, len(s.actions)) for s in wanted) <= MAX_STEPS else "too long"

    def only_asks(self, key: str) -> bool:
        """See `Steps.only_asks`."""
        return self._steps.only_asks(key)

    def _from(self, search: _Search, pos: int, depth: int) -> _Chain | None:
        key = search.key
        # Twice the limit is still parsed, so that the person can be told that it is too much.
        if pos in search.dead or pos >= len(key) or depth > 2 * MAX_STEPS:
            return None
        for start in self._starts(search, pos):
            rank = self._rank(key[pos:start], depth)
            for end, form, bare in self._steps.at(key, start):
                step = bare.placed(pos, rank, anew=start > pos and bool(_ANEW.search(key[pos:start])))
                if (not depth or step.joins) and self._ends(form, key[end:], depth, search.perhaps):
                    return (replace(step, bare=True),) if form == "noun" and end == len(key) else (step,)
                if step.joins and (chain := self._go_on(search, step, form, end, depth)) is not None:
                    return chain
        search.dead.add(pos)
        return None

    def _starts(self, search: _Search, pos: int) -> Iterator[int]:
        """Behind fillers, names, 右じゃなくて and, where the caller allows it, an insertion between them."""
        seen: set[int] = set()
        for start in self._edges.starts(search.key, pos):
            if start not in seen:
                seen.add(start)
                yield start
        ways = [start for start in seen if start < len(search.key)]
        for start in sorted(ways):
            if rather := _RATHER.match(search.key, start):
                yield from (at for at in self._edges.starts(search.key, rather.end()) if at not in seen)
            for end in search.gaps(start):
                for at in self._edges.starts(search.key, end):
                    if at not in seen:
                        seen.add(at)
                        yield at

    def _rank(self, front: str, depth: int) -> int:
        for late in self._edges.late:
            if late in front:
                return _LATER if late.startswith("アト") else 1
        return -1 if depth and any(early in front for early in self._edges.early) else 0

    def _ends(self, form: Form, rest: str, depth: int, perhaps: bool) -> bool:
        if self._edges.ends(form, rest, perhaps=perhaps):
            return True
        return form == "dict" and depth > 1 and not rest  # 立って回って座る

    def _go_on(self, search: _Search, step: Step, form: Form, end: int, depth: int) -> _Chain | None:
        key = search.key
        for stop in self._edges.negated(form, key, end):
            no = replace(step, forbidden=True, rank=_WIDE if _INSTEAD.search(key[end:stop]) else 0)
            if self._edges.ends_after_negation(key[stop:]):
                return (no,)
            for following in (stop, stop + 2) if key.startswith("カラ", stop) else (stop,):
                rest = self._from(search, following, depth + 1)
                if rest is not None:
                    return (no, *rest)
        if form == "te" and (n := self._repeated(key, end)):
            return (step, Step((), None, n, rank=_REPEAT))
        following_at = list(self._edges.after(form, key, end))
        if form == "noun" and step.phrase is not None and _SOUND_WORD.match(step.phrase.text):
            following_at = [at for at in following_at if key[end:at] != "ト"]  # くるんと|宙返り is one thing
        if any(self._halts(key, at) for at in following_at):
            return (step,)  # 四歩進んだら止まって: it does so anyway
        if form == "noun" and end in search.bounds:
            following_at.append(end)  # お座り、お手: where a comma stood, no connective is needed
        for following in following_at:
            rest = self._from(search, following, depth + 1)
            if rest is not None:
                reverse = form == "dict" or (form == "noun" and "ノマエ" in key[end:following])
                return (*rest, step) if reverse else (step, *rest)
        return None

    def _halts(self, key: str, pos: int) -> bool:
        """The rest is nothing but 止まって, 待って, ストップ."""
        return any(
            self._edges.ends(form, key[end:])
            for start in self._edges.starts(key, pos)
            for end, form, _ in self._halt.at(key, start)
            if form in ("te", "imp", "noun")
        )

    def _repeated(self, key: str, end: int) -> int:
        """立って座って|を二回繰り返して: how often everything so far is to be done, else 0."""
        m = _AGAIN.match(key, end)
        if not m:
            return 0
        rest = key[m.end() :]
        for done in _REPEATED:
            if rest.startswith(done) and self._edges.ends("te", rest[len(done) :]):
                return count(m)
        return count(m) if self._edges.ends("noun", rest) else 0


def _scoped(chain: _Chain, bounds: tuple[int, ...]) -> _Chain:
    """What a correction takes back: all of 伸びしてから踊るんじゃなくて, and a thing that was asked for before."""
    out = list(chain)
    for i, step in enumerate(chain):
        if not step.forbidden:
            continue
        for j in range(i - 1, -1, -1):
            apart = any(chain[j].at < b <= chain[j + 1].at for b in bounds)
            if step.rank == _WIDE and apart:
                break
            if step.rank == _WIDE or out[j].actions == step.actions:
                out[j] = replace(out[j], forbidden=True)
    return tuple(out)


def once(steps: list[Step]) -> list[Step]:
    """Without what was only said again in other words: 背伸び、伸びをして; 横になって休んで; ぴょんとジャンプして."""
    out: list[Step] = []
    for step in steps:
        if out and not step.anew and _same(out[-1], step):
            continue
        if out and [a.name for a in (*out[-1].actions, *step.actions)] == ["BalanceStand", "StandUp"]:
            continue  # バランスを取って立って is one thing
        out.append(step)
    return out


def _same(one: Step, other: Step) -> bool:
    if one.phrase is None or other.phrase is None or one.actions != other.actions or (one.times, other.times) != (1, 1):
        return False
    return one.phrase.text == other.phrase.text or not (_OFTEN.search(one.phrase.text + other.phrase.text))


def _ordered(steps: list[Step]) -> _Chain | None:
    """Steps in the order in which they are to be done; None for 後で踊って, which is not now."""
    if steps and steps[0].rank == _LATER and not any(step.rank < 0 for step in steps):
        return None
    if steps and steps[-1].rank == _REPEAT:
        steps = steps[:-1] * steps[-1].times
    if any(step.rank == _REPEAT for step in steps):
        return None
    return tuple(sorted(steps, key=lambda s: s.rank))
