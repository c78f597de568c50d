"""What can begin at a place in a key: one phrase, a motion, a noun and what is done with it, with its count.

Everything here yields (end, form, step): where it ends, what form that leaves behind, and so which politeness,
connective or negation may follow. `sequence.Grammar` puts steps together.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from claudiad.brain import numerals
from claudiad.brain.conjugate import Form, changing, closing, doing
from claudiad.brain.kana import lengthens, shorten
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.motion import Motions
from claudiad.brain.normalise import Edges
from claudiad.brain.phrases import Phrase, Phrases
from claudiad.types import Action

COUNT = r"(?:カイ|ベン|ペン|ヘン)(?:ホド|グライ|クライ|ダケ|ズツ)?"
"""Regular expression for 回 and its like behind a number."""

_TIMES = re.compile(rf"(?P<n>{numerals.NUMBER}){COUNT}")
_TIMES_BEHIND = re.compile(rf"[オモ]?(?P<n>{numerals.NUMBER}){COUNT}")
_MODE = re.compile(r"(?:モオド|ノホオ)?[ニデエ]")
_COULD = re.compile(
    r"[オガモ]?(?:(?:デキタ|デキマシタ|デキルンダ)(?=ネ|ジャン|ナ|ヤン|ノオ|ワネ)"
    r"|デキテ(?:エラ|スゴ|イイコ|ジョオズ|カシコ|オリコオ).*)"
)
_OBJECT = re.compile(
    r"(?:オ|バ|モ|ワ|ガ|ダケ|デモ|ノホオ|ノホオオ)?"
    r"(?:ツズケテ|イッショニ|モオイチド|モオイッカイ|ジュンバンニ|ヒトツ|チョット|イチド|イ[チッ]キョク)?"
)
_PARTICLE = re.compile(r"(?:オ|バ|モ|ワ|ダケ|デモ)?(?:モオイチド|モオイッカイ|モオスコシ|モオ|チョット|スコシ|モット)?")
_MODES = frozenset(
    ("SpeedLevel", "StaticWalk", "TrotRun", "EconomicGait", "FreeWalk", "ClassicWalk", "CrossStep", "FreeAvoid", "Pose")
)
"""What a robot can be switched to, and walk in."""


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
    bare: bool = False
    """A noun at the end, and no word that asks for it: ダンス, which may be what is talked about."""
    rank: int = 0
    """-1: to be done before what was said earlier; 1 and more: after everything else."""

    def placed(self, at: int, rank: int, *, anew: bool) -> Step:
        """The same at its place in the key."""
        return Step(self.actions, self.phrase, self.times, self.forbidden, at, anew, rank=rank)

    @property
    def joins(self) -> bool:
        """True when it can be one of several: greetings, praise and answers are utterances of their own."""
        return self.phrase is None or self.phrase.kind == "action"


Found = tuple[int, Form, Step]


class Steps:
    """Finds steps. Immutable."""

    def __init__(self, phrases: Phrases, motions: Motions, edges: Edges, move_id: int | None) -> None:
        self._phrases = phrases.lexicon
        self._objects = phrases.objects
        self._motions = motions
        self._edges = edges
        self._move_id = move_id
        self._do = Lexicon((w.key, w.form, w.surface) for w in doing())
        self._into = Lexicon((w.key, w.form, w.surface) for w in changing())
        self._close = Lexicon((w.key, w.form, w.surface) for w in closing())
        praise = [p for _, p in self._phrases.find("ヨクデキマシタ")]
        self._praise = Step(praise[0].actions, praise[0]) if praise else None
        self.at = functools.lru_cache(maxsize=1024)(self._find)
        """(key, position) → every step that begins there, the longest phrases first; one key is cut several times."""

    def _find(self, key: str, pos: int) -> tuple[Found, ...]:
        return tuple(self._each(key, pos))

    def _each(self, key: str, pos: int) -> Iterator[Found]:
        for matched, form, phrase in self._phrases.at(key, pos):
            if not self._enough(key, pos, matched, form):
                continue
            end = past_repetition(key, pos, matched)
            step = Step(phrase.actions, phrase)
            yield end, form, step
            if form == "noun" and phrase.kind == "action":
                yield from self._with_noun(key, end, step)
            elif form == "dict":
                yield from self._shown(key, end, step)
                yield from self._so_that(key, end, step)
            elif form == "ostem":
                yield from _honouring(key, end, step)
        yield from self._parted(key, pos)
        yield from self._honoured(self._phrases, key, pos)
        if (times := _TIMES.match(key, pos)) and (n := count(times)):
            for end, form, step in self.at(key, times.end()):
                if step.joins and step.times == 1:
                    yield end, form, replace(step, times=n)
        if self._move_id is not None:
            for end, form, params in self._motions.at(key, pos):
                yield end, form, Step((Action("move", self._move_id, params),), None)

    def only_asks(self, key: str) -> bool:
        """True for やって, やってみて, してください and such: a request for what was named before."""
        return any(
            form == "te" and self._edges.ends("te", key[past_repetition(key, start, end) :])
            for start in self._edges.starts(key)
            for end, form, _ in self._do.at(key, start)
        )

    def _enough(self, key: str, pos: int, end: int, form: Form) -> bool:
        """寝 is one kana, and so are many other things: it needs politeness of two, or a negation, behind it."""
        if (form == "said" and end - pos > 1) or end - pos > 2 or len(shorten(key[pos:end])) > 1:
            return True
        rest = key[end:]
        polite = len(rest) > 1 and self._edges.ends(form, rest)
        return end - pos == 1 and (polite or any(True for _ in self._edges.negated(form, key, end)))

    def _with_noun(self, key: str, end: int, step: Step) -> Iterator[Found]:
        yield from self._done(key, end, step)
        yield from self._changed(key, end, step)
        if self._praise is not None and (could := _COULD.match(key, end)):
            yield could.end(), "said", self._praise  # お座り|できたね is no command but praise
        for more in ("ノホオ", "ノヤツ"):
            if key.startswith(more, end):
                yield end + len(more), "noun", step
        if (times := _TIMES_BEHIND.match(key, end)) and (n := count(times)):
            yield times.end(), "noun", replace(step, times=n)
            yield from self._done(key, times.end(), replace(step, times=n))

    def _parted(self, key: str, pos: int) -> Iterator[Found]:
        """手|振って, 手|だけ|振って, お尻|を二回|振って: what is between object and verb of one phrase."""
        for end, _, verbs in self._objects.at(key, pos):
            particle = _PARTICLE.match(key, end)
            at = particle.end() if particle else end
            times = _TIMES.match(key, at)
            n = count(times) if times else 1
            if not n:
                continue
            yield from self._honoured(verbs, key, at)
            begin = times.end() if times else at
            for matched, form, phrase in verbs.at(key, begin):
                done = past_repetition(key, begin, matched)
                step = Step(phrase.actions, phrase, n)
                yield done, form, step
                if form == "dict":
                    yield from self._shown(key, done, step)

    def _done(self, key: str, end: int, step: Step) -> Iterator[Found]:
        """ダンス|を|して, ダンス|も見せて: a noun and what is done with it."""
        between = _OBJECT.match(key, end)
        middle = between.end() if between else end
        for at in dict.fromkeys((middle, end + 1 if key.startswith("オ", end) else end, end)):
            for done, form, found in _verb(self._do, key, at, step):
                yield done, form, found
                if form == "dict":
                    yield from self._shown(key, done, step)  # 伸びをする|ところを見せて

    def _changed(self, key: str, end: int, step: Step) -> Iterator[Found]:
        """小走り|モードに切り替えて, 省エネ|で歩いて; and of any noun ポーズ|で決めて."""
        if (between := _MODE.match(key, end)) and step.actions and step.actions[0].name in _MODES:
            yield from _verb(self._into, key, between.end(), step)
        if key.startswith("デ", end):
            yield from _verb(self._close, key, end + 1, step)

    def _so_that(self, key: str, end: int, step: Step) -> Iterator[Found]:
        """障害物をよけて歩く|ようにして."""
        if key.startswith("ヨオニ", end):
            yield from _verb(self._into, key, end + 3, step)

    def _shown(self, key: str, end: int, step: Step) -> Iterator[Found]:
        """踊る|ところを|見せて."""
        if key.startswith("ヤツ", end):  # 足を交差させて歩く|やつ|やって
            yield end + 2, "noun", step
            yield from self._done(key, end + 2, step)
        for between in self._edges.show:
            if between and key.startswith(between, end):
                for done, form, shown in self._do.at(key, end + len(between)):
                    if shown.startswith("見せ"):
                        yield done, form, step

    @staticmethod
    def _honoured(verbs: Lexicon[Phrase], key: str, pos: int) -> Iterator[Found]:
        """お座り|ください."""
        if key.startswith("オ", pos):
            for end, form, phrase in verbs.at(key, pos + 1):
                if form == "stem":
                    step = Step(phrase.actions, phrase)
                    yield end, "ostem", step
                    yield from _honouring(key, end, step)


def _honouring(key: str, end: int, step: Step) -> Iterator[Found]:
    """お立ち|になって|から."""
    for verb in ("ニナッテ", "ナサッテ", "クダサッテ", "イタダイテ"):
        if key.startswith(verb, end):
            yield end + len(verb), "te", step


def _verb(verbs: Lexicon[str], key: str, at: int, step: Step) -> Iterator[Found]:
    for end, form, _ in verbs.at(key, at):
        yield end, form, step
    if key.startswith("オ", at):  # お見せ|ください, お戻し|ください
        for end, form, _ in verbs.at(key, at + 1):
            if form == "stem":
                yield end, "ostem", step


def past_repetition(key: str, start: int, end: int) -> int:
    """Behind the same once more: すわって|すわって is one step, as it is one wish."""
    said = key[start:end]
    while len(said) > 1 and key.startswith(said, end):
        end += len(said)
        while end < len(key) and lengthens(key[end - 1], key[end]):
            end += 1
    return end


def count(times: re.Match[str]) -> int:
    """How often, from a match with a group `n`; 0 for what is no whole number between 1 and 100."""
    n = numerals.value(times["n"])
    return int(n) if n is not None and n == int(n) and 0 < n <= 100 else 0
