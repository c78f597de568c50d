"""Chinese in a Japanese clause: say it in Japanese where a table knows how, and find the rest. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from claudiad.purity.joints import chinese_spans, sounds_japanese
from claudiad.purity.repertoire import KANA, is_foreign, is_han
from claudiad.purity.tables import chinese, variants
from claudiad.purity.traced import Traced, any_of

_TWO_KANJI = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2}")
_TAIL = r"し(?=ま|た[いがく]|なが)|し(?=な)|して|した|する|(?=\Z)|"
"""What follows a verb: its forms, the end of the clause, or anything else."""


def repair(clause: Traced) -> Traced | None:
    """The clause with the Chinese that the tables know said in Japanese; None when it cannot be."""
    if not any(map(is_han, clause.text)):
        return clause
    whole = chinese().whole.get(clause.text.strip())
    if whole is not None:
        clause.note(0, len(clause.text), "chinese")
        return clause.made(whole, 0, len(clause.text))
    rest, known = _known().subn("", clause.text)
    if known and not KANA.intersection(clause.text) and (rest or known > 1):
        # A Chinese sentence that happens to hold words we know: word by word it becomes no Japanese one.
        clause.note(0, len(clause.text), "chinese")
        return None
    clause = clause.sub(_verbs(), _conjugated, "chinese")
    unspeakable = [m for m in _words().finditer(clause.text) if not chinese().words[m[0]]]
    for match in unspeakable:
        clause.note(*match.span(), "chinese")
    if unspeakable:
        return None
    clause = clause.sub(_words(), lambda m: chinese().words[m[0]], "chinese")
    return clause.sub(_joins(), _joined, "chinese")


def reshape(clause: Traced) -> Traced:
    """Kanji that Japanese has not in their Japanese shape (电池 → 電池), if that makes Japanese words of them."""
    table = variants()
    places = [i for i, c in enumerate(clause.text) if c in table and is_foreign(c)]
    if not places:
        return clause
    there = frozenset(places)
    new = "".join(table[c] if i in there else c for i, c in enumerate(clause.text))
    if not sounds_japanese(new, places):
        return clause
    for begin, end in _rows(places):
        clause.note(begin, end, "variant")
    return Traced(new, clause.spans, clause.trace)


def is_chinese(clause: Traced) -> bool:
    """True when something in it is Chinese in kanji that Japanese has too; it is noted."""
    if not _TWO_KANJI.search(clause.text):
        return False
    found = chinese_spans(clause.text)
    for begin, end, kind in found:
        clause.note(begin, end, kind)
    return bool(found)


def _rows(places: Iterable[int]) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    for place in places:
        if rows and rows[-1][1] == place:
            rows[-1] = (rows[-1][0], place + 1)
        else:
            rows.append((place, place + 1))
    return rows


def _conjugated(match: re.Match[str]) -> str:
    stem, te, dictionary, negative = chinese().verbs[match[1]]
    tail = match[2]
    if tail == "する":
        return dictionary
    if tail == "した":
        return te[:-1] + {"て": "た", "で": "だ"}[te[-1]]
    if tail == "し":
        text, end = match.string, match.end()
        return negative if text.startswith("な", end) and not text.startswith("なが", end) else stem
    if tail == "して" or match.end() == len(match.string):
        return te
    return dictionary


def _joined(match: re.Match[str]) -> str:
    last = match.start() - 1
    while last >= 0 and match.string[last].isspace():
        last -= 1
    pause = "" if last < 0 else "、" if match.string[last] in "てで" else "。"
    return pause + chinese().joins[match[1]]


@cache
def _joins() -> re.Pattern[str]:
    # 然后は挨拶します: models put a particle behind it that no connective has.
    return re.compile(f"({any_of(chinese().joins)})(?:は(?!い))?")


@cache
def _verbs() -> re.Pattern[str]:
    return re.compile(f"({any_of(chinese().verbs)})({_TAIL})")


@cache
def _words() -> re.Pattern[str]:
    return re.compile(any_of(chinese().words))


@cache
def _known() -> re.Pattern[str]:
    return re.compile(any_of([*chinese().words, *chinese().verbs, *chinese().joins]))
