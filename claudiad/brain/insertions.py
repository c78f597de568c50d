"""What may stand in front of a step without changing it: a place, a companion, a manner (ばあばに|手を振って).

Read off the tokeniser's parts of speech: a noun phrase with に, へ, で, と, から; an adverb; an adjective in front of a
noun. Not with another time, a question word, a number, a way to go (前に後ろに進んで is nothing) or a body part
(片足で立って is not 立って).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from claudiad.brain.reading import Heard, Token
from claudiad.brain.sequence import Gaps, no_gaps
from claudiad.brain.tables import expand, rows
from claudiad.errors import DataError

MAX_INSERTIONS = 3
MAX_WORDS = 12
"""Longest clause that tells of a person, in words."""
MAX_NOUNS = 8
"""Longest noun phrase, in words."""

_CASE = frozenset(("に", "へ", "で", "と", "から", "さ"))
_NOT_THAT = (["じゃ", "なく", "て"], ["で", "なく", "て"], ["や", "なく", "て"], ["で", "は", "なく", "て"])
_NOMINAL = frozenset(("名詞", "代名詞", "接頭辞", "接尾辞", "連体詞", "形状詞"))

Kind = Literal[
    "asking",
    "time",
    "saying",
    "auxiliary",
    "next",
    "way",
    "manner",
    "person",
    "with",
    "unlike",
    "self",
    "told",
    "request",
    "story",
    "order",
]
Words = Mapping[Kind, frozenset[str]]
"""`context.tsv`: dictionary forms by what they mean beside a command."""


def load_words(path: Path) -> Words:
    """Read `context.tsv`. Raises `DataError` with the line for an unknown kind."""
    found: dict[str, set[str]] = {kind: set() for kind in get_args(Kind)}
    for line, (kind, text) in rows(path, 2):
        if kind not in found:
            raise DataError(f"{path}:{line}: unknown kind {kind!r}; known: {', '.join(found)}")
        found[kind] |= set(expand(text))
    return {kind: frozenset(found[kind]) for kind in get_args(Kind)}


def insertions(heard: Heard, words: Words) -> Gaps:
    """Where each insertion may end, by the place in the key at which it begins."""
    tokens, bounds = heard.tokens, heard.bounds
    if not tokens:
        return no_gaps
    at = {t.start: i for i, t in enumerate(tokens)}
    known: dict[int, tuple[int, ...]] = {}

    def ends(position: int) -> tuple[int, ...]:
        if position not in known:
            reached: list[int] = []
            level = [position]
            for _ in range(MAX_INSERTIONS):
                behind = ((p, tokens[j - 1].end) for p in level if p in at for j in _insertion(tokens, at[p], words))
                level = [end for p, end in behind if not any(p < b < end for b in bounds)]
                reached += level
            known[position] = tuple(dict.fromkeys(reached))
        return known[position]

    return ends


def nominal(token: Token) -> bool:
    """True for what a noun phrase is made of."""
    return token.pos[0] in _NOMINAL or token.surface == "の"


def _insertion(tokens: Sequence[Token], i: int, words: Words) -> Iterator[int]:
    """Indices just behind an insertion that begins with word `i`."""
    first = tokens[i]
    if first.lemma in words["asking"] or first.lemma in words["time"]:
        return
    yield from _manner(tokens, i)
    yield from _place(tokens, i, words)
    yield from _somebody(tokens, i, words)
    yield from _until(tokens, i)


def _manner(tokens: Sequence[Token], i: int) -> Iterator[int]:
    """大きく, ゆったりと, かっこいい|ポーズ, わーいって."""
    kind, form = tokens[i].pos[0], tokens[i].pos[5]
    following = tokens[i + 1] if i + 1 < len(tokens) else None
    if following is None:
        return
    if kind == "副詞" or (kind == "形容詞" and form.startswith("連用形")):
        yield i + 2 if following.surface in ("に", "と") else i + 1
    elif kind == "形容詞" and following.pos[0] == "名詞":
        yield i + 1
    elif (
        kind == "形状詞" and following.surface == "な" and i + 2 < len(tokens) and tokens[i + 2].pos[0] == "名詞"
    ) or (kind == "感動詞" and following.surface in ("って", "と")):
        yield i + 2


def _place(tokens: Sequence[Token], i: int, words: Words) -> Iterator[int]:
    """ソファの横で, おじさんと, 音楽に合わせて, 椅子じゃなくて."""
    j = i
    while j < len(tokens) and j - i < MAX_NOUNS and _in_phrase(tokens[j], first=j == i):
        lemma = tokens[j].lemma
        if any(lemma in words[kind] for kind in ("asking", "time", "manner")) or tokens[j].pos[1] == "数詞":
            return
        j += 1
    if j == i or j >= len(tokens) or not any(t.pos[0] in ("名詞", "代名詞", "形状詞") for t in tokens[i:j]):
        return
    particle = tokens[j].surface
    head = tokens[j - 1].lemma
    people = head == "方" and j - i > 1 and tokens[j - 2].lemma.endswith(("様", "さん"))  # お子様方に
    if head in words["story"] or (head in words["way"] and not people and particle in ("に", "へ", "さ")):
        return
    rest = [t.surface for t in tokens[j : j + 4]]
    if not any(t.lemma in words["self"] for t in tokens[i:j]):
        yield from (j + len(no) for no in _NOT_THAT if rest[: len(no)] == no)
    if particle not in _CASE or not (tokens[j].pos[1] == "格助詞" or tokens[j].lemma == "だ" or particle == "さ"):
        return
    following = tokens[j + 1] if j + 1 < len(tokens) else None
    if particle == "から" and following is not None and following.lemma in ("歩く", "走る", "来る"):
        return  # 駅から歩いて is told, not asked for
    yield j + 1
    if following is None:
        return
    if following.lemma in words["with"] and rest[2:3] == ["て"]:
        yield j + 3
    if following.surface == "一緒":
        yield j + 3
    if following.surface == "も" or (following.surface == "は" and particle == "で"):
        yield j + 2


def _somebody(tokens: Sequence[Token], i: int, words: Words) -> Iterator[int]:
    """お帰りになる皆さんに, 遊びに来た子に: a person with a clause of its own."""
    for j in range(i + 2, min(len(tokens), i + MAX_WORDS)):
        if tokens[j].pos[0] in ("補助記号", "感動詞") or tokens[j].pos[1] in ("終助詞", "接続助詞"):
            return
        person = tokens[j - 1].lemma in words["person"] or tokens[j - 1].surface in words["person"]
        if person and tokens[j].surface in ("に", "へ") and tokens[j - 2].pos[5].startswith(("連体形", "終止形", "*")):
            yield j + 1


def _until(tokens: Sequence[Token], i: int) -> Iterator[int]:
    """お掃除終わるまで, 体操選手みたいに, テレビで見たように."""
    for j in range(i + 1, min(len(tokens), i + MAX_WORDS)):
        if tokens[j].pos[0] in ("補助記号", "感動詞") or tokens[j].pos[1] == "終助詞":
            return
        like = j + 1 < len(tokens) and tokens[j].surface in ("みたい", "よう") and tokens[j + 1].surface == "に"
        if like:
            yield j + 2
        elif tokens[j].surface == "まで" and tokens[j - 1].pos[5].startswith(("連体形", "終止形")):
            yield j + 1


def _in_phrase(token: Token, *, first: bool) -> bool:
    if token.pos[0] in _NOMINAL:
        return True
    if token.pos[0] == "形容詞":
        return token.pos[5].startswith(("連体形", "終止形"))
    return not first and (token.surface == "の" or (token.surface == "な" and token.pos[0] == "助動詞"))
