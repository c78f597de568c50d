"""Latin letters as a Japanese speaker says them: tables, spelling, and for the rest `e2k`. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import pairwise

from claudiad.purity.repertoire import KANA, is_han
from claudiad.purity.tables import spoken
from claudiad.purity.traced import Traced

LONGEST_ABBREVIATION = 4
"""Capitals that are spelled letter by letter; more of them are a word that is shouted (WARNING)."""
LONGEST_WORD = 16
"""Letters of an unknown word that are guessed at; longer ones are scraps of code."""
REMEMBERED = 1024
"""Unknown words whose guess is kept: each costs milliseconds (docs/purity.md), and what a model said it says again."""
SENTENCE = 3
"""So many words in a row are English and no longer words in a Japanese sentence."""

_WORD = re.compile(r"[A-Za-zÀ-ɏ]+(?:[-'’][A-Za-zÀ-ɏ]+)*[0-9]*")
_BETWEEN = re.compile(r"[\s'\"()]+")
"""What may stand between the words of a row."""
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]")


def say_latin(clause: Traced) -> Traced | None:
    """The clause with its Latin words in kana, or None when it is English or holds a word nobody can say."""
    found = list(_WORD.finditer(clause.text))
    if not found:
        return clause
    unknown = [word for word in found if _known(word[0]) is None]
    if unknown and (_english(clause.text, found) or not any(c in KANA or is_han(c) for c in clause.text)):
        clause.note(found[0].start(), found[-1].end(), "english")
        return None
    said = {word[0]: say_word(word[0]) for word in found}
    for word in found:
        clause.note(*word.span(), "latin")
    if not all(said.values()):
        return None
    return clause.sub(_WORD, lambda m: said[m[0]])


def say_word(word: str) -> str:
    """Kana (and the digits behind it) for one word, or "" when it cannot be said."""
    letters = word.rstrip("0123456789")
    digits = word[len(letters) :]
    known = _known(word)
    if known is not None:
        return known
    plain = "".join(c for c in unicodedata.normalize("NFD", letters) if c.isascii() and c.isalpha())
    pieces = _PIECE.findall(plain)
    if not pieces or len(plain) > LONGEST_WORD:
        return ""
    said = [_say_piece(piece, plain) for piece in pieces]
    return "".join(said) + digits if all(said) else ""


def warm() -> None:
    """Load what guesses unknown words, so that the first one does not wait for it. Blocks."""
    _guess("warm")


def _say_piece(piece: str, whole: str) -> str:
    known = spoken().words.get(piece.lower())
    if known:
        return known
    if len(piece) == 1 or (piece.isupper() and (len(whole) <= LONGEST_ABBREVIATION or piece != whole)):
        return "".join(spoken().letters[letter] for letter in piece.lower())
    return _guess(piece.lower())


@lru_cache(maxsize=REMEMBERED)
def _guess(word: str) -> str:
    guessed = _converter()(word)
    return guessed if KANA.issuperset(guessed) else ""


def _known(word: str) -> str | None:
    words = spoken().words
    lower = word.lower()
    if lower in words:
        return words[lower]
    letters = lower.rstrip("0123456789")
    return words[letters] + word[len(letters) :] if letters in words else None


def _english(text: str, words: Sequence[re.Match[str]]) -> bool:
    row = 1
    for left, right in pairwise(words):
        row = row + 1 if _BETWEEN.fullmatch(text, left.end(), right.start()) else 1
        if row >= SENTENCE:
            return True
    return False


@cache
def _converter() -> Callable[[str], str]:
    """Loaded when the first unknown word is met, or by `warm`: docs/purity.md says what it costs."""
    from e2k import C2K

    convert: Callable[[str], str] = C2K()
    return convert
