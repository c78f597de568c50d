"""Where two kanji meet that Japanese does not join: Chinese in characters that Japanese shares. Pure.

The tokeniser cuts what its dictionary has not: 担心 becomes 担 and 心, 拿到 one unknown word. Where two neighbouring
tokens are nothing but kanji and one of them is a single one, or a token of kanji is unknown, the pair of kanji that
meet there is looked up in `claudiad/data/kanji.tsv`: how much likelier the left one begins, and the right one ends, a
Chinese word than a rare Japanese one (`training/purity` counts it). 籠枕 and 苗水 are cut up like 担心, and pass.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from claudiad.brain import reading
from claudiad.purity.repertoire import is_han
from claudiad.purity.tables import leanings, rare_words, vocabulary

LONGEST = 400
"""Characters that are tokenised at once; the tokeniser refuses more than 49,149 bytes."""

THRESHOLDS = {
    "1+1": -1.0,
    "1+1 affix": -1.0,
    "unknown": -1.0,
    "1+n": 0.0,
    "1+n affix": 2.0,
    "1+n number": 4.0,
    "n+1": 2.0,
    "n+1 affix": 3.0,
}
"""Log odds from which a joint counts as Chinese, by its kind; a kind that is not here never does.

A kind is the kanji of the tokens left and right, one or more; whether the left is a prefix or the right a suffix, or
one of them a number; or `unknown`: inside a token that the dictionary has not. Chosen for few false alarms rather than
for many words caught; docs/purity.md says what came of it.
"""

LONGEST_WORD = 6
"""Characters of the longest of `rare_words`."""
MOST_TOKENS = 5
"""Tokens that a word of the vocabulary may be cut into."""
_NUMERALS = frozenset("〇零一二三四五六七八九十百千万億兆半両")


@dataclass(frozen=True, slots=True)
class _Token:
    begin: int
    end: int
    surface: str
    part: tuple[str, ...]
    """The first two parts of its part of speech."""
    unknown: bool
    """Not in the dictionary."""

    @property
    def is_han(self) -> bool:
        return all(map(is_han, self.surface))

    @property
    def is_number(self) -> bool:
        return self.part[1] == "数詞" or _NUMERALS.issuperset(self.surface)


@dataclass(frozen=True, slots=True)
class Joint:
    """A place where two kanji meet and the dictionary does not say that they belong together."""

    begin: int
    """Where the token on its left begins in the text."""
    end: int
    """Where the token on its right ends."""
    at: int
    """Where the left kanji of the pair is."""
    pair: str
    """The two kanji."""
    kind: str
    """A key of `THRESHOLDS`, or another kind that never counts."""


def joints(text: str) -> Iterator[Joint]:
    """All of them in order. Works for text of any length."""
    for run in _runs(text):
        yield from _joints(run)


def chinese_spans(text: str) -> list[tuple[int, int, str]]:
    """(begin, end, kind) of what counts as Chinese: words of the vocabulary, and joints beyond their threshold."""
    found: list[tuple[int, int, str]] = []
    for run in _runs(text):
        found += ((begin, end, "vocabulary") for begin, end in _in_vocabulary(run))
        found += ((j.begin, j.end, "joint") for j in _joints(run) if _counts(j) and not _in_rare_word(text, j.at))
    return found


def sounds_japanese(text: str, places: Sequence[int]) -> bool:
    """True when the dictionary knows what stands in these places, each in a word of more than one character."""
    known = {
        place
        for run in _tokens(text)
        for token in run
        if not token.unknown and token.end - token.begin > 1
        for place in range(token.begin, token.end)
    }
    if not known.issuperset(places):
        return False
    ordered = sorted(places)
    return not any(bisect_left(ordered, begin) < bisect_left(ordered, end) for begin, end, _ in chinese_spans(text))


def leaning(pair: str) -> float:
    """Log odds that a pair of kanji is Chinese rather than rare Japanese; kanji the table has not say nothing."""
    table = leanings()
    first, last = table.get(pair[0]), table.get(pair[1])
    return (first[0] if first else 0.0) + (last[1] if last else 0.0)


def _counts(joint: Joint) -> bool:
    threshold = THRESHOLDS.get(joint.kind)
    return threshold is not None and leaning(joint.pair) > threshold


def _in_rare_word(text: str, at: int) -> bool:
    """True when the pair that begins at `at` is inside a Japanese word that the tokeniser's dictionary has not."""
    words = rare_words()
    return any(
        text[begin:end] in words
        for begin in range(max(0, at + 2 - LONGEST_WORD), at + 1)
        for end in range(at + 2, min(len(text), begin + LONGEST_WORD) + 1)
    )


def _tokens(text: str) -> Iterator[list[_Token]]:
    for offset in range(0, len(text), LONGEST):
        morphemes = reading.tokenise(text[offset : offset + LONGEST])
        yield [
            _Token(offset + m.begin(), offset + m.end(), m.surface(), m.part_of_speech()[:2], m.is_oov())
            for m in morphemes
            if m.surface()
        ]


def _runs(text: str) -> Iterator[list[_Token]]:
    """Neighbouring tokens of nothing but kanji."""
    for tokens in _tokens(text):
        run: list[_Token] = []
        for token in tokens:
            if token.is_han:
                run.append(token)
            elif run:
                yield run
                run = []
        if run:
            yield run


def _in_vocabulary(run: Sequence[_Token]) -> Iterator[tuple[int, int]]:
    """Where whole tokens make a word of the vocabulary: 担心 in 担|心, and not in 負担|心."""
    words = vocabulary()
    for i, first in enumerate(run):
        word = ""
        for token in run[i : i + MOST_TOKENS]:
            word += token.surface
            if word in words:
                yield first.begin, token.end


def _joints(run: Sequence[_Token]) -> Iterator[Joint]:
    for token in run:
        if token.unknown and not token.is_number:
            for at, pair in enumerate(map("".join, pairwise(token.surface)), start=token.begin):
                yield Joint(token.begin, token.end, at, pair, "unknown")
    for i, (left, right) in enumerate(pairwise(run)):
        # What follows a counter is anybody's guess (五|枚|組).
        if not (i and run[i - 1].is_number):
            pair = left.surface[-1] + right.surface[0]
            yield Joint(left.begin, right.end, right.begin - 1, pair, _kind(left, right))


def _kind(left: _Token, right: _Token) -> str:
    shape = "+".join("1" if len(token.surface) == 1 else "n" for token in (left, right))
    if left.is_number or right.is_number:
        return f"{shape} number"
    if left.part[0] == "接頭辞" or right.part[0] == "接尾辞":
        return f"{shape} affix"
    return shape
