"""あいづち, laughter and coughs: what a listener utters without taking the turn.

Only whole utterances, from a positive list (`data/backchannels.tsv`): うん、なるほど is one, うん、座って is not.
Whether はい answers a question of the robot's is the caller's to know: then it is an answer and no backchannel. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from claudiad.brain.kana import fold, lengthens
from claudiad.brain.reading import hear, letters
from claudiad.brain.tables import DATA, expand, rows
from claudiad.errors import DataError

Kind = Literal["yes", "news", "laugh", "cough"]

MAX_KEY = 60
"""Kana beyond which a clause is more than a backchannel."""


@dataclass(frozen=True, slots=True)
class BackchannelTable:
    """The words, by their key."""

    words: Mapping[str, Kind]
    longest: int
    written: frozenset[str] = frozenset()
    """Compared as written: (笑)."""

    def kinds(self, key: str) -> frozenset[Kind]:
        """The kinds of the words that a key consists of, without a rest; empty for any other key."""
        if not 0 < len(key) <= MAX_KEY:
            return frozenset()
        reached: dict[int, frozenset[Kind]] = {0: frozenset()}
        for at in range(len(key)):
            if at not in reached:
                continue
            for end in range(at + 1, min(len(key), at + self.longest) + 1):
                if (kind := self.words.get(key[at:end])) is not None:
                    for drawn in _drawn(key, end, kind):
                        reached.setdefault(drawn, reached[at] | {kind})
        return reached.get(len(key), frozenset())


def _drawn(key: str, end: int, kind: Kind) -> Iterator[int]:
    """Where a word that ends at `end` may end when drawn out: ナルホド|オオ, ハハ|ハハハ; never ハイ|イ (イエ)."""
    yield end
    last = key[end - 1]
    while last != "イ" and end < len(key):
        if not (lengthens(last, key[end]) or (kind == "laugh" and key[end] == last)):
            return
        end += 1
        yield end


def load_backchannels(path: Path = DATA / "backchannels.tsv") -> BackchannelTable:
    """Read the table. Raises `DataError` (`file:line: …`) for an unknown kind, an open brace, an empty word."""
    words: dict[str, Kind] = {}
    written: set[str] = set()
    for line, cells in rows(path, 2, 3):
        kind, text = cells[:2]
        if kind not in (*get_args(Kind), "written"):
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(get_args(Kind))}, written")
        if text.count("{") != text.count("}"):
            raise DataError(f"{path}:{line}: a brace is not closed")
        for word in expand(text):
            key = letters(word) if kind == "written" else fold(word).rstrip("ッ")  # as at the end of a transcript's key
            if not key:
                raise DataError(f"{path}:{line}: a word is empty")
            if kind == "written":
                written.add(key)
            else:
                words.setdefault(key, kind)  # type: ignore[arg-type]  # checked against Kind above
    return BackchannelTable(words, max(map(len, words), default=0), frozenset(written))


def is_backchannel(text: str, table: BackchannelTable) -> bool:
    """True for an utterance of nothing but backchannels, laughter and coughs. Never raises.

    Decide this before the router's near misses are heeded: はいはい is one kana from バイバイ.
    """
    heard = hear(text)
    if heard.letters in table.written:
        return True
    clauses = [table.kinds(clause) for clause in heard.clauses]
    asks = "?" in heard.marks and any("yes" in kinds for kinds in clauses)
    return bool(clauses) and all(clauses) and not asks
