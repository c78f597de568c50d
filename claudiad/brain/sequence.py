"""One command or several: a key cut into known steps, connectives and politeness, with nothing left over.

立って|て…から|挨拶, 一メートル前に進んで|から|座って, 三回|挨拶して, 座る|前に|挨拶して, 座ら|ないで|立って. Everything must
be known: one unknown piece and the whole utterance means nothing, so nothing moves. What may stand between steps
without being one of these is the caller's to say (`Gaps`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from claudiad.brain import numerals
from claudiad.brain.conjugate import Form, changing, closing, doing, words
from claudiad.brain.kana import lengthens, shorten
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.motion import Motions
from claudiad.brain.normalise import Edges
from claudiad.brain.phrases import Phrase, Phrases
from claudiad.types import Action

MAX_STEPS = 6
"""Longest sequence; three times one thing are three steps."""

_COUNT = r"(?:カイ|ベン|ペン|ヘン)(?:ホド|グライ|クライ|ダケ|ズツ)?"
_TIMES = re.compile(rf"(?P<n>{numerals.NUMBER}){_COUNT}")
_TIMES_BEHIND = re.compile(rf"[オモ]?(?P<n>{numerals.NUMBER}){_COUNT}")
_MODE = re.compile(r"(?:モオド|ノホオ)?[ニデエ]")
_COULD = re.compile(r"[オガモ]?(?:(?:デキタ|デキマシタ|デキルンダ)(?=ネ|ジャン|ナ|ヤン|ノオ|ワネ)|デキテ(?:エラ|スゴ|イイコ|ジョオズ|カシコ|オリコオ).*)")
_AGAIN = re.compile(rf"(?:ッテ)?(?:ノ|トユウノ)?オ?(?P<n>{numerals.NUMBER}){_COUNT}(?=ク|ヤ|シ|オ|$)")
_REPEATED = ("クリカエシテ", "ヤッテ", "シテ")
_OBJECT = re.compile(
    r"(?:オ|バ|モ|ワ|ガ|ダケ|デモ|ノホオ|ノホオオ)?(?:ツズケテ|イッショニ|モオイチド|モオイッカイ|ジュンバンニ|ヒトツ|チョット|イチド)?"
)
_PARTICLE = re.compile(r"(?:オ|バ|モ|ワ|ダケ|デモ)?(?:モオイチド|モオイッカイ|チョット|スコシ|モット|モオスコシ)?")
_RATHER = re.compile(r"(?:ミギ|ヒダリ|マエ|ウシロ)(?:ジャナクテ|ジャナク|デワナクテ|デワナク|ヤナクテ|ジャナイ|チガウ)")

_ANEW = re.compile(r"モオ(?:イッカイ|イチド|イッペン)|モッカイ|マタ")
_INSTEAD = re.compile(r"ナクテ|ナク$|チガ|チャウ|ヤッパ|ナイッテ|ノオテ|チゴオテ|マチガ|イヤ")
_LATER, _REPEAT, _WIDE = 2, 9, 8
"""Ranks: 後で踊って, which alone is not now; and the mark that everything before it is to be done again."""

_MODES = frozenset(
    ("SpeedLevel", "StaticWalk", "TrotRun", "EconomicGait", "FreeWalk", "ClassicWalk", "CrossStep", "FreeAvoid", "Pose")
)
"""What a robot can be switched to, and walk in."""
_OFTEN = frozenset(("Hello", "move"))
"""What is meant to be done again when it is named again: お手、おかわり."""

Gaps = Callable[[int], tuple[int, ...]]
"""Position in the key → where a harmless insertion that begins there may end (ばあばに|手を振って)."""


def no_gaps(_position: int) -> tuple[int, ...]:
    """Nothing but what the tables know may stand in a key."""
    return ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, perhaps several times; or one not to do."""

    actions: tuple[Action, ...]
    phrase: Phrase | None
    """The line of the table, or None for a motion with numbers."""
    times: int = 1
    forbidden: bool = False
    at: int = 0
    """Where in the key it begins, fillers included."""
    anew: bool = False
    """もう一回 stood before it: not the same thing said twice."""
    rank: int = 0
    """-1: to be done before what was said earlier; 1 and more: after everything else."""

    @property
    def joins(self) -> bool:
        """True when it can be one of several: greetings, praise and answers are utterances of their own."""
        return self.phrase is None or self.phrase.kind == "action"


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
        self._phrases = phrases.lexicon
        self._objects = phrases.objects
        self._motions = motions
        self._edges = edges
        self._move_id = move_id
        self._do = Lexicon((w.key, w.form, w.surface) for w in doing())
        self._into = Lexicon((w.key, w.form, w.surface) for w in changing())
        self._close = Lexicon((w.key, w.form, w.surface) for w in closing())
        self._halt = Lexicon((w.key, w.form, w.surface) for t in ("止まって", "待って", "ストップ", "停止") for w in words(t))
        praise = [p for _, p in self._phrases.find("ヨクデキマシタ")]
        self._praise = Step(praise[0].actions, praise[0]) if praise else None

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
        chain = _scoped(key, chain, bounds)
        if chain[-1].forbidden:  # 立って踊らないで: what is not to be done is all of it
            return Parsed((), tuple(replace(s, forbidden=True) for s in chain), not perhaps)
        wanted = _ordered(once([s for s in chain if not s.forbidden]))
        if wanted is None:
            return None
        parsed = Parsed(wanted, tuple(s for s in chain if s.forbidden), not perhaps)
        return parsed if sum(s.times * max(1, len(s.actions)) for s in wanted) <= MAX_STEPS else "too long"

    def only_asks(self, key: str) -> bool:
        """True for やって, やってみて, してください and such: a request for what was named before."""
        for start in self._edges.starts(key):
            for end, form, _ in self._do.at(key, start):
                if form == "te" and self._edges.ends("te", key[_past_repetition(key, start, end) :]):
                    return True
        return False

    def _from(self, search: _Search, pos: int, depth: int) -> _Chain | None:
        key = search.key
        # Twice the limit is still parsed, so that the person can be told that it is too much.
        if pos in search.dead or pos >= len(key) or depth > 2 * MAX_STEPS:
            return None
        for start in self._starts(search, pos):
            rank = self._rank(key[pos:start], depth)
            for end, form, bare in self._steps(key, start):
                step = replace(bare, at=pos, rank=rank, anew=bool(_ANEW.search(key[pos:start])))
                if (not depth or step.joins) and self._ends(form, key[end:], depth, search.perhaps):
                    return (step,)
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
        return form == "dict" and depth > 0 and rest in ("", "ヨ", "ネ", "ノ")  # 立って回って座る

    def _has_ending(self, form: Form, key: str, end: int) -> bool:
        """True when politeness of two kana or more, or a negation, follows: 寝|なさい, 寝|ないで."""
        rest = key[end:]
        return (len(rest) > 1 and self._edges.ends(form, rest)) or any(
            True for _ in self._edges.negated(form, key, end)
        )

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
        if any(self._halts(key, at) for at in following_at):
            return (step,)  # 四歩進んだら止まって: it does so anyway
        if form in ("noun", "stem", "ta") and end in search.bounds:
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
                return _count(m)
        return _count(m) if self._edges.ends("noun", rest) else 0

    def _steps(self, key: str, pos: int) -> Iterator[tuple[int, Form, Step]]:
        for end, form, phrase in self._phrases.at(key, pos):
            if end - pos < 3 and len(shorten(key[pos:end])) < 2:
                if end - pos > 1 or not self._has_ending(form, key, end):
                    continue  # 寝 is one kana, and so are many other things
            end = _past_repetition(key, pos, end)
            step = Step(phrase.actions, phrase)
            yield end, form, step
            if form == "noun" and phrase.kind == "action":
                yield from self._done(key, end, step)
                yield from self._into_it(key, end, step)
                yield from self._praised(key, end)
                for more in ("ノホオ", "ノヤツ"):
                    if key.startswith(more, end):
                        yield end + len(more), "noun", step
                if (times := _TIMES_BEHIND.match(key, end)) and (n := _count(times)):
                    yield times.end(), "noun", replace(step, times=n)
                    yield from self._done(key, times.end(), replace(step, times=n))
            elif form == "dict":
                yield from self._shown(key, end, step)
                yield from self._so_that(key, end, step)
        yield from self._parted(key, pos)
        if key.startswith("オ", pos):
            for end, form, phrase in self._phrases.at(key, pos + 1):
                if form == "stem":
                    yield end, "ostem", Step(phrase.actions, phrase)
        if times := _TIMES.match(key, pos):
            n = _count(times)
            for end, form, step in self._steps(key, times.end()) if n else ():
                if step.joins and step.times == 1:
                    yield end, form, replace(step, times=n)
        if self._move_id is not None:
            for end, form, params in self._motions.at(key, pos):
                yield end, form, Step((Action("move", self._move_id, params),), None)

    def _parted(self, key: str, pos: int) -> Iterator[tuple[int, Form, Step]]:
        """手|振って, 手|だけ|振って, お尻|を二回|振って: what is between object and verb of one phrase."""
        for end, _, verbs in self._objects.at(key, pos):
            particle = _PARTICLE.match(key, end)
            at = particle.end() if particle else end
            times = _TIMES.match(key, at)
            n = _count(times) if times else 1
            if n and key.startswith("オ", at):
                for done, form, phrase in verbs.at(key, at + 1):
                    if form == "stem":
                        yield done, "ostem", Step(phrase.actions, phrase)
            for done, form, phrase in verbs.at(key, times.end() if times else at) if n else ():
                done = _past_repetition(key, times.end() if times else at, done)
                step = Step(phrase.actions, phrase, n)
                yield done, form, step
                if form == "dict":
                    yield from self._shown(key, done, step)

    def _done(self, key: str, end: int, step: Step) -> Iterator[tuple[int, Form, Step]]:
        """ダンス|を|して, ダンス|も見せて: a noun and what is done with it."""
        if not (between := _OBJECT.match(key, end)):
            return
        for at in dict.fromkeys((between.end(), end + 1 if key.startswith("オ", end) else end, end)):
            for done, form, _ in self._do.at(key, at):
                yield done, form, step
            yield from _honoured(self._do, key, at, step)

    def _into_it(self, key: str, end: int, step: Step) -> Iterator[tuple[int, Form, Step]]:
        """小走り|モードに切り替えて, 省エネ|で歩いて; and of any noun ポーズ|で決めて."""
        if (between := _MODE.match(key, end)) and step.actions and step.actions[0].name in _MODES:
            for done, form, _ in self._into.at(key, between.end()):
                yield done, form, step
            yield from _honoured(self._into, key, between.end(), step)
        if key.startswith("デ", end):
            for done, form, _ in self._close.at(key, end + 1):
                yield done, form, step

    def _praised(self, key: str, end: int) -> Iterator[tuple[int, Form, Step]]:
        """お座り|できたね: no command but praise."""
        if self._praise is not None and (could := _COULD.match(key, end)):
            yield could.end(), "said", self._praise

    def _so_that(self, key: str, end: int, step: Step) -> Iterator[tuple[int, Form, Step]]:
        """障害物をよけて歩く|ようにして."""
        if key.startswith("ヨオニ", end):
            for done, form, _ in self._into.at(key, end + 3):
                yield done, form, step

    def _shown(self, key: str, end: int, step: Step) -> Iterator[tuple[int, Form, Step]]:
        """踊る|ところを|見せて."""
        for between in self._edges.show:
            if between and key.startswith(between, end):
                for done, form, shown in self._do.at(key, end + len(between)):
                    if shown.startswith("見せ"):
                        yield done, form, step


def _honoured(verbs: Lexicon[str], key: str, at: int, step: Step) -> Iterator[tuple[int, Form, Step]]:
    """お見せ|ください, お戻し|ください."""
    if key.startswith("オ", at):
        for end, form, _ in verbs.at(key, at + 1):
            if form == "stem":
                yield end, "ostem", step


def _scoped(key: str, chain: _Chain, bounds: tuple[int, ...]) -> _Chain:
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
    return one.phrase.text == other.phrase.text or not all(x.name in _OFTEN for x in one.actions)


def _ordered(steps: list[Step]) -> _Chain | None:
    """Steps in the order in which they are to be done; None for 後で踊って, which is not now."""
    if len(steps) == 1 and steps[0].rank == _LATER:
        return None
    if steps and steps[-1].rank == _REPEAT:
        steps = steps[:-1] * steps[-1].times
    if any(step.rank == _REPEAT for step in steps):
        return None
    return tuple(sorted(steps, key=lambda s: s.rank))


def _past_repetition(key: str, start: int, end: int) -> int:
    """Behind the same once more: すわって|すわって is one step, as it is one wish."""
    said = key[start:end]
    while len(said) > 1 and key.startswith(said, end):
        end += len(said)
        while end < len(key) and lengthens(key[end - 1], key[end]):
            end += 1
    return end


def _count(times: re.Match[str]) -> int:
    n = numerals.value(times["n"])
    return int(n) if n is not None and n == int(n) and 0 < n <= 100 else 0
