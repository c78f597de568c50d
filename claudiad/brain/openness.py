"""Is the speaker done? What the words so far say about it, from which follows how long to wait in a pause.

`complete`: a command or an answer that the router knows exactly and whole. `open`: grammatically unfinished (〜て,
〜から, えーと, 右に九十, a bare particle). `between`: everything else. Pure; works on unbroken katakana as pronounced
and on ordinary writing.

The rules, the first that fits:

0. A stop and a release are complete, however they were found.
1. Nothing but names, fillers, adverbs, directions and numbers is open, also where the router has an answer
   (クラちゃん, 右, もう一回): a name is called to have something said behind it, and waiting costs a second of
   「はい」, not waiting the command. A motion the router knows without a verb is open as well (右に九十度 … 回って).
2. An exact decision that does or says something definite is complete, also when it ends in a particle or a te-form
   (前へ, 座って): if more comes, the turn goes on (`continuation`). Not so a word that often goes on (ダンス …
   は好き？), a command with unfinished talk behind it, or a ban (座らないで … 立って).
3. A question mark or a question word ends it.
4. The last word leaves it open or does not. A te-form that is nearly a known command (左をむて) does not.

A false friend (a noun that ends in ニ, where the tokeniser does not know it) only costs waiting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, get_args

from claudiad.brain import numerals
from claudiad.brain.kana import fold, hiragana
from claudiad.brain.reading import Heard, Token, hear, reading
from claudiad.brain.tables import DATA, expand, rows
from claudiad.errors import DataError
from claudiad.types import Decision

SURE = 0.88
"""From which confidence an exact decision is one: 0.89 is a motion with talk around it, the least sure of them."""
WHOLE = 0.95
"""Below this there is talk around the command, and it may be unfinished."""
MAX_KEY = 60
"""Kana beyond which an utterance is no longer looked through for nothing but fillers and numbers."""
SHORTEST_TAIL = 3
"""Kana of a filler or a connective that is recognised at the end of an unbroken transcript."""

_EXACT = frozenset(("hotpath", "grammar", "motion", "cache"))
_TO = ("", "ニ", "エ", "エエ", "オ", "ノホオ", "ノホオニ", "ニムカッテ", "ガワ", "ガワニ", "デ", "ヨリニ")
_ABOUT = r"(?:ホド|グライ|クライ|ダケ|バカリ|ブン|ズツ)?"
_TE = ("ending: て", "ending: で")
_IF = re.compile(r"(?<!ッテ)バ$")
"""立てば: also an order in some dialects; not 座ってば."""
_NUMBER = re.compile(numerals.NUMBER)
_LONG = re.compile(r"([ァ-ヺ])ー")
_VOWEL = {"オ": "ウ", "エ": "イ"}
_PARTICLES = {"ワ": "は", "オ": "を", "ヲ": "を", "エ": "へ"}
_JOINS = frozenset(("格助詞", "係助詞", "副助詞", "接続助詞"))
_NOUNS = frozenset(("名詞", "代名詞", "接尾辞", "形状詞"))

Kind = Literal[
    "filler", "name", "then", "waiting", "way", "unit", "ending", "when", "asking", "closed", "whole", "topic"
]
_PIECES: tuple[Kind, ...] = ("filler", "name", "then", "waiting", "way")


class Openness(StrEnum):
    """How much of an utterance has been said, by its words."""

    COMPLETE = "complete"
    BETWEEN = "between"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How open an utterance is, and why."""

    openness: Openness
    reason: str
    """For people who ask: `exact: 座って`, `ending: から`."""


@dataclass(frozen=True, slots=True)
class OpennessTable:
    """`data/openness.tsv`, ready for looking up. Keys of `reading`, but `endings` and `when`, which are as written."""

    pieces: Mapping[str, Kind]
    """Everything an utterance that is waiting may consist of, besides numbers."""
    longest: int
    amount: re.Pattern[str]
    """A number with a unit."""
    tail: re.Pattern[str]
    """The same at the end, or a direction with に."""
    endings: frozenset[str]
    when: frozenset[str]
    asking: tuple[str, ...]
    closed: tuple[str, ...]
    whole: frozenset[str]
    topics: frozenset[str]

    def waiting(self, key: str) -> str | None:
        """What the last piece of a key is that consists of pieces and numbers alone; None for any other key."""
        if not 0 < len(key) <= MAX_KEY:
            return None
        reached: dict[int, str] = {0: ""}
        for at in range(len(key)):
            if at in reached:
                for end, kind in self._pieces_at(key, at):
                    reached.setdefault(end, kind)
        return reached.get(len(key))

    def _pieces_at(self, key: str, at: int) -> list[tuple[int, str]]:
        ends = range(at + 1, min(len(key), at + self.longest) + 1)
        found: list[tuple[int, str]] = [(end, kind) for end in ends if (kind := self.pieces.get(key[at:end]))]
        if amount := self.amount.match(key, at):
            found.append((amount.end(), "amount"))
        if (number := _NUMBER.match(key, at)) and numerals.value(number[0]) is not None:
            found.append((number.end(), "number"))
        return found

    def waits_at_end(self, key: str) -> str | None:
        """The kind of a long filler or connective at the end of a longer key."""
        for length in range(min(self.longest, len(key)), SHORTEST_TAIL - 1, -1):
            kind = self.pieces.get(key[-length:])
            if kind in ("filler", "then", "waiting"):
                return kind
        return None


def load_openness(path: Path = DATA / "openness.tsv") -> OpennessTable:
    """Read the table. Raises `DataError` (`file:line: …`) for an unknown kind, an open brace, an empty word."""
    found: dict[Kind, set[str]] = {kind: set() for kind in get_args(Kind)}
    for line, cells in rows(path, 2, 3):
        kind, text = cells[:2]
        if kind not in found:
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(found)}")
        if text.count("{") != text.count("}"):
            raise DataError(f"{path}:{line}: a brace is not closed")
        words = set(expand(text))
        if not all(words):
            raise DataError(f"{path}:{line}: a word is empty")
        found[kind] |= words if kind in ("ending", "when") else {fold(word) for word in words}
    pieces: dict[str, Kind] = {way + to: "way" for way in found["way"] for to in _TO}
    pieces |= {word: kind for kind in reversed(_PIECES[:-1]) for word in found[kind]}
    ways, units = ("|".join(sorted(found[kind], key=len, reverse=True)) or "(?!)" for kind in ("way", "unit"))
    amount = rf"(?:{numerals.NUMBER}|ハン)(?:{units})(?:ハン)?{_ABOUT}"
    return OpennessTable(
        pieces=pieces,
        longest=max(map(len, pieces), default=0),
        amount=re.compile(amount),
        tail=re.compile(rf"(?:{amount}|(?:{ways})ニ)(?:サキ(?:ニ|マデ)?)?$"),
        endings=frozenset(found["ending"]),
        when=frozenset(found["when"]),
        asking=tuple(found["asking"]),
        closed=tuple(found["closed"]),
        whole=frozenset(found["whole"]),
        topics=frozenset(found["topic"]),
    )


def how_open(text: str, decision: Decision, table: OpennessTable) -> Verdict:
    """Whether the speaker of `text` is done, where `decision` is the router's on the same text. Never raises."""
    heard = hear(text)
    if not heard.key:
        return Verdict(Openness.BETWEEN, "empty")
    if decision.route == "emergency" and (decision.actions or decision.release):
        return Verdict(Openness.COMPLETE, f"exact: {decision.rule}")
    waiting = None if heard.key in table.whole else table.waiting(heard.key)
    exact = decision.route in _EXACT and decision.confidence >= SURE
    if exact and _definite(decision) and not (waiting and not decision.actions):
        return _exact(heard, decision, table)
    if waiting:
        return Verdict(Openness.OPEN, waiting)
    if exact and decision.route == "grammar":
        return Verdict(Openness.BETWEEN, decision.rule)
    ending = _ending(heard, table)
    opens = ending is not None and not (ending in _TE and decision.route == "semantic")
    return Verdict(Openness.OPEN if opens else Openness.BETWEEN, ending or "no sign of either")


def says_nothing(text: str, table: OpennessTable) -> bool:
    """True for a whole utterance of names and fillers: えーと, あの、クラちゃん.

    Not for うーん: a recogniser writes ううん, which is a no, the same way.
    """
    heard = hear(text)
    kinds = {table.waiting(clause) for clause in heard.clauses}
    return bool(kinds) and kinds <= {"filler", "name"} and "ウウン" not in heard.key


def _definite(decision: Decision) -> bool:
    """Does something, or answers: not a ban, and not a refusal of what was too long."""
    return bool(decision.actions) or decision.route != "grammar" or decision.rule == "no, as asked"


def _exact(heard: Heard, decision: Decision, table: OpennessTable) -> Verdict:
    if decision.actions and decision.actions[-1].name == "move" and heard.key != reading(decision.rule):
        if table.tail.search(heard.key):
            return Verdict(Openness.OPEN, "a motion without its verb")
    elif heard.key in table.topics:
        return Verdict(Openness.BETWEEN, "a word that may go on")
    if _IF.search(heard.key):
        return Verdict(Openness.OPEN, "ending: ば")
    if decision.confidence < WHOLE and (ending := _ending(heard, table)) and ending not in _TE:
        # 立って、えーと goes on; 立って、お客さんが来たから may be all, or 挨拶して may follow
        return Verdict(Openness.OPEN if ending in ("filler", "then") else Openness.BETWEEN, ending)
    return Verdict(Openness.COMPLETE, f"exact: {decision.rule}")


def _ending(heard: Heard, table: OpennessTable) -> str | None:
    """What leaves an utterance open at its end, or None."""
    key = heard.key
    if heard.marks[-1:] == ("?",) or key in table.whole or key.endswith((*table.closed, *table.asking)):
        return None
    if len(heard.clauses) > 1 and (kind := table.waiting(heard.clauses[-1])):
        return kind
    if (kind := table.waits_at_end(key)) is not None:
        return kind
    for words in _words(heard):
        word = _last(words, table)
        if word is not None:
            before = key[: -(words[-1].end - words[-1].start)] if words[-1].end > words[-1].start else key
            return None if before.endswith(table.asking) else f"ending: {word}"
    if heard.tokens and heard.tokens[-1].pos[1] == "数詞":
        return "number"
    return f"amount: {m[0]}" if (m := table.amount.search(key)) and m.end() == len(key) else None


def _words(heard: Heard) -> list[Sequence[Token]]:
    """The words as the tokeniser takes them; a transcript, which has ワ for は, in both spellings of its end."""
    if not heard.kana_only:
        return [heard.tokens]
    spelled = hiragana(_LONG.sub(_lengthened, heard.text))
    readings: list[Sequence[Token]] = [hear(spelled).as_words.tokens]
    particle = _PARTICLES.get(heard.text[-1:])
    if particle and readings[0] and len(readings[0][-1].surface) == 1:
        again = hear(spelled[:-1] + particle).as_words.tokens
        if len(again) > 1 and again[-2].pos[0] in (*_NOUNS, "助詞"):  # 私ワ, but not 疲れたワ
            readings.append(again)
    return readings


def _lengthened(m: re.Match[str]) -> str:
    vowel = fold(m[0])[-1]
    return m[1] + _VOWEL.get(vowel, vowel)  # キョー is written きょう, センセー せんせい


def _last(words: Sequence[Token], table: OpennessTable) -> str | None:
    """The last word, when a sentence cannot end there."""
    if not words:
        return None
    last, before = words[-1], words[-2] if len(words) > 1 else None
    waits = last.pos[0] in ("連体詞", "接続詞") or (last.pos[0] == "形容詞" and last.pos[5].startswith("連用形"))
    if waits or (before is not None and (_joins(last, before, table) or _is_when(last, before, table))):
        return last.surface
    return None


def _joins(last: Token, before: Token, table: OpennessTable) -> bool:
    if last.surface not in table.endings or (last.surface in ("の", "や") and before.pos[0] not in _NOUNS):
        return False  # 行くの, そうや
    changes = last.pos[0] == "助動詞" and last.pos[5].startswith(("連用形", "仮定形"))
    return changes or (last.pos[0] == "助詞" and last.pos[1] in _JOINS)


def _is_when(last: Token, before: Token, table: OpennessTable) -> bool:
    return last.surface in table.when and before.pos[0] in ("動詞", "助動詞")
