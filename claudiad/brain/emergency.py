"""Stop words, in any politeness, alone or inside a plea; and the words that take a latch off.

A stop is a *whole* utterance made of stop words, fillers, names and politeness, or a whole clause where
punctuation or the tokeniser proves the boundary. It is never a part of another word: まとめて, 初めて,
ストップウォッチ and お泊まり contain the sounds and are not cut up, and a report (電車が止まっている) is not
consumed to its end. Also called on the partial kana transcripts of the stop listener.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from claudiad.brain.conjugate import Form, Word, doing, words
from claudiad.brain.kana import deletions, shorten, unstretched
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.normalise import Edges
from claudiad.brain.reading import Heard, hear, letters, reading
from claudiad.brain.tables import rows
from claudiad.errors import DataError

NEAR_MIN = 4
"""Fewest kana of a stop word for which one wrong kana still counts while the robot moves."""

NEAR_MAX = 6
"""Longest: お待ちください is one kana from お立ちください."""

_ALSO = "下頂戴願来見欲良今早速御皆犬言事頼達僕私俺君方後前左右誰急絶対本当少直度何時点頭足手目留停留泊駄終了先生父母爺婆兄姉弟妹子供赤人様踊座立寝歩進回"
"""Kanji of politeness and of those who are around, which the table writes in kana or not at all."""
SLIP_MIN = 3
"""Fewest kana of a stop word that may have lost its っ."""

_PLAIN = ("te", "imp", "noun", "said")
"""Forms that are a stop by themselves."""

MAX_TAIL = 16
"""Longest politeness behind a stop word, in kana."""

_KINDS = ("word", "said", "maybe", "tail", "plea", "halt", "foreign", "release")
_OBJECT = ("ノオ", "ノワ", "ノハ", "ノ", "オ", "ワ", "ハ", "モオ", "モ", "")


@dataclass(frozen=True, slots=True)
class StopMatch:
    """A stop that was heard."""

    word: str
    """The stop word of the table that decided."""
    latch: bool
    """True when nothing may move afterwards until a release."""
    rule: str
    """`whole`, `clause`, `because`, `doing`, `foreign`, `slip`, or, only while moving, `maybe`, `near` and `end`."""
    confidence: float


@dataclass(frozen=True, slots=True)
class StopWord:
    """One line of the table, in one of its forms."""

    text: str
    latch: bool
    alone: bool = False
    """Only a stop as the whole utterance: as one clause of several it would be about something else."""


@dataclass(frozen=True, slots=True)
class StopTable:
    """`stops.tsv`, ready for looking up."""

    lexicon: Lexicon[StopWord]
    tails: frozenset[str]
    pleas: frozenset[str]
    halts: frozenset[str]
    foreign: Mapping[str, StopWord]
    slips: Mapping[str, StopWord]
    """By key without length and っ: とまて, とまてとまて."""
    maybe: Mapping[str, StopWord]
    """By key: what is a stop only while the robot moves."""
    releases: frozenset[str]
    """Written forms with kanji."""
    release_keys: frozenset[str]
    kanji: frozenset[str]
    """What stop words and their company are written with."""
    core: tuple[tuple[str, StopWord], ...]
    """(key, word) of stop words long enough to be found with one kana wrong."""
    cut: Mapping[str, tuple[tuple[str, StopWord], ...]]
    """The same by what they are with one kana left out."""
    keys: frozenset[str]
    """Every stop word's key: what a reply of the robot must not contain."""


class StopFinder:
    """Finds stops. Immutable; one instance may serve the loop and the stop listener."""

    def __init__(self, table: StopTable, edges: Edges, doings: Lexicon[str]) -> None:
        self._table = table
        self._edges = edges
        self._doings = doings
        self._front = max((len(f) for f in (*edges.front, *table.pleas)), default=0)

    @property
    def stop_keys(self) -> frozenset[str]:
        """Keys of all stop words: what no reply but the answer to a stop may contain (docs/safety.md, 14)."""
        return self._table.keys

    def find_stop(self, text: str, moving: bool = False) -> StopMatch | None:
        """The stop in a text or a kana transcript, or None. `moving`: a doubtful stop is a stop."""
        return self.find_heard(hear(text), moving)

    def find_heard(self, heard: Heard, moving: bool = False) -> StopMatch | None:
        """The same for a text that has been read already."""
        if written := self._table.foreign.get(heard.letters):
            return StopMatch(written.text, written.latch, "foreign", 1.0)
        if not moving and self._homophone(heard):
            return None
        if word := self._whole(heard.key):
            return StopMatch(word.text, word.latch, "whole", 1.0)
        if len(heard.clauses) > 1:
            # だめ、座らないで and そこの犬、止まって and きゃあ、危ない、ぶつかる are stops.
            for clause in heard.clauses:
                if (word := self._whole(clause)) and not word.alone:
                    return StopMatch(word.text, word.latch, "clause", 0.95)
        for at in heard.reasons:
            if word := self._whole(heard.key[at:]):
                return StopMatch(word.text, word.latch, "because", 0.95)
        if word := self._because(heard.key):
            return StopMatch(word.text, word.latch, "because", 0.9)
        for at in {0, *heard.bounds, *heard.reasons}:
            if word := self._doing(heard.key, at) or self._doing(heard.key[: _next(heard.bounds, at)], at):
                return StopMatch(word.text, word.latch, "doing", 0.95)
        for start in self._edges.starts(heard.key):
            if word := self._table.slips.get(_bare(heard.key[start:])):
                return StopMatch(word.text, word.latch, "slip", 0.8)
        return self._doubtful(heard) if moving else None

    def _because(self, key: str) -> StopWord | None:
        """ケガスルカラウゴカナイデ: behind a から that no tokeniser has proved, if enough is left to be sure of."""
        at = key.find("カラ", 2)
        while at > 0:
            rest = key[at + 2 :]
            if len(rest) > NEAR_MIN - 1 and (word := self._whole(rest)) and not word.alone:
                return word
            at = key.find("カラ", at + 1)
        return None

    def _homophone(self, heard: Heard) -> bool:
        """泊めてあげて, 注視しなさい: known by sound only, and written as something else."""
        if heard.kana_only or len(heard.clauses) > 1 or heard.reasons:
            return False
        return any(c not in self._table.kanji for c in heard.text if "一" <= c <= "龯")

    def is_release(self, text: str) -> bool:
        """True for the exact words that take a latch off, alone or after the robot's name."""
        return self.releases(hear(text))

    def releases(self, heard: Heard) -> bool:
        """The same for a text that has been read already."""
        surface = heard.letters.replace(" ", "")
        for name in ("", "クラウディア", "ねえクラウディア", "クラちゃん"):
            if surface.startswith(name) and surface[len(name) :] in self._table.releases:
                return True
        # 会場, 介助 and 解除 sound (nearly) alike: by sound only where no kanji could have told.
        return heard.kana_only and heard.key in self._table.release_keys

    def _whole(self, key: str) -> StopWord | None:
        """The weightiest stop word when the key is nothing but stop words and their company."""
        return self._consume(key, 0, None, set()) if key else None

    def _consume(self, key: str, pos: int, found: StopWord | None, dead: set[tuple[int, bool]]) -> StopWord | None:
        if pos == len(key):
            return found
        if (pos, found is None) in dead:
            return None
        for end, form, word in self._table.lexicon.at(key, pos):
            best = word if found is None or word.latch else found
            for tail_end in self._tails(key, end, form):
                if done := self._consume(key, tail_end, best, dead):
                    return done
        for end in range(min(len(key), pos + self._front), pos, -1):
            piece = key[pos:end]
            company = piece in self._table.pleas or piece in self._edges.front
            if company and (done := self._consume(key, end, found, dead)):
                return done
        dead.add((pos, found is None))
        return None

    def _tails(self, key: str, end: int, form: Form) -> list[int]:
        """Where a stop word may end together with politeness, longest first."""
        allowed = self._table.tails if form == "said" else self._edges.behind[form]
        ends = [end] if form == "said" or "" in allowed else []
        for stop in range(end + 1, min(len(key), end + MAX_TAIL) + 1):
            piece = key[end:stop]
            if piece in allowed or unstretched(piece) in allowed:
                ends.append(stop)
        return ends[::-1]

    def _doing(self, key: str, at: int) -> StopWord | None:
        """踊るのをやめて, ダンスをやめて, 歩くのはもうやめて: a known doing, and its end."""
        for start in self._edges.starts(key, at):
            for end, form, _ in self._doings.at(key, start):
                if form not in ("dict", "noun", "stem") or end - start < 2:
                    continue
                for particle in _OBJECT:
                    if not key.startswith(particle, end):
                        continue
                    rest = key[end + len(particle) :].removeprefix("モオ")
                    if any(rest.startswith(halt) for halt in self._table.halts) and (word := self._halting(rest)):
                        return word
        return None

    def _halting(self, rest: str) -> StopWord | None:
        for halt in self._table.halts:
            tail = rest[len(halt) :]
            if rest.startswith(halt) and (self._edges.ends("te", tail) or self._edges.ends("noun", tail)):
                return StopWord(halt, latch=False)
        return self._whole(rest)

    def _doubtful(self, heard: Heard) -> StopMatch | None:
        key = heard.key
        for clause in (key, *heard.clauses):
            if word := self._table.maybe.get(clause):
                return StopMatch(word.text, word.latch, "maybe", 0.7)
        if len(key) <= NEAR_MAX + 2:
            for cut in (key, *deletions(key)):
                for core, word in self._table.cut.get(cut, ()):
                    if Levenshtein.distance(core, key, score_cutoff=1) <= 1:
                        return StopMatch(word.text, word.latch, "near", 0.6)
        for core, word in self._table.core:
            # とまってくださ…: the stop listener asks in the middle of the politeness.
            if key.endswith(core) or (key.startswith(core) and key[len(core) :] in self._edges.begun):
                return StopMatch(word.text, word.latch, "end", 0.6)
        return None


def _by_deletion(core: tuple[tuple[str, StopWord], ...]) -> dict[str, tuple[tuple[str, StopWord], ...]]:
    found: dict[str, tuple[tuple[str, StopWord], ...]] = {}
    for key, word in core:
        for cut in {key, *deletions(key)}:
            found[cut] = (*found.get(cut, ()), (key, word))
    return found


def _next(bounds: tuple[int, ...], at: int) -> int | None:
    """Where the clause that begins at `at` ends; None for the end of the key."""
    return next((b for b in bounds if b > at), None)


def _bare(key: str) -> str:
    """A key without っ and length, said once: トマテトマテ → トマテ."""
    bare = shorten(key.replace("ッ", ""))
    for n in range(SLIP_MIN, len(bare) // 2 + 1):
        if len(bare) % n == 0 and bare == bare[:n] * (len(bare) // n):
            return bare[:n]
    return bare


def _forms(text: str) -> list[Word]:
    """A verb's forms; of a noun, 停止, also those of 停止して and 停止をして."""
    forms = words(text)
    if forms[0].form == "noun":
        done = [
            (o, wo, w)
            for w in doing()
            if w.key.startswith("シ") or w.key == "スル"
            for o, wo in (("", ""), ("オ", "を"))
        ]
        forms += [Word(text + wo + w.surface, forms[0].key + o + w.key, w.form) for o, wo, w in done]
    return forms


def load_stops(path: Path) -> StopTable:
    """Read `stops.tsv`. Raises `DataError` with the line for an unknown kind or latch column."""
    items: dict[tuple[str, Form], StopWord] = {}
    sets: dict[str, set[str]] = {"tail": set(), "plea": set(), "halt": set(), "release": set()}
    written: set[str] = set()
    foreign: dict[str, StopWord] = {}
    maybe: dict[str, StopWord] = {}
    kanji = set(_ALSO)
    for line, (kind, text, latch) in rows(path, 3):
        if kind not in _KINDS:
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(_KINDS)}")
        if latch not in ("-", "latch", "alone"):
            raise DataError(f"{path}:{line}: the last column is `latch`, `alone` or `-`, not {latch!r}")
        kanji |= set(text)
        stop = StopWord(text, latch == "latch", latch == "alone")
        if kind == "word":
            for form in _forms(text):
                if form.form not in ("dict", "ta"):
                    items.setdefault((form.key, form.form), stop)
        elif kind == "said":
            items.setdefault((reading(text), "said"), stop)
        elif kind == "maybe":
            maybe[reading(text)] = stop
        elif kind == "foreign":
            foreign[letters(text)] = stop
        elif kind == "halt":
            sets[kind] |= {w.key for w in words(text) if w.form in ("te", "noun", "imp", "said")}
        else:
            sets[kind].add(reading(text))
            if kind == "release":
                written.add(text)
    core = tuple(
        (key, stop)
        for (key, form), stop in items.items()
        if form in _PLAIN and NEAR_MIN <= len(shorten(key)) <= NEAR_MAX
    )
    return StopTable(
        lexicon=Lexicon([(key, form, stop) for (key, form), stop in items.items()]),
        tails=frozenset(sets["tail"]),
        pleas=frozenset(sets["plea"]),
        halts=frozenset(sets["halt"]),
        foreign=foreign,
        slips={_bare(k): s for (k, f), s in items.items() if f in _PLAIN and len(_bare(k)) >= SLIP_MIN and "ッ" in k},
        maybe=maybe,
        releases=frozenset(written),
        kanji=frozenset(kanji),
        release_keys=frozenset(sets["release"]),
        core=core,
        cut=_by_deletion(core),
        keys=frozenset(key for (key, form) in items if form in _PLAIN),
    )
