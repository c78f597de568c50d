"""The filter before the voice: whatever comes in, only clean Japanese comes out, or nothing. Pure.

The text passes the layers clause by clause (docs/purity.md): packaging off, signs and numbers, Latin letters, Chinese
that the tables can say in Japanese, Japanese shapes of Chinese characters, and then what remains has to be shown clean:
in the repertoire, and without joints of kanji that are Chinese. A clause that is not is left out whole. What comes out
goes through it all again until nothing changes, so that a result is always its own result.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

from claudiad.purity import chinese, latin, signs
from claudiad.purity.markup import strip_markup
from claudiad.purity.repertoire import KANA, MARKS, is_clean, is_foreign, is_han, speakable
from claudiad.purity.traced import Finding, Traced

KINDS: Mapping[str, str] = {
    "thought": "a model's thinking",
    "code": "a block of code",
    "json": "JSON, or a scrap of it",
    "markup": "Markdown, HTML or a model's control token",
    "link": "an address",
    "id": "the number of an action",
    "emoji": "an emoji, or another sign that has no sound",
    "symbol": "™, ® and the like",
    "control": "an invisible or broken character",
    "unit": "a unit in Latin letters",
    "latin": "a Latin word or abbreviation",
    "english": "English, not only a word of it",
    "chinese": "Chinese that a table knows",
    "variant": "the Chinese shape of a Japanese kanji",
    "repertoire": "a kanji that Japanese has not",
    "script": "a letter of another script",
    "vocabulary": "a word of the Chinese vocabulary",
    "joint": "two kanji that Japanese does not join",
}
"""Every kind of finding, in words."""

ROUNDS = 5
"""How often a text is gone through after the first time until it must have come to rest. Once is the rule; what never
rests is not said."""

QUICK = 100
"""Characters that are judged in half a millisecond at most."""

_PLAIN = re.compile(r"[ぁ-ゖァ-ヺー々一-鿿、。！？「」・]*")
_QUICK = re.compile(rf"(?:{_PLAIN.pattern[:-1]}|[0-9.〜…% \n])*")
_CLAUSE = re.compile(rf"([{MARKS}])")
_KAOMOJI = re.compile(r"\((?:[^()\w]++[_oO0wvuωдДεo][^()\w]++|[^()\w]{3,}+)\)")
_GLOSS = re.compile(r"(?<=[^\s(])\s*\([A-Za-z][A-Za-z0-9 ,.'!?-]*\)")
"""The same again in English: 座ります(sit down)."""
_QUIET = frozenset("~〜=+^`$<>|ｰ")
"""Signs that are dropped like punctuation."""


@dataclass(frozen=True, slots=True)
class Purified:
    """What became of one text."""

    text: str
    """As it was given."""
    clean: str | None
    """What may be spoken; None when nothing speakable remains. Every character of it satisfies `is_clean`, and it is
    its own result, and pure."""
    pure: bool
    """True when nothing was found: at most punctuation and digits are written otherwise."""
    findings: tuple[Finding, ...]
    """What was repaired, taken off or left out, in the order of the text; positions are those of `text`."""
    left_out: int
    """Clauses that could not be repaired."""

    @property
    def repairs(self) -> dict[str, int]:
        """How many findings there are of each kind, most first."""
        return dict(Counter(finding.kind for finding in self.findings).most_common())


def purify(text: str) -> Purified:
    """Judge and clean one text of any length. Never raises, whatever the text holds; one call may take any thread."""
    said, left_out = Traced.of(text), 0
    for _ in range(ROUNDS + 1):
        again, more = _clean(said)
        left_out += more
        if again.text == said.text:
            break
        said = again
        if not said.text:
            break
    else:
        said = said.nothing()
    findings = tuple(sorted(said.trace.findings))
    return Purified(text, said.text or None, pure=not findings, findings=findings, left_out=left_out)


def is_quick(text: str) -> bool:
    """True when `purify` takes less time than the way to another thread and back: short, and nothing in it that a
    Latin word could be made of, the first unknown one of which loads a model. What an event loop may do itself.
    """
    return len(text) <= QUICK and _QUICK.fullmatch(text) is not None


def _clean(text: Traced) -> tuple[Traced, int]:
    """Once through all layers; also how many clauses were left out."""
    if not _PLAIN.fullmatch(text.text):
        text = strip_markup(signs.before_folding(strip_markup(text)).compatible())
        text = text.sub(_KAOMOJI, _unless_japanese, "emoji").sub(_GLOSS, "", "english")
        text = signs.say_signs(text)
    kept: list[Traced] = []
    left_out = 0
    for clause, mark in _clauses(text):
        said = _clause(clause)
        if said is None:
            left_out += 1
            said = clause.nothing()
        # A clause that goes takes its tone with it: 「はい。Wow!」 is not 「はい！」.
        gone = clause.text.strip() and not said.text and mark.text in "！？"
        kept += (said, mark.made("。", 0, 1) if gone and mark.text else mark)
    tidied = signs.tidy(text.joined(kept))
    return (tidied if speakable(tidied.text) else tidied.nothing()), left_out


def _clauses(text: Traced) -> list[tuple[Traced, Traced]]:
    """Pieces between marks, each with the mark behind it."""
    ends = [match.span() for match in _CLAUSE.finditer(text.text)]
    begins = [0, *(end for _, end in ends)]
    return [
        (text.part(begin, mark[0] if mark else len(text.text)), text.part(*mark) if mark else text.nothing())
        for begin, mark in zip_longest(begins, ends)
    ]


def _clause(clause: Traced) -> Traced | None:
    """The clause as it is to be spoken, or None when it cannot be."""
    said = latin.say_latin(clause)
    said = chinese.repair(_without_strays(said)) if said is not None else None
    if said is None:
        return None
    said = chinese.reshape(said)
    foreign = [(i, c) for i, c in enumerate(said.text) if is_foreign(c)]
    for place, character in foreign:
        said.note(place, place + 1, "repertoire" if is_han(character) else "script")
    if foreign or chinese.is_chinese(said):
        return None
    return said


def _without_strays(clause: Traced) -> Traced:
    """Without what is neither clean nor a letter: blanks, brackets and quotes silently, emoji and the like noted."""
    if all(map(is_clean, clause.text)):
        return clause
    kept = []
    begin = 0
    for place, character in enumerate(clause.text):
        if is_clean(character) or is_foreign(character):
            continue
        if kind := _stray(character):
            clause.note(place, place + 1, kind)
        kept.append(clause.part(begin, place))
        begin = place + 1
    return clause.joined((*kept, clause.part(begin, len(clause.text))))


def _stray(character: str) -> str | None:
    category = unicodedata.category(character)
    if character in _QUIET or category[0] in "PZ" or character in "\t\n":
        return None
    return "control" if category[0] == "C" or character == "\ufffd" else "emoji"


def _unless_japanese(match: re.Match[str]) -> str:
    return match[0] if KANA.intersection(match[0]) else ""
