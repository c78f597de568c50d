"""Numbers: arabic to kanji for the tokeniser, and spoken kana back to a value."""

from __future__ import annotations

import re

_KANJI = "零一二三四五六七八九"
_ONES = {
    "レエ": 0, "レイ": 0, "ゼロ": 0, "イチ": 1, "イッ": 1, "ニ": 2, "サン": 3, "ヨン": 4, "ヨ": 4, "シ": 4, "ゴ": 5,
    "ロク": 6, "ロッ": 6, "ナナ": 7, "シチ": 7, "ハチ": 8, "ハッ": 8, "キュウ": 9, "キュ": 9, "ク": 9,
}  # fmt: skip
_TENS = {"ジュウ": 10, "ジュ": 10, "ジュッ": 10, "ジッ": 10}
_HUNDREDS = {"ヒャク": 100, "ビャク": 100, "ピャク": 100, "ヒャッ": 100, "ビャッ": 100, "ピャッ": 100}
_SCALES = {**_TENS, **_HUNDREDS}
_TOKENS = sorted([*_ONES, *_SCALES], key=len, reverse=True)
_TOKEN = re.compile("|".join(_TOKENS))

_COMPOUND = re.compile(r"(?=..)(?:[二三四五六七八九]?百)?(?:[二三四五六七八九]?十)?[一二三四五六七八九]?")

NUMBER = rf"(?:{'|'.join(_TOKENS)})+(?:テン(?:{'|'.join(_TOKENS)})+)?"
"""Regular expression for a spoken number in key form; `value` says whether it is a well-formed one."""


def to_kanji(digits: str) -> str:
    """`50` → 五十, `1.5` → 一点五; numbers of five digits and more stay as they are."""
    whole, _, fraction = digits.partition(".")
    if len(whole.lstrip("0")) > 4:
        return digits
    out = ""
    n = int(whole)
    for scale, kanji in ((1000, "千"), (100, "百"), (10, "十")):
        if n >= scale:
            out += ("" if n // scale == 1 else _KANJI[n // scale]) + kanji
            n %= scale
    out += _KANJI[n] if n or not out else ""
    return out + ("点" + "".join(_KANJI[int(d)] for d in fraction) if fraction else "")


def spoken(kanji: str) -> str | None:
    """八十七 → ハチジュウナナ; None for what is not one kanji numeral with 十 or 百 in it.

    The tokeniser's dictionary knows 八十 as ヤソ, a name, and reads some longer numerals by pieces.
    """
    if not _COMPOUND.fullmatch(kanji):
        return None
    names = ("ゼロ", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュウ", "ジュウ", "ヒャク")
    return "".join(names["零一二三四五六七八九十百".index(c)] for c in kanji)


def value(words: str) -> float | None:
    """The number said, 0 ≤ n < 1000, or None when the words do not make one number (イチニ, ジュウジュウ)."""
    whole, point, fraction = words.partition("テン")
    if _TOKEN.sub("", whole + fraction):
        return None
    n = _integer(_TOKEN.findall(whole))
    if n is None or not point:
        return n
    digits = _TOKEN.findall(fraction)
    if not digits or any(d not in _ONES for d in digits):
        return None
    return float(f"{n:g}." + "".join(str(_ONES[d]) for d in digits))


def _integer(tokens: list[str]) -> float | None:
    total = 0
    digit: int | None = None
    ceiling = 1000
    for token in tokens:
        if token in _ONES:
            if digit is not None:
                return None
            digit = _ONES[token]
            continue
        scale = _SCALES[token]
        if scale >= ceiling or digit == 0:
            return None
        total += (1 if digit is None else digit) * scale
        digit, ceiling = None, scale
    if digit is not None and (ceiling == 1000 or digit > 0):
        total += digit
    elif digit is not None:
        return None
    return float(total) if tokens else None
