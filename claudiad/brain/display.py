"""A kana transcript as a person would write it: スワッテカラアイサツシテ → 座ってから挨拶して.

For logs only; nothing is decided on it. What comes out sounds like what went in, or it is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from claudiad.brain.kana import fold, hiragana, lengthens
from claudiad.brain.phrases import Phrases
from claudiad.brain.reading import MAX_CHARS, reading
from claudiad.brain.tables import DATA, rows
from claudiad.errors import DataError

_WORD_COST, _PARTICLE_COST, _KANA_COST = 10, 12, 8
_PARTICLES = {"ワ": "は", "オ": "を", "エ": "へ"}
_SPELLED = {"オ": "う", "エ": "い"}
# 十歩 is ジュッポ in the mouth and ジュウホ in the dictionary: the same number all the same.
_COUNTED = (("ジュッ", "ジュウ"), ("イッ", "イチ"), ("ロッ", "ロク"), ("ハッ", "ハチ"), ("ポ", "ホ"))


class Speller:
    """Cheapest way to write a string of kana with known words; what is unknown stays hiragana."""

    def __init__(self, words: Iterable[tuple[str, str]]) -> None:
        self._words: dict[str, str] = {}
        for key, surface in words:
            self._words.setdefault(key, surface)
        self._longest = max(map(len, self._words), default=0)

    def display(self, kana: str) -> str:
        """`kana` written with kanji where that sounds the same; else hiragana; never empty for kana."""
        key = fold(re.sub(r"[^ぁ-ゖァ-ヺー]", "", kana[:MAX_CHARS]))
        for attempt in (self._write(key), hiragana(key)):
            if _same(reading(attempt), key):
                return attempt
        return key

    def _write(self, key: str) -> str:
        # best[i]: (cost, text, ends with a known word) of the first i kana.
        best: list[tuple[int, str, bool]] = [(0, "", False)]
        for end in range(1, len(key) + 1):
            cost, text, known = best[end - 1]
            last = key[end - 1]
            options = [(cost + _KANA_COST, text + self._kana(key[: end - 1], last), False)]
            if known and last in _PARTICLES:
                options.append((cost + _PARTICLE_COST - _KANA_COST, text + _PARTICLES[last], True))
            options.extend(
                (best[start][0] + _WORD_COST, best[start][1] + surface, True)
                for start in range(max(0, end - self._longest), end)
                if (surface := self._words.get(key[start:end]))
            )
            best.append(min(options, key=lambda option: option[0]))
        return best[-1][1]

    @staticmethod
    def _kana(before: str, kana: str) -> str:
        long = kana in _SPELLED and lengthens(before, kana)
        return _SPELLED[kana] if long else hiragana(kana)


def load_speller(phrases: Phrases, path: Path = DATA / "words.tsv") -> Speller:
    """Words of `words.tsv` (reading, surface) and every form of every phrase.

    Raises `DataError` with the line when a surface is not read as its reading says.
    """
    listed: list[tuple[str, str]] = []
    for line, (sound, surface) in rows(path, 2):
        if not _same(reading(surface), fold(sound)):
            raise DataError(f"{path}:{line}: {surface} is read {reading(surface)}, not {sound}")
        listed.append((fold(sound), surface))
    return Speller([*((w.key, w.surface) for w in phrases.words if len(w.key) > 1), *listed])


def _same(one: str, other: str) -> bool:
    for mouth, dictionary in _COUNTED:
        one, other = one.replace(mouth, dictionary), other.replace(mouth, dictionary)
    return one == other
