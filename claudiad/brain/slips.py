"""What may have been meant where a tongue slipped: 起き起きて, ふ、伏せて, 座っ下さい, お座りりして, 寝でけろ.

Everything here only proposes; a proposal counts when all of it is then understood by the exact rules.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from claudiad.brain import numerals

_WRITTEN = re.compile(r"([^、。\s]{1,4})\1")
_KANJI = re.compile(r"[一-龯]")
_COUNTED = re.compile(r"[一二三四五六七八九十百千半\d]")
_TWICE = re.compile(r"([^アイウエオンー]|.{2,4})\1+")
_NUMBER = re.compile(numerals.NUMBER)
_LOST_TE = re.compile(r"ッ(?=クダサ|クレ|チョオダイ|モラエ)")
_VOICED = {"ガ": "カ", "ギ": "キ", "グ": "ク", "ゲ": "ケ", "ゴ": "コ", "デ": "テ"}
MOST_VOICED = 3
"""Most sounds of a clause that may be voiced by dialect: in more than these it is only how the words are."""
FRAGMENT = 3
"""Most kana of a word that was begun and broken off."""


def written_twice(text: str) -> str | None:
    """え座っ座って without what was said twice; None when no kanji prove that it was (立ったって is another thing)."""
    once = _WRITTEN.sub(lambda m: m[1] if _KANJI.search(m[1]) and not _COUNTED.search(m[1]) else m[0], text)
    return once if once != text else None


def broken_off(keys: Sequence[str]) -> list[int]:
    """Which clauses are only the beginning of the next: ふ、|伏せて."""
    return [i for i, (a, b) in enumerate(itertools.pairwise(keys)) if a != b and len(a) <= FRAGMENT and b.startswith(a)]


def unstuttered(key: str) -> Iterator[str]:
    """A key with one doubled piece said once, and with a te that got lost in front of a request."""
    seen = {key}
    for at in range(len(key) - 1):
        if _NUMBER.match(key, at):
            continue  # 一歩一歩
        for match in (_TWICE.match(key, at), _LOST_TE.match(key, at)):
            if match:
                again = key[:at] + (match[1] if match.re is _TWICE else "ッテ") + key[match.end() :]
                if again not in seen:
                    seen.add(again)
                    yield again


def unslurred(key: str, slurred: frozenset[str]) -> Iterator[str]:
    """A key with ください for a request that lost a kana: 立って|くだい."""
    for at in range(2, len(key) - 1):
        if key[at:] in slurred:
            yield key[:at] + "クダサイ"


def unvoiced(clause: str) -> Iterator[str]:
    """Tohoku voices what stands between vowels (起ぎろ, はやぐ, 寝で): all of it taken back, then each by itself."""
    places = [i for i, kana in enumerate(clause) if i and kana in _VOICED]
    if len(places) > MOST_VOICED:
        return
    if len(places) > 1:
        yield "".join(_VOICED[kana] if i in places else kana for i, kana in enumerate(clause))
    for i in places:
        yield clause[:i] + _VOICED[clause[i]] + clause[i + 1 :]
