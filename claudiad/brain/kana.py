"""Katakana as pronounced, in one spelling: the alphabet everything in this package compares in.

Hiragana becomes katakana, ヲ→オ ヂ→ジ ヅ→ズ ヴ→ブ, and a long vowel (ー, small ァィゥェォ, and オウ, エイ where the
text is spelled and not pronounced) becomes the vowel written twice: トーキョー, とうきょう → トオキョオ. Two reasons:

- Length is *kept*. Without it モオトメテ (もう止めて) and モトメテ (求めて), ハアト and ハト would be the same.
  Where a recogniser is likely to lose it, `loose` drops it, for keys long enough to stay unique.
- The key of a sentence is the keys of its words side by side, also where vowels meet at a seam
  (ソノアト|オドッテ, クラウディア|アイサツ): an unbroken transcript can be cut anywhere.

In spelling, オウ and エイ stay as they are where they are known to be a seam and not one word: before シロ,
ゴイ… (あと|後ろ, あと|動いて), before チ, ッ (前|一歩), and テイ, デイ except in テイシ: 座って|いい must never
become 座って.
"""

from __future__ import annotations

import functools
import re

LOOSE_MIN = 4
"""Fewest kana, long vowels counted once, for which a comparison without length is still one of words."""

_ROWS = {
    "ア": "アカサタナハマヤラワガザダバパャァヮ",
    "イ": "イキシチニヒミリギジビピィ",
    "ウ": "ウクスツヌフムユルグズブプュゥ",
    "エ": "エケセテネヘメレゲゼデベペェ",
    "オ": "オコソトノホモヨロゴゾドボポョォ",
}
_VOWEL = {kana: vowel for vowel, row in _ROWS.items() for kana in row}
_SMALL = dict(zip("ァィゥェォ", "アイウエオ", strict=True))
_SAME = str.maketrans("ヲヂヅヰヱヵヶヴ", "オジズイエカケブ")
_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_TO_HIRAGANA = {code + 0x60: code for code in range(0x3041, 0x3097)}
_ALL_VOWELS = frozenset("アイウエオ")
_CHANGES = re.compile(r"[ーァィゥェォウイ]")
"""What folding looks at; without it a string of kana is its own key."""
_SEAM_U = re.compile(r"シロ|ゴ[イカキクケコ]|レシ")
_SEAM_I = re.compile(r"[チッ]")


_LONG = re.compile(
    "|".join([*(f"[{row}]{vowel}" for vowel, row in _ROWS.items()), f"[{_ROWS['オ']}]ウ", f"[{_ROWS['エ']}]イ"])
)
"""Where a vowel may be lengthened: most keys have no such place, and need not be walked through."""


def katakana(text: str) -> str:
    """Hiragana turned into katakana; everything else as it was."""
    return text.translate(_TO_KATAKANA)


def hiragana(text: str) -> str:
    """Katakana turned into hiragana; everything else as it was."""
    return text.translate(_TO_HIRAGANA)


def fold(text: str, spelled: bool = False) -> str:
    """The canonical key of a string of kana. Idempotent; linear in the length; other characters stay.

    `spelled`: the kana follow the orthography (オハヨウ, テイシ) and not the sound (オハヨー, テーシ).
    """
    source = text.translate(_TO_KATAKANA).translate(_SAME)
    if not _CHANGES.search(source):
        return source
    out: list[str] = []
    vowel = ""
    for i, kana in enumerate(source):
        if kana == "ー":
            if not vowel or source[i - 1] == "ー":
                continue
            out.append(vowel)
        elif (vowel and _SMALL.get(kana) == vowel) or (spelled and _lengthens(source, i, vowel)):
            out.append(vowel)
        else:
            out.append(kana)
            vowel = _VOWEL.get(kana, "")
    return "".join(out)


def loose(key: str) -> str:
    """A key with long vowels shortened, or empty when what is left is too short to tell words apart."""
    bare = shorten(key)
    return bare if len(bare) >= LOOSE_MIN else ""


@functools.lru_cache(maxsize=1 << 15)
def shorten(key: str) -> str:
    """A key with every long vowel written once, オウ and エイ (but not テイ, デイ) among them."""
    if not _LONG.search(key):
        return key
    out = ""
    for kana in key:
        if not lengthens(out, kana):
            out += kana
    return out


def lengthens(before: str, kana: str) -> bool:
    """True when `kana` behind a shortened key only makes its last vowel longer."""
    vowel = _VOWEL.get(before[-1:])
    if vowel is None or kana not in _ALL_VOWELS:
        return False
    return (
        kana == vowel
        or (vowel == "オ" and kana == "ウ")
        or (vowel == "エ" and kana == "イ" and before[-1] not in "テデ")
    )


def deletions(key: str) -> list[str]:
    """A key with each of its kana left out in turn: two keys one kana apart share one of these, or are one."""
    return [key[:i] + key[i + 1 :] for i in range(len(key))]


def unstretched(key: str) -> str:
    """A key without a lengthening of its last vowel: トマレエ → トマレ."""
    end = len(key)
    while end > 1 and key[end - 1] == _VOWEL.get(key[end - 2]):
        end -= 1
    return key[:end]


def _lengthens(source: str, i: int, vowel: str) -> bool:
    kana = source[i]
    if vowel == "オ" and kana == "ウ":
        return not _SEAM_U.match(source, i + 1)
    if vowel == "エ" and kana == "イ":
        if source[i - 1] in "テデ":
            return source.startswith("シ", i + 1)
        return not _SEAM_I.match(source, i + 1)
    return False
