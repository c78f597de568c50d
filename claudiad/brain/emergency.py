"""Stop words, in any politeness, alone or inside a plea; and the words that take a latch off.

A stop is a *whole* utterance made of stop words, fillers, names and politeness, or a whole clause where
punctuation or the tokeniser proves the boundary. It is never a part of another word: まとめて, 初めて,
ストップウォッチ and お泊まり contain the sounds and are not cut up, and a report (電車が止まっている) is not
consumed to its end. Also called on the partial kana transcripts of the stop listener.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from claudiad.brain.conjugate import Form
from claudiad.brain.kana import deletions, unstretched
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.normalise import Edges
from claudiad.brain.reading import Heard, hear
from claudiad.brain.stops import NEAR_MAX, NEAR_MIN, StopTable, StopWord, bare

MAX_SLIP = 18
"""Longest stop word with a slip, its repetitions included, in kana."""
MAX_TAIL = 16
"""Longest politeness behind a stop word, in kana."""

_EXCLAIMED: tuple[Form, ...] = ("noun", "imp")
"""Forms that are shouted, and may have the tails of a `said` word besides their politeness: ストップ|だて."""
_THAT = ("ソノ", "コノ", "アノ", "ヘンナ")
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

    @property
    def common_kanji(self) -> frozenset[str]:
        """What stop words, politeness and those around are written with."""
        return self._table.kanji

    def find_stop(self, text: str, moving: bool = False) -> StopMatch | None:
        """The stop in a text or a kana transcript, or None. `moving`: a doubtful stop is a stop."""
        return self.find_heard(hear(text), moving)

    def is_stop(self, key: str) -> bool:
        """True for a clause that is nothing but a stop, or ends a doing."""
        return self._whole(key) is not None or self._doing(key) is not None

    def find_heard(self, heard: Heard, moving: bool = False) -> StopMatch | None:
        """The same for a text that has been read already."""
        if written := self._table.foreign.get(heard.letters):
            return StopMatch(written.text, written.latch, "foreign", 1.0)
        if not moving and self._homophone(heard):
            return None
        if word := self._whole(heard.key):
            return StopMatch(word.text, word.latch, "whole", 1.0)
        return self._in_clause(heard) or self._slipped(heard.key) or (self._doubtful(heard) if moving else None)

    def _in_clause(self, heard: Heard) -> StopMatch | None:
        """だめ、座らないで; きゃあ、危ない、ぶつかる; 水がこぼれてるから待って; 踊るのやめて！赤ちゃんがいるの."""
        found = list(self._clauses(heard))
        return next((stop for stop in found if stop.latch), found[0] if found else None)

    def _clauses(self, heard: Heard) -> Iterator[StopMatch]:
        ends = sorted({*heard.bounds, *heard.reasons, len(heard.key)})
        for start in sorted({0, *heard.bounds, *heard.reasons}):
            clause = heard.key[start : next((e for e in ends if e > start), None)]
            proved = start > 0 or len(ends) > 1
            if proved and (word := self._whole(clause)) and not word.alone:
                rule = "because" if start in heard.reasons else "clause"
                yield StopMatch(word.text, word.latch, rule, 0.95)
            if word := self._doing(clause) or self._doing(heard.key[start:]):
                yield StopMatch(word.text, word.latch, "doing", 0.95)
        if word := self._because(heard.key):
            yield StopMatch(word.text, word.latch, "because", 0.9)

    def _slipped(self, key: str) -> StopMatch | None:
        for start in self._edges.starts(key):
            if bare(key[start : start + 4])[:2] not in self._table.slip_begins:
                continue
            for end in range(min(len(key), start + MAX_SLIP), start + 2, -1):
                word, form = self._table.slips.get(bare(key[start:end]), (None, "said"))
                if word and (end == len(key) or form in self._edges.forms_before(key[end:])):
                    return StopMatch(word.text, word.latch, "slip", 0.8)
        return None

    def _because(self, key: str) -> StopWord | None:
        """ケガスルカラウゴカナイデ: behind a から that no tokeniser has proved, if enough is left to be sure of."""
        at = key.find("カラ", 2)
        while at > 0:
            rest = key[at + 2 :]
            word = self._whole(rest) if len(rest) >= NEAR_MIN else None
            if (word and not word.alone) or (word := self._doing(rest)):
                return word
            at = key.find("カラ", at + 1)
        return None

    def _homophone(self, heard: Heard) -> bool:
        """泊めてあげて, 注視しなさい: known by sound only, and written as something else."""
        if heard.kana_only or len(heard.clauses) > 1 or heard.reasons:
            return False
        return any(c not in self._table.kanji for c in heard.text if "一" <= c <= "龯")

    def releases(self, heard: Heard) -> bool:
        """True for the exact words that take a latch off, alone or after the robot's name."""
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
        if key.startswith("オ", pos):
            for end, form, word in self._table.lexicon.at(key, pos + 1):
                if form == "stem":  # お止まり|ください
                    best = word if found is None or word.latch else found
                    for tail_end in self._tails(key, end, "ostem"):
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
        tails = self._table.tails
        allowed = tails if form == "said" else self._edges.behind[form]
        ends = [end] if form == "said" or "" in allowed else []
        for stop in range(end + 1, min(len(key), end + MAX_TAIL) + 1):
            piece = key[end:stop]
            if (
                piece in allowed
                or unstretched(piece) in allowed
                or (form in _EXCLAIMED and len(piece) > 1 and piece in tails)
            ):
                ends.append(stop)
        return ends[::-1]

    def _doing(self, key: str) -> StopWord | None:
        """踊るのをやめて, ダンスをやめて, 歩くのはもうやめて: a known doing, and its end."""
        that = next((len(t) for t in _THAT if key.startswith(t)), 0)
        for start in self._edges.starts(key, that):
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
        for core, word in self._table.ends:
            # とまってくださ…: the stop listener asks in the middle of the politeness.
            if key.endswith(core) or (key.startswith(core) and key[len(core) :] in self._edges.begun):
                return StopMatch(word.text, word.latch, "end", 0.6)
        return None
